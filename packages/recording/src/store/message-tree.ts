import { contentHash, CONTENT_HASH_BYTES } from './content-hash.ts';
import type { MessageCut, NodeState } from './message-table.ts';

/** The rules that make messages comparable; `canonicalDigests` and `chain` of the domain package. */
export interface MessageDigests {
  /** Digests of one parsed message, 16 bytes each. */
  canonicalDigests(message: unknown): { strict: Buffer; loose: Buffer };
  /** Digest of a sequence of messages from that of the sequence without its last and the digest of the last. */
  chain(parent: Buffer | undefined, digest: Buffer): Buffer;
}

const NO_PARENT = Buffer.alloc(CONTENT_HASH_BYTES);

/** The node for `message` after `parent`; without a parent, for a first message. */
export function growTree(
  parent: NodeState | undefined,
  message: MessageCut,
  digests: MessageDigests,
): NodeState {
  return {
    hash: nodeHash(parent?.hash ?? NO_PARENT, message.recipe.bytes),
    strictChain: digests.chain(parent?.strictChain, message.strict),
    looseChain: digests.chain(parent?.looseChain, message.loose),
  };
}

function nodeHash(parent: Buffer, recipe: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(parent.length + recipe.length);
  bytes.set(parent);
  bytes.set(recipe, parent.length);
  return contentHash(bytes);
}
