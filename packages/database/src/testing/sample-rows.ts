import { createHash } from 'node:crypto';

import { createIdFactory, uuidTime, weekOf } from '@claude-nexus/domain';

import type { CommitBatch, FrameRow, NodeRow, PieceRow, RequestRow } from '../rows.ts';

/** 16 bytes that depend on a text only. */
export function sampleHash(text: string): Buffer {
  return createHash('sha256').update(text).digest().subarray(0, 16);
}

/** Ids of the present, or of the given instant. */
export function sampleIds(at: () => number = Date.now): () => string {
  let count = 0;
  return createIdFactory({
    now: at,
    random: (size) => {
      count += 1;
      return createHash('sha256').update(`random ${process.pid} ${count}`).digest().subarray(0, size);
    },
  });
}

/** A finished request without bodies. */
export function sampleRequest(change: Partial<RequestRow> & { id: string }): RequestRow {
  return {
    startedAt: uuidTime(change.id),
    method: 'POST',
    path: '/v1/messages?beta=true',
    domain: 'api.example.test',
    scope: 'domain:api.example.test',
    accountId: 'team-a',
    kind: 'main',
    outcome: 'completed',
    status: 200,
    model: 'claude-sonnet-4-5',
    streaming: true,
    requestForm: 'none',
    requestLength: 1000,
    responseForm: 'none',
    responseLength: 500,
    recorderId: 'recorder-1',
    ...change,
  };
}

/** Usage with every count given by one number, so that sums are easy to check. */
export function sampleUsage(count: number): NonNullable<RequestRow['usage']> {
  return {
    inputTokens: count,
    outputTokens: count * 2,
    cacheReadTokens: count * 3,
    cacheWrite5mTokens: count * 4,
    cacheWrite1hTokens: count * 5,
    webSearchRequests: count * 6,
    webFetchRequests: count * 7,
    thinkingTokens: count * 8,
  };
}

/** A batch of only what is given. */
export function sampleBatch(change: Partial<CommitBatch>): CommitBatch {
  return {
    frames: [],
    pieces: [],
    nodes: [],
    requests: [],
    recorder: { id: 'recorder-1', stats: {} },
    ...change,
  };
}

/** A frame of one request that holds the given pieces one after the other. */
export function sampleFrame(
  requestId: string,
  contents: readonly string[],
): { frame: FrameRow; pieces: PieceRow[] } {
  const week = weekOf(uuidTime(requestId));
  let offset = 0;
  const pieces = contents.map((text): PieceRow => {
    const length = Buffer.byteLength(text);
    const piece = { week, hash: sampleHash(text), requestId, part: 0, offset, length } as const;
    offset += length;
    return piece;
  });
  return { frame: { requestId, part: 0, data: Buffer.from(contents.join('')) }, pieces };
}

/** Nodes of one path through the tree, first message first. */
export function samplePath(week: number, messages: readonly string[]): NodeRow[] {
  const nodes: NodeRow[] = [];
  for (const [depth, message] of messages.entries()) {
    const parent = nodes.at(-1)?.hash;
    const hash = sampleHash(`${parent?.toString('hex') ?? ''}/${message}`);
    nodes.push({
      week,
      hash,
      parent,
      depth,
      strictChain: sampleHash(`strict ${message}`),
      looseChain: sampleHash(`loose ${message}`),
      recipe: Buffer.from(`recipe of ${message}`),
    });
  }
  return nodes;
}
