import type { BenchSession, BodyShape } from './bodies.ts';
import type { AnswerShape, BenchRequest, RequestFactory } from './requests.ts';

/** One kind of work. */
export interface Load {
  readonly name: string;
  readonly shape: BodyShape;
  readonly answer: AnswerShape;
  /** Requests at once. */
  readonly concurrency: number;
  /** Requests of one measured round of the default run. */
  readonly requests: number;
  /** `first`: no two bodies share content. `turn`: later turns of sessions the gateway has seen. */
  readonly sight: 'first' | 'turn';
}

const JSON_1K: Pick<Load, 'shape' | 'answer' | 'concurrency'> = {
  shape: { bytes: 1000, growth: 300, stream: false },
  answer: { mode: 'json', deltas: 0, paceMs: 0 },
  concurrency: 32,
};
const BURST: AnswerShape = { mode: 'burst', deltas: 200, paceMs: 0 };
const STREAM: AnswerShape = { mode: 'stream', deltas: 200, paceMs: 0 };
const KB_76: BodyShape = { bytes: 76_000, growth: 3000, stream: true };
const KB_300: BodyShape = { bytes: 300_000, growth: 8000, stream: true };
const MB_2: BodyShape = { bytes: 2_000_000, growth: 8000, stream: true };

/** Not measured: a gateway runs for days, so what is compared is compiled code. */
export const WARM_UP: readonly Load[] = [
  {
    name: 'warm-up',
    shape: { bytes: 24_000, growth: 4000, stream: true },
    answer: BURST,
    concurrency: 16,
    // V8 goes on compiling for some ten thousand of them.
    requests: 6400,
    sight: 'turn',
  },
  { name: 'warm-up', ...JSON_1K, requests: 1600, sight: 'first' },
];

const AT_16: Pick<Load, 'shape' | 'concurrency'> = { shape: KB_76, concurrency: 16 };
const AT_8: Pick<Load, 'shape' | 'concurrency'> = { shape: KB_300, concurrency: 8 };
const AT_4: Pick<Load, 'shape' | 'concurrency'> = { shape: MB_2, concurrency: 4 };

/**
 * Loads whose CPU is measured. The API writes each delta by itself, and a relay then has most of its work with them; in
 * one write they cost next to nothing, which shows what recording costs.
 */
export const LOADS: readonly Load[] = [
  { name: '1 KB JSON', ...JSON_1K, requests: 1600, sight: 'first' },
  { name: '1 KB JSON', ...JSON_1K, requests: 1600, sight: 'turn' },
  { name: '76 KB, 200 deltas', ...AT_16, answer: STREAM, requests: 160, sight: 'first' },
  { name: '76 KB, 200 deltas', ...AT_16, answer: STREAM, requests: 160, sight: 'turn' },
  {
    name: '76 KB, 200 deltas, paced',
    ...AT_16,
    answer: { ...STREAM, paceMs: 5 },
    requests: 32,
    sight: 'turn',
  },
  { name: '76 KB, in one write', ...AT_16, answer: BURST, requests: 480, sight: 'turn' },
  { name: '300 KB, 200 deltas', ...AT_8, answer: STREAM, requests: 96, sight: 'first' },
  { name: '300 KB, 200 deltas', ...AT_8, answer: STREAM, requests: 160, sight: 'turn' },
  { name: '300 KB, in one write', ...AT_8, answer: BURST, requests: 320, sight: 'turn' },
  { name: '2 MB, 200 deltas', ...AT_4, answer: STREAM, requests: 12, sight: 'first' },
  { name: '2 MB, 200 deltas', ...AT_4, answer: STREAM, requests: 80, sight: 'turn' },
  { name: '2 MB, in one write', ...AT_4, answer: BURST, requests: 80, sight: 'turn' },
];

/** Turns measured of one session, so that its bodies do not grow far beyond the size the load is named after. */
const TURNS = 10;

/** Requests by connection, in the order in which they are to be sent. */
export interface LoadRound {
  /** The first turns of the sessions, not measured; empty for `first`. */
  readonly opening: readonly (readonly BenchRequest[])[];
  readonly measured: readonly (readonly BenchRequest[])[];
}

/** One round of a load with so many measured requests, about; no two rounds share content. */
export function makeRound(load: Load, factory: RequestFactory, requests: number): LoadRound {
  const { concurrency, answer, shape, sight } = load;
  const each = Math.max(1, Math.round(requests / concurrency));
  const connections = Array.from({ length: concurrency }, () => {
    const opening: BenchRequest[] = [];
    const measured: BenchRequest[] = [];
    let session: BenchSession | undefined;
    while (measured.length < each) {
      if (session === undefined || sight === 'first' || measured.length % TURNS === 0) {
        session = factory.session(shape);
        if (sight === 'turn') opening.push(factory.turn(session, answer));
      }
      measured.push(factory.turn(session, answer));
    }
    return { opening, measured };
  });
  return {
    opening: connections.map(({ opening }) => opening),
    measured: connections.map(({ measured }) => measured),
  };
}
