import type { RequestSummary } from '@claude-nexus/api-contract';

import { DashboardClient } from '../fixtures/dashboard-client.ts';
import { eventually } from './eventually.ts';
import { forward } from './pods.ts';
import { secretOf } from './secrets.ts';
import type { RealCluster } from './real-cluster.ts';

/** A gateway by the names of its namespace and resource. */
export interface GatewayName {
  readonly namespace: string;
  readonly name: string;
}

/** What the books lack, and what they have too much, by `request-id`. */
export interface Differences {
  /** Answers that clients got to the end and that are not stored as completed. */
  readonly lost: readonly string[];
  /** Completed exchanges of which no client got the answer. */
  readonly extra: readonly string[];
}

const SETTLE_SECONDS = 45;

/** Uses the API of a gateway's dashboard with the key of its Secret. */
export async function withDashboard<T>(
  real: RealCluster,
  { namespace, name }: GatewayName,
  use: (dashboard: DashboardClient) => Promise<T>,
): Promise<T> {
  const keys = await secretOf(real, namespace, `${name}-keys`);
  const { url, close } = await forward(real, namespace, `service/${name}-dashboard`, 3001);
  try {
    return await use(new DashboardClient(url, keys['dashboard-api-key'] ?? ''));
  } finally {
    await close();
  }
}

/**
 * Compares what clients received with what is stored; waits for what is on its way.
 *
 * @param books `answers` since a moment, `known` all there ever were, `from` before the start of the oldest of them
 * @param expectedLost so many answers shall be missing
 * @throws Error when the dashboard shows no books
 */
export async function compareBooks(
  dashboard: DashboardClient,
  books: { answers: readonly string[]; known: () => readonly string[]; from: Date },
  expectedLost = 0,
): Promise<Differences> {
  let seen: Differences | undefined;
  let refusal: unknown;
  const compare = async (): Promise<true | undefined> => {
    const rows = await dashboard.allRows(`&from=${books.from.toISOString()}`).catch((error: unknown) => {
      // Its database may have come back just now.
      refusal = error;
    });
    if (rows === undefined) return undefined;
    seen = differences(rows, books.answers, new Set(books.known()));
    return (seen.lost.length === expectedLost && seen.extra.length === 0) || undefined;
  };
  await eventually('the books to agree', compare, SETTLE_SECONDS).catch(() => undefined);
  if (seen === undefined) throw new Error('the books could not be read', { cause: refusal });
  return seen;
}

function differences(
  rows: readonly RequestSummary[],
  answers: readonly string[],
  known: ReadonlySet<string>,
): Differences {
  const completed = rows.filter(({ outcome }) => outcome === 'completed');
  const stored = new Set(completed.map(({ upstreamRequestId }) => upstreamRequestId ?? ''));
  return {
    lost: answers.filter((id) => !stored.has(id)),
    extra: [...stored].filter((id) => !known.has(id)),
  };
}
