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

/** Calls the API at an address relative to the document's base and returns the JSON answer; throws ApiError. */
export async function fetchJson<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await fetch(new URL(path, document.baseURI), init);
  if (response.status === 204) return undefined as T;
  if (response.ok) return (await response.json()) as T;
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  const retryAfter = Number(response.headers.get('retry-after'));
  throw new ApiError(response.status, problem, retryAfter > 0 ? retryAfter : null);
}
