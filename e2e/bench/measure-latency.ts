import { setTimeout as delay } from 'node:timers/promises';

import { BenchClient } from './client.ts';
import type { Ledger } from './measure-cpu.ts';
import { median } from './measure-cpu.ts';
import type { RequestFactory } from './requests.ts';
import type { StandIn, Target } from './targets.ts';

/** What a target adds to the time without a proxy, in milliseconds: medians over slices of the run. */
export interface LatencyResult {
  readonly target: string;
  readonly firstByte: Percentiles;
  readonly gap: Percentiles;
}

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

const SHAPE = { bytes: 76_000, growth: 3000, stream: true };
const ANSWER = { mode: 'stream', deltas: 24, paceMs: 10 } as const;
const STREAMS = 16;
const TURNS = 8;
/** Streams of one client begin apart, and pause, so that nothing is near saturation. */
const PAUSE_MS = 60;

/**
 * Time to the first byte and between deltas with 16 paced streams, the targets in turn, slice by slice: a moment in
 * which the machine was busy with something else then spoils one slice.
 *
 * @param direct the upstream itself, to which the others are compared
 */
export async function measureLatency(
  direct: Target,
  targets: readonly Target[],
  options: { factory: RequestFactory; ledger: Ledger; slices: number },
): Promise<LatencyResult[]> {
  const added = targets.map((): Added => ({ first50: [], first99: [], gap50: [], gap99: [] }));
  for (let slice = 0; slice < options.slices; slice++) {
    const base = await measureSlice(direct, options);
    for (const [index, target] of targets.entries()) {
      const { firstByte, gap } = await measureSlice(target, options);
      const of = added[index] as Added;
      of.first50.push(firstByte.p50 - base.firstByte.p50);
      of.first99.push(firstByte.p99 - base.firstByte.p99);
      of.gap50.push(gap.p50 - base.gap.p50);
      of.gap99.push(gap.p99 - base.gap.p99);
    }
  }
  return targets.map(({ name }, index) => {
    const { first50, first99, gap50, gap99 } = added[index] as Added;
    return {
      target: name,
      firstByte: { p50: middle(first50), p99: middle(first99) },
      gap: { p50: middle(gap50), p99: middle(gap99) },
    };
  });
}

type Added = Record<'first50' | 'first99' | 'gap50' | 'gap99', number[]>;

function middle(values: readonly number[]): number {
  return median(values) ?? Number.NaN;
}

async function measureSlice(
  target: Target,
  { factory, ledger }: { factory: RequestFactory; ledger: Ledger },
): Promise<{ firstByte: Percentiles; gap: Percentiles }> {
  const firstBytes: number[] = [];
  const gaps: number[] = [];
  const lanes = Array.from({ length: STREAMS }, () => {
    const session = factory.session(SHAPE);
    return Array.from({ length: TURNS }, () => factory.turn(session, ANSWER));
  });
  await Promise.all(
    lanes.map(async (requests, lane) => {
      const client = new BenchClient(target.port);
      await delay((lane * (ANSWER.deltas * ANSWER.paceMs + PAUSE_MS)) / STREAMS);
      for (const [turn, request] of requests.entries()) {
        const timing = await client.exchange(request);
        // The first turn opens connections.
        if (turn > 0) {
          firstBytes.push(timing.firstByteMs);
          gaps.push(...timing.gapsMs);
        }
        await delay(PAUSE_MS);
      }
      client.close();
    }),
  );
  if (target.recording !== undefined) {
    ledger.add(STREAMS * TURNS);
    await ledger.settled();
  }
  return { firstByte: percentiles(firstBytes), gap: percentiles(gaps) };
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** Milliseconds from a client's leaving to the upstream's learning of it, the slowest of a few. */
export interface AbortResult {
  readonly target: string;
  readonly uploadMs: number;
  readonly beforeHeadMs: number;
  readonly midStreamMs: number;
}

const ABORTS = 8;
/** In the middle of the upload, while the upstream is silent, and within its answer. */
const ABORT_PHASES = ['upload', 'head', 'stream'] as const;
type AbortPhase = (typeof ABORT_PHASES)[number];

/** How soon the upstream learns that a client has left. */
export async function measureAborts(
  targets: readonly Target[],
  options: { factory: RequestFactory; ledger: Ledger; standIn: StandIn },
): Promise<AbortResult[]> {
  const { factory, ledger, standIn } = options;
  const waiting = new Map<string, (at: bigint) => void>();
  standIn.onNotice(({ type, seed, at }) => waiting.get(`${type} ${seed}`)?.(BigInt(at)));
  const notice = (type: string, seed: number): Promise<bigint> =>
    new Promise((resolve) => {
      waiting.set(`${type} ${seed}`, resolve);
    });
  const leave = async (target: Target, phase: AbortPhase): Promise<number> => {
    const answer = { mode: phase === 'stream' ? 'stream' : 'silent', deltas: 1000, paceMs: 20 } as const;
    const request = factory.turn(factory.session(SHAPE), answer);
    const client = new BenchClient(target.port);
    const { seed } = request.order;
    const left = notice('left', seed);
    if (phase === 'upload') {
      const begun = notice('begun', seed);
      client.sendHalf(request);
      await begun;
    } else if (phase === 'head') {
      const received = notice('received', seed);
      void client.firstBytes(request);
      await received;
    } else {
      await client.firstBytes(request);
    }
    await delay(50);
    const at = process.hrtime.bigint();
    client.close();
    return Number((await left) - at) / 1e6;
  };
  const results: AbortResult[] = [];
  for (const target of targets) {
    const slowest = { upload: 0, head: 0, stream: 0 };
    for (let i = 0; i < ABORTS; i++) {
      for (const phase of ABORT_PHASES) slowest[phase] = Math.max(slowest[phase], await leave(target, phase));
    }
    if (target.recording !== undefined) {
      ledger.add(ABORT_PHASES.length * ABORTS);
      await ledger.settled();
    }
    results.push({
      target: target.name,
      uploadMs: slowest.upload,
      beforeHeadMs: slowest.head,
      midStreamMs: slowest.stream,
    });
  }
  return results;
}
