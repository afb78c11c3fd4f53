import type { CommitBatch, FrameRow, NodeRow, PieceRow, RequestRow } from '../rows.ts';
import { checkedHash, checkedInteger, cleanJson, cleanText } from './clean-values.ts';
import { checkedId, requestRecord } from './request-record.ts';

const NO_PARENT = Buffer.alloc(16);

/** Collects all bytes of a batch into one parameter; rows refer to them by position. */
class ByteColumn {
  readonly #parts: Buffer[] = [];
  #length = 0;

  /** @returns the position of `bytes` */
  add(bytes: Buffer): number {
    const at = this.#length;
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return at;
  }

  join(): Buffer {
    return Buffer.concat(this.#parts, this.#length);
  }
}

/**
 * @returns the parameters of `nexus.commit_exchanges`, in order
 * @throws InvalidRowError naming the field that cannot be stored
 */
export function encodeBatch(batch: CommitBatch): unknown[] {
  const bytes = new ByteColumn();
  const frames = batch.frames.map((row) => frameRecord(row, bytes));
  const pieces = batch.pieces.map((row) => pieceRecord(row, bytes));
  const nodes = batch.nodes.map((row) => nodeRecord(row, bytes));
  const requests = latestStates(batch.requests).map(requestRecord);
  return [
    JSON.stringify(frames),
    JSON.stringify(pieces),
    JSON.stringify(nodes),
    JSON.stringify(requests),
    bytes.join(),
    cleanText(batch.recorder.id, 200),
    JSON.stringify(cleanJson(batch.recorder.stats)),
  ];
}

/** One row per id: the last one given, except that pending never follows an end. */
function latestStates(rows: readonly RequestRow[]): RequestRow[] {
  const latest = new Map<string, RequestRow>();
  for (const row of rows) {
    const before = latest.get(row.id);
    if (before === undefined || before.outcome === 'pending' || row.outcome !== 'pending')
      latest.set(row.id, row);
  }
  return [...latest.values()];
}

function frameRecord(row: FrameRow, bytes: ByteColumn): Record<string, unknown> {
  return {
    request_id: checkedId(row.requestId, 'frame.requestId'),
    base: row.base === undefined ? undefined : checkedId(row.base, 'frame.base'),
    part: row.part,
    at: bytes.add(row.data),
    length: row.data.length,
  };
}

function pieceRecord(row: PieceRow, bytes: ByteColumn): Record<string, unknown> {
  return {
    week: checkedInteger(row.week, 'piece.week'),
    at: bytes.add(checkedHash(row.hash, 16, 'piece.hash')),
    request_id: checkedId(row.requestId, 'piece.requestId'),
    part: row.part,
    offset: checkedInteger(row.offset, 'piece.offset'),
    length: checkedInteger(row.length, 'piece.length'),
  };
}

/** A node for each message of each turn: short rows, and 64 bits tell the sequences of a week apart. */
const STORED_CHAIN_BYTES = 8;

/** Packed in the order the function reads: hash, parent, start of the strict and of the loose chain, recipe. */
function nodeRecord(row: NodeRow, bytes: ByteColumn): Record<string, unknown> {
  const at = bytes.add(checkedHash(row.hash, 16, 'node.hash'));
  bytes.add(checkedHash(row.parent ?? NO_PARENT, 16, 'node.parent'));
  bytes.add(checkedHash(row.strictChain, 16, 'node.strictChain').subarray(0, STORED_CHAIN_BYTES));
  bytes.add(checkedHash(row.looseChain, 16, 'node.looseChain').subarray(0, STORED_CHAIN_BYTES));
  bytes.add(row.recipe);
  return {
    week: checkedInteger(row.week, 'node.week'),
    depth: checkedInteger(row.depth, 'node.depth'),
    root: row.parent === undefined,
    at,
    length: row.recipe.length,
  };
}
