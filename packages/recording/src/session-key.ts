import { headerValue } from './headers.ts';
import type { StoredHeaders } from './journal/types.ts';

/** Requests with the same key are likely to share a prefix; a wrong guess costs time, never correctness. */
export function sessionKeyOf({ scope, headers }: { scope: string; headers: StoredHeaders }): string {
  const session = headerValue(headers, 'x-claude-code-session-id') ?? '';
  const agent = headerValue(headers, 'x-claude-code-agent-id') ?? '';
  return `${scope}\n${session}\n${agent}`;
}
