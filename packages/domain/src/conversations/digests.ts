import { hash } from 'node:crypto';

import { encodeCanonically, encodeString } from './canonical-json.ts';
import { withoutNoise } from './noise.ts';

/** Two fingerprints of one message, 16 bytes each. */
export interface MessageDigests {
  /** Everything but `cache_control`; a string content equals the same text as a single block. */
  strict: Buffer;
  /** What stays the same when the client re-tells a message: no thinking, reminders, attribution, tool output. */
  loose: Buffer;
}

const DIGEST_BYTES = 16;
const NO_PARENT = Buffer.alloc(DIGEST_BYTES);
/** Part of every digest: another way of encoding must give other digests. */
const VERSION = 'm1';

/**
 * Digests a message (`{role, content}`; other members do not count, so an answer can be passed as it is). Takes any
 * value: what is not a message is digested as the JSON it is.
 */
export function canonicalDigests(message: unknown): MessageDigests {
  const role = memberOf(message, 'role');
  const content = memberOf(message, 'content');
  const blocks = blocksOf(content);
  if (typeof role !== 'string' || blocks === undefined) return digestsOfOther(message);
  const all = openMessage(role, blocks.length);
  for (const block of blocks) encodeCanonically(withBlockContent(block), all);
  const strict = digest(all.join(''));
  const told = openMessage(role, 0);
  const countAt = told.length - 1;
  let toldBlocks = 0;
  for (const block of blocks) if (encodeLoosely(block, told)) toldBlocks++;
  // A message of noise only (a background agent's result comes as a reminder) would equal every other such message.
  if (toldBlocks === 0) return { strict, loose: strict };
  told[countAt] = blockCount(toldBlocks);
  return { strict, loose: digest(told.join('')) };
}

/** Parent and digest side by side, to be hashed. */
const link = Buffer.alloc(2 * DIGEST_BYTES);

/** Digest of a prefix of messages: the digest of the prefix before it (none for the first), then the message's. */
export function chain(parent: Buffer | undefined, messageDigest: Buffer): Buffer {
  link.set(parent ?? NO_PARENT, 0);
  link.set(messageDigest, DIGEST_BYTES);
  return digest(link);
}

/** The digest travels as a binary string because that costs less than half of what a Buffer does. */
function digest(data: string | Buffer): Buffer {
  const out = Buffer.allocUnsafe(DIGEST_BYTES);
  out.write(hash('sha256', data, 'binary'), 0, DIGEST_BYTES, 'latin1');
  return out;
}

function digestsOfOther(value: unknown): MessageDigests {
  const out = [VERSION, 'x'];
  encodeCanonically(value, out);
  const strict = digest(out.join(''));
  return { strict, loose: strict };
}

/** What comes before the blocks; the number of blocks last. */
function openMessage(role: string, blocks: number): string[] {
  const out = [VERSION];
  encodeString(role, out);
  out.push(blockCount(blocks));
  return out;
}

function blockCount(blocks: number): string {
  return `[${blocks}:`;
}

/** Content as blocks; the client turns one form into the other between turns. */
function blocksOf(content: unknown): readonly unknown[] | undefined {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return Array.isArray(content) ? content : undefined;
}

function withBlockContent(block: unknown): unknown {
  const content = memberOf(block, 'content');
  if (memberOf(block, 'type') !== 'tool_result' || typeof content !== 'string') return block;
  return { ...(block as object), content: blocksOf(content) };
}

/** False: nothing of the block counts. */
function encodeLoosely(block: unknown, out: string[]): boolean {
  switch (memberOf(block, 'type')) {
    case 'thinking':
    case 'redacted_thinking':
      return false;
    case 'text': {
      const text = memberOf(block, 'text');
      const told = typeof text === 'string' ? withoutNoise(text) : '';
      if (told === '') return false;
      encodeString(told, out);
      break;
    }
    case 'tool_use':
      encodeCanonically(['tool_use', memberOf(block, 'id'), memberOf(block, 'name')], out);
      encodeCanonically({ input: memberOf(block, 'input') }, out);
      break;
    case 'tool_result':
      encodeCanonically(
        ['tool_result', memberOf(block, 'tool_use_id'), memberOf(block, 'is_error') === true],
        out,
      );
      break;
    default:
      encodeCanonically(block, out);
  }
  return true;
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}
