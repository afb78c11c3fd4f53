import { contentHash } from '../content-hash.ts';
import type { MessageDigests } from '../message-tree.ts';

/** Digests that tell messages apart by their JSON text; enough to test everything but the real rules. */
export const testDigests: MessageDigests = {
  canonicalDigests: (message) => ({
    strict: contentHash(Buffer.from(JSON.stringify(message))),
    loose: contentHash(Buffer.from(JSON.stringify((message as { role?: unknown }).role ?? null))),
  }),
  chain: (parent, digest) => contentHash(Buffer.concat([parent ?? Buffer.alloc(16), digest])),
};
