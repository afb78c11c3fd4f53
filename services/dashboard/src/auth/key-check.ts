import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * A predicate that tells whether a text is the key, in a time that depends on neither. Both sides are hashed under a
 * key of this process first, so that they have one length and a comparison reveals nothing that can be replayed.
 */
export function createKeyCheck(key: string): (candidate: string) => boolean {
  const salt = randomBytes(32);
  const digest = (text: string): Buffer => createHmac('sha256', salt).update(text, 'utf8').digest();
  const expected = digest(key);
  return (candidate) => timingSafeEqual(expected, digest(candidate));
}
