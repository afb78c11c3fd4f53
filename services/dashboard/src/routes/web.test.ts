import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDashboard } from '../testing/dashboard.ts';
import type { TestDashboard } from '../testing/dashboard.ts';

const folder = mkdtempSync(join(tmpdir(), 'nexus-web-'));
const webRoot = join(folder, 'dist');
const INDEX =
  '<!doctype html><html><head><base href="/" /><script type="module" src="./assets/a-1.js"></script></head></html>';
let root: TestDashboard;
let nested: TestDashboard;
let unbuilt: TestDashboard;

beforeAll(async () => {
  mkdirSync(join(webRoot, 'assets'), { recursive: true });
  writeFileSync(join(webRoot, 'index.html'), INDEX);
  writeFileSync(join(webRoot, 'assets', 'a-1.js'), 'export {};');
  writeFileSync(join(webRoot, 'icon.svg'), '<svg/>');
  writeFileSync(join(webRoot, '.hidden'), 'private content');
  writeFileSync(join(folder, 'secret.txt'), 'private content');
  [root, nested, unbuilt] = await Promise.all([
    testDashboard({ webRoot }),
    testDashboard({ webRoot, basePath: '/nexus/' }),
    testDashboard(),
  ]);
});

afterAll(async () => {
  await Promise.all([root.app.close(), nested.app.close(), unbuilt.app.close()]);
  rmSync(folder, { recursive: true });
});

describe('the web application', () => {
  it.each(['/', '/index.html', '/requests/019ab000-0000-7000-8000-000000000001', '/domains/a?x=.y'])(
    'is the answer to %s, to be checked again every time',
    async (url) => {
      const response = await root.app.inject({ url });
      expect(response.statusCode).toBe(200);
      expect(response.body).toBe(INDEX);
      expect(response.headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-cache',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'cross-origin-opener-policy': 'same-origin',
      });
      const again = await root.app.inject({
        url,
        headers: { 'if-none-match': String(response.headers['etag']) },
      });
      expect(again.statusCode).toBe(304);
    },
  );

  it('may run only what this server serves', async () => {
    const policy = String((await root.app.inject({ url: '/' })).headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
  });

  it('has assets that may be kept for ever and other files that may not', async () => {
    const asset = await root.app.inject({ url: '/assets/a-1.js' });
    expect(asset.headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': expect.stringMatching(/javascript/),
    });
    expect((await root.app.inject({ url: '/icon.svg' })).headers['cache-control']).toBe('public, no-cache');
  });

  it.each([
    '/assets/missing.js',
    '/missing.png',
    '/api/unknown',
    '/api',
    '/sse/x',
    '/health/x',
    '/.hidden',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/..%2f..%2f..%2fsecret.txt',
    '/%00.js',
  ])('answers %s with a problem', async (url) => {
    const response = await root.app.inject({ url });
    expect(response.statusCode).toBeGreaterThanOrEqual(400);
    expect(response.statusCode).toBeLessThan(500);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.body).not.toContain('private content');
  });

  it('answers what is no address at all with a problem', async () => {
    const response = await root.app.inject({ url: '/%ff' });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ status: 400, code: 'NEXUS_REQUEST_REFUSED' });
  });

  it('is not the answer to a changing request', async () => {
    expect((await root.app.inject({ url: '/', method: 'POST' })).statusCode).toBe(404);
  });

  it('works below a base path, with everything else below it too', async () => {
    const page = await nested.app.inject({ url: '/nexus/requests/1' });
    expect(page.body).toContain('<base href="/nexus/"');
    expect((await nested.app.inject({ url: '/nexus' })).headers['location']).toBe('/nexus/');
    expect((await nested.app.inject({ url: '/' })).headers['location']).toBe('/nexus/');
    expect((await nested.app.inject({ url: '/nexus/assets/a-1.js' })).statusCode).toBe(200);
    expect((await nested.get('/nexus/api/requests')).statusCode).toBe(200);
    expect((await nested.get('/api/requests')).statusCode).toBe(404);
    expect((await nested.app.inject({ url: '/health' })).statusCode).toBe(200);
    expect((await nested.app.inject({ url: '/nexus/health' })).statusCode).toBe(200);
    const { headers } = await nested.app.inject({
      method: 'POST',
      url: '/nexus/api/session',
      payload: { key: 'correct-horse-battery-staple' },
    });
    expect(headers['set-cookie']).toContain('; Path=/nexus/;');
  });

  it('tells how to build it when it is not built', async () => {
    const response = await unbuilt.app.inject({ url: '/' });
    expect(response.statusCode).toBe(200);
    expect(response.body).toContain('npm run build:web');
  });
});
