import { constants, zstdCompressSync } from 'node:zlib';

import { answerText } from './answers.ts';
import { BenchClient } from './client.ts';
import type { Ledger } from './measure-cpu.ts';
import type { RequestFactory } from './requests.ts';
import type { Target } from './targets.ts';

/** What 40-turn sessions take, in bytes per session. */
export interface StorageResult {
  readonly sessions: number;
  /** Request bodies and answers as they were on the wire. */
  readonly rawBytes: number;
  /** zstd -3 of the session's distinct content: its last body and last answer. */
  readonly distinctBytes: number;
  /** Growth of the tables, indexes included, by table. */
  readonly tables: ReadonlyMap<string, number>;
}

const TURNS = 40;
/** 73 KB growing to 401 KB. */
const SHAPE = { bytes: 73_000, growth: 8400, stream: true };
const ANSWER = { mode: 'burst', deltas: 120, paceMs: 0 } as const;
const AT_ONCE = 4;

/** Sends whole sessions through the recording proxy and looks at how much its database grows. */
export async function measureStorage(
  target: Target,
  options: { factory: RequestFactory; ledger: Ledger; sessions: number },
): Promise<StorageResult | undefined> {
  const { factory, ledger, sessions } = options;
  const { recording } = target;
  if (recording === undefined) return undefined;
  let rawBytes = 0;
  let distinctBytes = 0;
  const before = await recording.storedBytes();
  const play = async (): Promise<void> => {
    const session = factory.session(SHAPE);
    const client = new BenchClient(target.port);
    for (let turn = 1; turn <= TURNS; turn++) {
      const request = factory.turn(session, ANSWER);
      await client.exchange(request);
      rawBytes += request.body.length + request.answerBytes;
      if (turn < TURNS) continue;
      const distinct = Buffer.concat([request.body, Buffer.from(answerText(factory.pool, request.order))]);
      distinctBytes += zstdCompressSync(distinct, {
        params: { [constants.ZSTD_c_compressionLevel]: 3 },
      }).length;
    }
    client.close();
    ledger.add(TURNS);
  };
  for (let done = 0; done < sessions; done += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, sessions - done) }, play));
  }
  await ledger.settled();
  const after = await recording.storedBytes();
  const growth = [...after].map(([table, bytes]): [string, number] => [
    table,
    (bytes - (before.get(table) ?? 0)) / sessions,
  ]);
  return {
    sessions,
    rawBytes: rawBytes / sessions,
    distinctBytes: distinctBytes / sessions,
    tables: new Map(growth.filter(([, bytes]) => bytes !== 0).toSorted((a, b) => b[1] - a[1])),
  };
}
