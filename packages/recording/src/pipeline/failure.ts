/**
 * What a failed batch means for the recorder.
 *
 * - `outage`: the database cannot take anything now (down, unreachable, read-only, full, wrong schema):
 *   keep everything in the spool and try again later.
 * - `retry`: the same batch will probably pass (deadlock, serialisation, lock timeout).
 * - `stale-memory`: the recorder believed something is stored that is not: forget and cut again.
 * - `bad-record`: something in the batch itself is refused: bisect, quarantine what is left.
 */
export const FAILURES = ['outage', 'retry', 'stale-memory', 'bad-record'] as const;
export type Failure = (typeof FAILURES)[number];

/** SQLSTATE (PostgreSQL appendix A) of states that no change of the batch could mend. */
const OUTAGE_CODES = new Set(['25006', '42501', '42883', '42P01', '3D000', '3F000', '58030', '0LP01']);
const OUTAGE_CLASSES = new Set(['08', '28', '53']);
const RETRY_CODES = new Set(['40001', '40P01', '55P03', '57014']);
/** 57P01..57P05: shutdown, crash, starting up, dropped, idle timeout. */
const SHUTDOWN_PREFIX = '57P';

const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** Of the above, those that a record may have caused by ending the process that was to write it. */
const LOST_CONNECTION_CODES = new Set(['ECONNRESET', 'EPIPE']);

/**
 * Classifies an error thrown while a batch was written.
 * Errors without any code of PostgreSQL, the socket or ours come from `pg` when a connection ends under a
 * query ("Connection terminated unexpectedly") or says nothing any more ("Query read timeout"), or from our own
 * code; the message tells them apart.
 */
export function classifyFailure(error: unknown): Failure {
  const { code, message } = describe(error);
  if (code === 'NEXUS_MISSING_NODE') return 'stale-memory';
  if (code === 'NEXUS_SCHEMA_UNFIT' || code === 'NEXUS_SCHEMA_MISSING') return 'outage';
  if (code === undefined)
    return /connection|connect\b|terminat|timeout/i.test(message) ? 'outage' : 'bad-record';
  if (SOCKET_CODES.has(code) || OUTAGE_CODES.has(code) || code.startsWith(SHUTDOWN_PREFIX)) return 'outage';
  if (OUTAGE_CLASSES.has(code.slice(0, 2)) && code.length === 5) return 'outage';
  if (RETRY_CODES.has(code)) return 'retry';
  return 'bad-record';
}

/**
 * Whether an error may be the fault of the record it met: the database refused it, or the connection was lost under
 * it. What the database says of itself (a full disk, read-only, missing rights) is never held against a record.
 */
export function mayBlameRecord(error: unknown): boolean {
  if (classifyFailure(error) !== 'outage') return true;
  const { code } = describe(error);
  return code === undefined || LOST_CONNECTION_CODES.has(code) || /^(?:08|57P)/v.test(code);
}

function describe(error: unknown): { code: string | undefined; message: string } {
  if (!(error instanceof Error)) return { code: undefined, message: String(error) };
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string') return { code, message: error.message };
  // A dual-stack connect fails with an AggregateError whose parts carry the code.
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  return { code: undefined, message: error.message };
}
