import type { Random } from './clock.ts';
import { ApiError } from './errors.ts';

export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  readonly random: Random;
}

/** Doubles with every failure up to a maximum, half to one and a half times that at random, and never less than the server asks. */
export function backoffMs(failures: number, error: unknown, options: BackoffOptions): number {
  const exponential = Math.min(options.maxMs, options.firstMs * 2 ** Math.min(failures, 30));
  const jittered = Math.min(options.maxMs, exponential * (0.5 + options.random()));
  return Math.max(jittered, retryAfterMs(error));
}

/** What the server asks to wait, 0 if nothing. */
export function retryAfterMs(error: unknown): number {
  return error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
}
