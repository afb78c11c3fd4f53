import type { SessionStatus } from '@claude-nexus/api-contract';
import { fetchJson } from './http.ts';

/** Whether this browser is logged in. */
export async function readSession(): Promise<SessionStatus> {
  return await fetchJson<SessionStatus>('api/session');
}

/** Logs in with the dashboard key; throws ApiError 401 for a wrong one, 429 after too many. */
export async function login(key: string): Promise<SessionStatus> {
  return await fetchJson<SessionStatus>('api/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key }),
  });
}

export async function logout(): Promise<void> {
  await fetchJson('api/session', { method: 'DELETE' });
}
