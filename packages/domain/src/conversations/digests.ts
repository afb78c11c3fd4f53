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
  const strict = digest(encodeMessage(role, blocks.map(encodeStrictly)));
  const told = blocks.map(encodeLoosely).filter((block) => block !== undefined);
  // A message of noise only (a background agent's result comes as a reminder) would equal every other such message.
  if (told.length === 0) return { strict, loose: strict };
  return { strict, loose: digest(encodeMessage(role, told)) };
}

/** Digest of a prefix of messages: the digest of the prefix before it (none for the first), then the message's. */
export function chain(parent: Buffer | undefined, messageDigest: Buffer): Buffer {
  return digest(Buffer.concat([parent ?? NO_PARENT, messageDigest]));
}

function digest(data: string | Buffer): Buffer {
  return hash('sha256', data, 'buffer').subarray(0, DIGEST_BYTES);
}

function digestsOfOther(value: unknown): MessageDigests {
  const out = [VERSION, 'x'];
  encodeCanonically(value, out);
  const strict = digest(out.join(''));
  return { strict, loose: strict };
}

function encodeMessage(role: string, blocks: readonly string[]): string {
  const out = [VERSION];
  encodeString(role, out);
  out.push(`[${blocks.length}:`);
  return out.join('') + blocks.join('');
}

/** Content as blocks; the client turns one form into the other between turns. */
function blocksOf(content: unknown): readonly unknown[] | undefined {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return Array.isArray(content) ? content : undefined;
}

function encodeStrictly(block: unknown): string {
  const out: string[] = [];
  encodeCanonically(withBlockContent(block), out);
  return out.join('');
}

function withBlockContent(block: unknown): unknown {
  const content = memberOf(block, 'content');
  if (memberOf(block, 'type') !== 'tool_result' || typeof content !== 'string') return block;
  return { ...(block as object), content: blocksOf(content) };
}

/** `undefined`: nothing of the block counts. */
function encodeLoosely(block: unknown): string | undefined {
  const out: string[] = [];
  switch (memberOf(block, 'type')) {
    case 'thinking':
    case 'redacted_thinking':
      return undefined;
    case 'text': {
      const text = memberOf(block, 'text');
      const told = typeof text === 'string' ? withoutNoise(text) : '';
      if (told === '') return undefined;
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
  return out.join('');
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}
