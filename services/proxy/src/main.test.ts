import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const CLIENT_KEY = 'cnx-MARKEDSECRET-client';
const UPSTREAM_KEY = 'sk-ant-MARKEDSECRET-upstream';

let folder = '';
let upstream: Server;
/** Called with each request that reaches the upstream; answers it. */
let answer: (headers: Record<string, unknown>, send: (text: string, last: boolean) => void) => void;
let running: Proxy[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proxy-main-'));
  const file = { type: 'api_key', api_key: UPSTREAM_KEY, client_api_key: CLIENT_KEY };
  await writeFile(join(folder, 'a.example.com.credentials.json'), JSON.stringify(file), { mode: 0o600 });
  upstream = createServer((asked, response) => {
    asked.resume();
    answer(asked.headers, (text, last) => (last ? response.end(text) : response.write(text)));
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
});

afterEach(() => {
  for (const proxy of running) proxy.kill('SIGKILL');
  running = [];
});

afterAll(async () => {
  upstream.closeAllConnections();
  upstream.close();
  await rm(folder, { recursive: true });
});

interface Proxy {
  /** Everything it wrote so far. */
  output(): string;
  /** Resolves with its port once it serves, or with undefined when it ended before. */
  serving: Promise<number | undefined>;
  /** Resolves with its exit code. */
  ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

function start(env: Record<string, string> = {}, args: string[] = []): Proxy {
  const { port } = upstream.address() as AddressInfo;
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: {
      PORT: '0',
      METRICS_PORT: '0',
      HOST: '127.0.0.1',
      STORAGE_ENABLED: 'false',
      CREDENTIALS_DIR: folder,
      CLAUDE_API_BASE_URL: `http://127.0.0.1:${port}`,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const serving = Promise.withResolvers<number | undefined>();
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
    const line = output.split('\n').find((text) => text.includes('"msg":"the proxy serves"'));
    if (line !== undefined) serving.resolve((JSON.parse(line) as { port: number }).port);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const ended = once(child, 'close').then(([code]) => code as number | null);
  void ended.then(() => serving.resolve(undefined));
  const proxy: Proxy = {
    output: () => output,
    serving: serving.promise,
    ended,
    kill: (signal) => child.kill(signal),
  };
  running.push(proxy);
  return proxy;
}

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: Promise<string>;
}

/** Resolves with the head of the answer; its body goes on arriving. */
async function send(
  port: number | undefined,
  path: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const asked = request({
    port,
    path,
    method: path.startsWith('/v1/') ? 'POST' : 'GET',
    headers,
    agent: false,
  });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const text = response.setEncoding('utf8').toArray() as Promise<string[]>;
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: text.then((parts) => parts.join('')),
  };
}

/** Waits for a failure from now on, so that it is never an unhandled one. */
function failureOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no failure',
    (error: Error) => error.message,
  );
}

const CLIENT = { host: 'a.example.com', 'x-api-key': CLIENT_KEY };

/** A proxy that passes on a stream which has begun and goes on until `end`. */
async function startStream() {
  const held = Promise.withResolvers<(text: string, last: boolean) => void>();
  answer = (_, reply) => {
    reply('first ', false);
    held.resolve(reply);
  };
  const proxy = start();
  const port = await proxy.serving;
  const stream = await send(port, '/v1/messages', CLIENT);
  const end = async (): Promise<void> => (await held.promise)('last', true);
  return { proxy, port, stream, end };
}

describe('the proxy as a process', () => {
  it.each<[string, Record<string, string>, string[], string]>([
    [
      'an unknown flag',
      {},
      ['--prot=1'],
      'proxy: unknown flag --prot; settings are environment variables, see --help\n',
    ],
    ['a bad setting', { PORT: 'x' }, [], 'proxy: PORT must be a port from 0 to 65535, not "x"\n'],
  ])('ends with one line and code 1 for %s', async (_, env, args, line) => {
    const proxy = start(env, args);
    expect([await proxy.ended, proxy.output()]).toEqual([1, line]);
  });

  it('ends with one line and code 1 when its port is taken', async () => {
    const { port } = upstream.address() as AddressInfo;
    const proxy = start({ PORT: String(port), LOG_LEVEL: 'silent' });
    expect([await proxy.ended, proxy.output()]).toEqual([
      1,
      `proxy: cannot listen on 127.0.0.1:${port}: the port is in use by another program; set PORT\n`,
    ]);
  });

  it('prints its settings for --help', async () => {
    const proxy = start({}, ['--help']);
    expect(await proxy.ended).toBe(0);
    expect(proxy.output()).toContain('DRAIN_TIMEOUT  duration  [300s]');
  });

  it('forwards with the one right credential, and writes no secret while doing all it does', async () => {
    let reached: Record<string, unknown> = {};
    answer = (headers, reply) => {
      reached = headers;
      reply('{}', true);
    };
    const proxy = start({ LOG_LEVEL: 'trace', TELEMETRY_ENDPOINT: 'https://t.example.com' });
    const port = await proxy.serving;
    const forwarded = await send(port, '/v1/messages?beta=true', {
      ...CLIENT,
      authorization: `Bearer ${CLIENT_KEY}`,
      cookie: 'x',
    });
    expect(forwarded.status).toBe(200);
    expect(reached).toMatchObject({ 'x-api-key': UPSTREAM_KEY });
    expect(Object.keys(reached)).not.toEqual(expect.arrayContaining(['authorization']));
    expect(Object.keys(reached)).not.toEqual(expect.arrayContaining(['cookie']));
    const refused = await send(port, '/v1/messages', { ...CLIENT, 'x-api-key': 'MARKEDSECRET' });
    const stats = await send(port, '/token-stats', CLIENT);
    expect([refused.status, stats.status]).toEqual([401, 503]);
    proxy.kill('SIGTERM');
    expect(await proxy.ended).toBe(0);
    expect(proxy.output()).toContain('TELEMETRY_ENDPOINT is accepted but has no effect yet');
    expect(proxy.output() + (await refused.text) + (await stats.text)).not.toContain('MARKEDSECRET');
  });

  it('drains on SIGTERM: not ready, no new exchanges, those under way end whole', async () => {
    const { proxy, port, stream, end } = await startStream();
    proxy.kill('SIGTERM');
    await expect.poll(async () => (await send(port, '/health/ready')).status).toBe(503);
    expect((await send(port, '/health/live')).status).toBe(200);
    const late = await send(port, '/v1/messages', CLIENT);
    expect([late.status, late.headers['x-should-retry']]).toEqual([503, 'true']);
    expect(late.headers).toHaveProperty('retry-after');
    await end();
    expect(await stream.text).toBe('first last');
    expect(await proxy.ended).toBe(0);
  });

  it('closes connections that are kept alive while it drains, so that the next request goes elsewhere', async () => {
    const { proxy, port, stream, end } = await startStream();
    const kept = connect({ port: Number(port), host: '127.0.0.1' });
    kept.write('GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n');
    await once(kept, 'data');
    proxy.kill('SIGTERM');
    await once(kept.resume(), 'end');
    kept.destroy();
    await end();
    expect(await stream.text).toBe('first last');
    expect(await proxy.ended).toBe(0);
  });

  it('cuts what is still under way when DRAIN_TIMEOUT is over', async () => {
    answer = (_, reply) => reply('first ', false);
    const proxy = start({ DRAIN_TIMEOUT: '50ms' });
    const stream = await send(await proxy.serving, '/v1/messages', CLIENT);
    const cut = failureOf(stream.text);
    proxy.kill('SIGTERM');
    expect(await proxy.ended).toBe(0);
    expect(await cut).toBe('aborted');
    expect(proxy.output()).toContain('"exchanges":1,"msg":"DRAIN_TIMEOUT is over');
  });

  it('ends at once on a second signal', async () => {
    answer = (_, reply) => reply('first ', false);
    const proxy = start();
    const stream = await send(await proxy.serving, '/v1/messages', CLIENT);
    const cut = failureOf(stream.text);
    proxy.kill('SIGTERM');
    await expect.poll(() => proxy.output()).toContain('shutting down');
    proxy.kill('SIGINT');
    expect(await proxy.ended).toBe(130);
    expect(await cut).toBe('aborted');
  });
});
