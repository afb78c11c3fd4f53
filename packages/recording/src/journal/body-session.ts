import { headerValue } from '../headers.ts';
import { sessionKeyOf } from '../session-key.ts';
import type { BeginMeta } from '../types.ts';

/** Smaller ones cost less to write than to remember. */
const LEAST_BODY_BYTES = 32 * 1024;
/** Larger ones are not remembered. */
const MOST_BODY_BYTES = 16 * 1024 * 1024;

/** What makes a body worth comparing with another: `session` names those that are likely to share most of it. */
export interface BodySession {
  session: string;
  /** Of the body, in bytes, as announced. */
  length: number;
}

/** undefined where the body is written in full and forgotten. */
export function bodySession({ headers, scope, recordBody }: BeginMeta): BodySession | undefined {
  if (!recordBody) return undefined;
  const length = Number(headerValue(headers, 'content-length'));
  if (!(length >= LEAST_BODY_BYTES && length <= MOST_BODY_BYTES)) return undefined;
  if (headerValue(headers, 'x-claude-code-session-id') === undefined) return undefined;
  return { session: sessionKeyOf({ scope, headers }), length };
}
