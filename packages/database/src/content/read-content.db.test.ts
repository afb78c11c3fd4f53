import { uuidTime, weekOf } from '@claude-nexus/domain';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { openPool } from '../connection/open-pool.ts';
import { commitExchanges } from '../ingest/commit-exchanges.ts';
import type { FrameRow } from '../rows.ts';
import { createTestDatabase } from '../testing/create-test-database.ts';
import type { TestDatabase } from '../testing/create-test-database.ts';
import { sampleBatch, sampleFrame, sampleHash, sampleIds, samplePath } from '../testing/sample-rows.ts';
import { findPieces } from './find-pieces.ts';
import { readFrames } from './read-frames.ts';
import { readRecipeChain } from './read-recipe-chain.ts';

let database: TestDatabase;
let writer: Pool;
let reader: Pool;
const nextId = sampleIds();
const [first, second] = [nextId(), nextId()];
const week = weekOf(uuidTime(first));

beforeAll(async () => {
  database = await createTestDatabase();
  const options = { max: 2, applicationName: 'test', statementTimeoutMs: 20_000 };
  writer = openPool({ ...options, url: database.writerUrl, role: 'nexus_writer' });
  reader = openPool({ ...options, url: database.readerUrl, role: 'nexus_reader' });
  const a = sampleFrame(first, ['one', 'two']);
  const b = sampleFrame(second, ['two', 'three']);
  const big = { requestId: second, part: 1, data: Buffer.alloc(3_000_000, 'abc\0\u{ff}') } as const;
  await commitExchanges(
    writer,
    sampleBatch({ frames: [a.frame, b.frame, big], pieces: [...a.pieces, ...b.pieces] }),
  );
});
afterAll(async () => {
  await reader.end();
  await writer.end();
  await database.drop();
});

function basedFrame(requestId: string, base?: string): FrameRow {
  return { ...sampleFrame(requestId, [requestId]).frame, ...(base !== undefined && { base }) };
}

it('readRecipeChain gives the recipes of a path, first message first, and of no other', async () => {
  const trunk = Array.from({ length: 500 }, (_, index) => `message ${index}`);
  const left = samplePath(week, [...trunk, 'left']);
  const right = samplePath(week, [...trunk, 'right', 'further']);
  await commitExchanges(writer, sampleBatch({ nodes: [...left, ...right] }));
  const leaf = right.at(-1)?.hash ?? Buffer.alloc(0);
  const recipes = await readRecipeChain(reader, { week, hash: leaf });
  expect(recipes.map(String)).toEqual(
    [...trunk, 'right', 'further'].map((message) => `recipe of ${message}`),
  );
  expect(await readRecipeChain(reader, { week: week + 1, hash: leaf })).toEqual([]);
});

it('findPieces tells where the first copy of each piece is', async () => {
  const found = await findPieces(reader, { week, hashes: ['three', 'two', 'unknown'].map(sampleHash) });
  expect(found.toSorted((a, b) => a.length - b.length)).toEqual([
    { week, hash: sampleHash('two'), requestId: first, part: 0, offset: 3, length: 3 },
    { week, hash: sampleHash('three'), requestId: second, part: 0, offset: 3, length: 5 },
  ]);
  expect(await findPieces(reader, { week, hashes: [] })).toEqual([]);
});

it('readFrames gives exact bytes, each frame once', async () => {
  const keys = [
    { requestId: second, part: 1 },
    { requestId: first, part: 0 },
    { requestId: second, part: 1 },
    { requestId: first, part: 1 },
  ] as const;
  const found = (await readFrames(reader, keys)).toSorted((a, b) => a.data.length - b.data.length);
  expect(found.map(({ requestId, part }) => [requestId, part])).toEqual([
    [first, 0],
    [second, 1],
  ]);
  expect(String(found[0]?.data)).toBe('onetwo');
  expect(found[1]?.data.equals(Buffer.alloc(3_000_000, 'abc\0\u{ff}'))).toBe(true);
  expect(await readFrames(reader, [])).toEqual([]);
});

it('readFrames gives the frames that frames are based on too, each once', async () => {
  const ids = Array.from({ length: 5 }, nextId) as [string, string, string, string, string];
  const [root, left, leftLeaf, right, stranger] = ids;
  const frames = [
    basedFrame(root),
    basedFrame(left, root),
    basedFrame(leftLeaf, left),
    basedFrame(right, root),
    basedFrame(stranger),
  ];
  await commitExchanges(writer, sampleBatch({ frames }));
  const found = await readFrames(reader, [
    { requestId: leftLeaf, part: 0 },
    { requestId: right, part: 0 },
    { requestId: root, part: 0 },
  ]);
  const byId = found.toSorted((a, b) => ids.indexOf(a.requestId) - ids.indexOf(b.requestId));
  expect(byId).toEqual(frames.slice(0, 4));
});
