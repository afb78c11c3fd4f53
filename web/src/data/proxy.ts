import type { ProxyStatus } from '@claude-nexus/api-contract';
import { fetchJson } from './http.ts';

/** Where clients connect, and whether that address answers. */
export async function readProxy(signal?: AbortSignal): Promise<ProxyStatus> {
  return await fetchJson<ProxyStatus>('api/proxy', signal ? { signal } : {});
}
