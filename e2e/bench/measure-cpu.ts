import { setTimeout as delay } from 'node:timers/promises';

import { BenchClient } from './client.ts';
import type { Load, LoadRound } from './loads.ts';
import { makeRound } from './loads.ts';
import type { RequestFactory } from './requests.ts';
import type { Recording, Target } from './targets.ts';

/** CPU of one load, by target: microseconds per request, the median of the rounds. */
export interface CpuResult {
  readonly load: Load;
  readonly cpuUs: ReadonlyMap<string, number>;
  /** PostgreSQL's share beside the recording proxy. */
  readonly databaseUs: number | undefined;
  /** Where the recording proxy's share went, by name of thread. */
  readonly threadUs: ReadonlyMap<string, number>;
}

interface Round {
  cpuUs: number | undefined;
  databaseUs: number | undefined;
  threadUs: Record<string, number>;
}

const DRAIN_POLL_MS = 20;
const DRAIN_MS = 120_000;

class NotRecordedError extends Error {
  readonly code = 'NEXUS_BENCH_NOT_RECORDED';
}

/** The recording proxy's books: a round is over when all that was sent is in the database and counted. */
export class Ledger {
  readonly #recording: Recording;
  #sent = 0;

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  add(requests: number): void {
    this.#sent += requests;
  }

  async settled(): Promise<void> {
    const deadline = Date.now() + DRAIN_MS;
    for (;;) {
      const counted = await this.#recording.counted();
      if (counted === this.#sent) return;
      if (counted > this.#sent || Date.now() > deadline)
        throw new NotRecordedError(`${this.#sent} requests were answered, ${counted} are recorded`);
      await delay(DRAIN_POLL_MS);
    }
  }
}

/** Measures one load on all targets, round by round in turn; the first round warms up. */
export async function measureCpu(
  load: Load,
  options: {
    targets: readonly Target[];
    ledger: Ledger;
    factory: RequestFactory;
    rounds: number;
    share: number;
  },
): Promise<CpuResult> {
  const { targets, ledger, factory, rounds, share } = options;
  const figures = new Map<string, Round[]>(targets.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    const requests = makeRound(load, factory, load.requests * (round < 0 ? share / 2 : share));
    for (const target of inTurn(targets, round)) {
      const figure = await measureRound(target, requests, ledger);
      if (round >= 0) figures.get(target.name)?.push(figure);
    }
  }
  const of = (name: string, key: 'cpuUs' | 'databaseUs'): number | undefined =>
    median((figures.get(name) ?? []).map((figure) => figure[key]));
  const cpuUs = new Map<string, number>();
  for (const { name } of targets) {
    const figure = of(name, 'cpuUs');
    if (figure !== undefined) cpuUs.set(name, figure);
  }
  const recorder = targets.find(({ recording }) => recording !== undefined);
  const recorded = figures.get(recorder?.name ?? '') ?? [];
  const threads = new Set(recorded.flatMap(({ threadUs }) => Object.keys(threadUs)));
  const threadUs = [...threads].map((name): [string, number] => [
    name,
    median(recorded.map((figure) => figure.threadUs[name])) ?? 0,
  ]);
  const databaseUs = recorder && of(recorder.name, 'databaseUs');
  return { load, cpuUs, databaseUs, threadUs: new Map(threadUs) };
}

/** Nobody is always the first, who finds the caches cold. */
function inTurn(targets: readonly Target[], round: number): Target[] {
  const first = Math.max(0, round) % targets.length;
  return [...targets.slice(first), ...targets.slice(0, first)];
}

async function measureRound(target: Target, round: LoadRound, ledger: Ledger): Promise<Round> {
  const count = countOf(round.measured);
  const clients = round.measured.map(() => new BenchClient(target.port));
  await send(clients, round.opening);
  if (target.recording !== undefined) {
    ledger.add(countOf(round.opening));
    await ledger.settled();
  }
  const database = await target.recording?.databaseCpuUs();
  const before = await target.use();
  await send(clients, round.measured);
  if (target.recording !== undefined) {
    ledger.add(count);
    await ledger.settled();
  }
  const after = await target.use();
  const databaseAfter = await target.recording?.databaseCpuUs();
  for (const client of clients) client.close();
  const threadUs: Record<string, number> = {};
  for (const [name, us] of Object.entries(after?.threads ?? {}))
    threadUs[name] = (us - (before?.threads[name] ?? 0)) / count;
  return {
    threadUs,
    cpuUs: after && before && (after.cpuUs - before.cpuUs) / count,
    databaseUs:
      databaseAfter === undefined || database === undefined ? undefined : (databaseAfter - database) / count,
  };
}

function countOf(queues: LoadRound['measured']): number {
  return queues.reduce((sum, queue) => sum + queue.length, 0);
}

async function send(clients: readonly BenchClient[], queues: LoadRound['measured']): Promise<void> {
  await Promise.all(
    queues.map(async (queue, index) => {
      for (const request of queue) await clients[index]?.exchange(request);
    }),
  );
}

export function median(values: readonly (number | undefined)[]): number | undefined {
  const sorted = values.filter((value) => value !== undefined).toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
