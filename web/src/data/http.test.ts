import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fetchJson } from './http.ts';

function answer(status: number, body: unknown, headers: Record<string, string> = {}): void {
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify(body), { status, headers }));
}

describe('fetchJson', () => {
  beforeEach(() => {
    const base = document.createElement('base');
    base.href = 'http://x/nexus/';
    document.head.replaceChildren(base);
  });
  afterEach(() => vi.unstubAllGlobals());

  it('asks below the base of the document', async () => {
    const asked: string[] = [];
    vi.stubGlobal('fetch', async (url: URL) => {
      asked.push(url.href);
      return new Response('{"a":1}');
    });
    expect(await fetchJson('api/requests?limit=1')).toEqual({ a: 1 });
    expect(asked).toEqual(['http://x/nexus/api/requests?limit=1']);
  });

  it('throws what the server said', async () => {
    answer(
      503,
      { code: 'NEXUS_DATABASE_UNAVAILABLE', title: 'x', detail: 'try again' },
      { 'retry-after': '5' },
    );
    await expect(fetchJson('api')).rejects.toMatchObject({
      status: 503,
      code: 'NEXUS_DATABASE_UNAVAILABLE',
      message: 'try again',
      retryAfter: 5,
    });
  });

  it('throws an error of its own for an answer that is no problem document', async () => {
    vi.stubGlobal('fetch', async () => new Response('<html>', { status: 502 }));
    await expect(fetchJson('api')).rejects.toMatchObject({
      status: 502,
      code: 'NEXUS_UNKNOWN',
      message: 'The server answered 502.',
      retryAfter: null,
    });
  });

  it('ends with the signal it was given', async () => {
    vi.stubGlobal('fetch', (_: URL, init: RequestInit) => {
      const { signal } = init;
      return new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error));
      });
    });
    const abort = new AbortController();
    const pending = fetchJson('api', { signal: abort.signal });
    abort.abort(new Error('left the page'));
    await expect(pending).rejects.toThrow('left the page');
  });
});
