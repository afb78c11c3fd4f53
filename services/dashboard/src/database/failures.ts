import { DatabaseUnavailableError, HttpProblemError, QueryTooSlowError } from '../errors.ts';

/** SQLSTATE of a statement cancelled by its timeout. */
const QUERY_CANCELED = '57014';

/**
 * SQLSTATE classes and states that mean "not now, or not here": no connection (08), refused login (28), no such
 * database (3D), closed to connections (55000), no resources (53), shutting down or starting (57P), no schema or
 * rights yet (3F, 42P01, 42501).
 */
const UNAVAILABLE_STATES = /^(08|28|3D|53|55000$|57P|3F|42P01$|42501$)/;

/** What Node and pg say when the network or the server is gone; pg's own errors carry no code. */
const UNAVAILABLE_CODES =
  /^(ECONN|ENOTFOUND|EAI_|ETIMEDOUT|EPIPE|EHOST|ENET|ENOENT|EACCES|CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED)/;
const UNAVAILABLE_MESSAGES =
  /connection terminated|timeout exceeded when trying to connect|cannot use a pool|not queryable/i;

/** The error of a database call as the answer it amounts to; anything unforeseen stays as it is. */
export function databaseFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof HttpProblemError) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === QUERY_CANCELED) return new QueryTooSlowError({ cause: error });
  const unavailable =
    UNAVAILABLE_STATES.test(code) || UNAVAILABLE_CODES.test(code) || UNAVAILABLE_MESSAGES.test(error.message);
  return unavailable ? new DatabaseUnavailableError({ cause: error }) : error;
}

/** Runs a database call with its errors as `databaseFailure` has them. */
export async function orFailure<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw databaseFailure(error);
  }
}
