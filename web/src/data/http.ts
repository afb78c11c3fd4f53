import type { Problem } from '@claude-nexus/api-contract';

/** An answer of the API that is not a success; `problem` is what the server said of it. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  /** Seconds after which another try makes sense. */
  readonly retryAfter: number | null;

  constructor(status: number, problem: Partial<Problem>, retryAfter: number | null) {
    super(problem.detail ?? problem.title ?? `The server answered ${status}.`);
    this.status = status;
    this.code = problem.code ?? 'NEXUS_UNKNOWN';
    this.retryAfter = retryAfter;
  }
}

/** A server that is stuck is as good as one that is down; a large request takes a second or two. */
const TIMEOUT_MS = 20_000;

/** Calls the API at an address relative to the document's base and returns the JSON answer; throws ApiError, or what fetch throws. */
export async function fetchJson<T>(path: string, init: RequestInit = {}): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
  const response = await fetch(new URL(path, document.baseURI), { ...init, signal });
  if (response.status === 204) return undefined as T;
  if (response.ok) return (await response.json()) as T;
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  const retryAfter = Number(response.headers.get('retry-after'));
  throw new ApiError(response.status, problem, retryAfter > 0 ? retryAfter : null);
}
