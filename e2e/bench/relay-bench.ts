/**
 * CPU per request of the proxy's relay against the bare relay: `node e2e/bench/relay-bench.ts [rounds]`. Both run
 * as child processes before the same stand-in; rounds are interleaved, and the medians and their ratio printed.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';

interface Load {
  readonly name: string;
  readonly path: string;
  readonly bodyBytes: number;
  readonly concurrency: number;
  readonly requests: number;
}

const LOADS: readonly Load[] = [
  { name: '1 KB JSON, 1 at a time', path: '/v1/json', bodyBytes: 1000, concurrency: 1, requests: 1500 },
  { name: '1 KB JSON, 32 at once', path: '/v1/json', bodyBytes: 1000, concurrency: 32, requests: 4000 },
  {
    name: '76 KB, 200 deltas at once, 1',
    path: '/v1/burst',
    bodyBytes: 76_000,
    concurrency: 1,
    requests: 500,
  },
  {
    name: '76 KB, 200 deltas at once, 16',
    path: '/v1/burst',
    bodyBytes: 76_000,
    concurrency: 16,
    requests: 800,
  },
  {
    name: '76 KB, 200 deltas paced, 16',
    path: '/v1/paced',
    bodyBytes: 76_000,
    concurrency: 16,
    requests: 400,
  },
  { name: '300 KB, SSE, 8', path: '/v1/burst', bodyBytes: 300_000, concurrency: 8, requests: 400 },
  { name: '2 MB, SSE, 4', path: '/v1/burst', bodyBytes: 2_000_000, concurrency: 4, requests: 100 },
];

const RELAYS = {
  bare: new URL('./bare-relay.ts', import.meta.url),
  relay: new URL('../../services/proxy/src/relay/testing/serve.ts', import.meta.url),
};
type RelayName = keyof typeof RELAYS;

interface Child {
  readonly process: ChildProcess;
  readonly port: number;
}

async function start(script: URL, args: readonly string[] = []): Promise<Child> {
  const child = fork(script, [...args]);
  const [port] = (await once(child, 'message')) as [number];
  return { process: child, port };
}

/** CPU seconds, user and system, the process has used so far, in microseconds. */
async function cpu(child: Child): Promise<number> {
  child.process.send('cpu');
  const [usage] = (await once(child.process, 'message')) as [NodeJS.CpuUsage];
  return usage.user + usage.system;
}

function requestBytes(load: Load): Buffer {
  const head =
    `POST ${load.path}?beta=true HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer sk-test\r\nContent-Type: application/json\r\n` +
    'User-Agent: claude-cli/2.1.330 (external, cli)\r\nX-Claude-Code-Session-Id: 5d5b9f4e-0000-4000-8000-000000000000\r\nx-app: cli\r\n' +
    'anthropic-version: 2023-06-01\r\nanthropic-beta: claude-code-20250219,interleaved-thinking-2025-05-14,effort-2025-11-24\r\n' +
    'anthropic-dangerous-direct-browser-access: true\r\nX-Stainless-Arch: x64\r\nX-Stainless-Lang: js\r\nX-Stainless-OS: Linux\r\n' +
    'X-Stainless-Package-Version: 0.128.0\r\nX-Stainless-Retry-Count: 0\r\nX-Stainless-Runtime: node\r\nX-Stainless-Timeout: 600\r\n' +
    `Accept: application/json\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nContent-Length: ${load.bodyBytes}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.alloc(load.bodyBytes, 'x')]);
}

/** One connection that sends `count` requests, each after the answer to the one before. */
function session(port: number, request: Buffer, count: number, ending: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let left = count;
    let tail = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('connect', () => socket.write(request));
    socket.on('data', (data) => {
      tail = Buffer.concat([tail, data]).subarray(-ending.length);
      if (!tail.equals(ending)) return;
      left--;
      if (left > 0) socket.write(request);
      else {
        socket.destroy();
        resolve();
      }
    });
  });
}

async function run(child: Child, load: Load): Promise<number> {
  const request = requestBytes(load);
  const ending = Buffer.from(load.path === '/v1/json' ? '"}]}' : '\r\n0\r\n\r\n');
  const each = Math.ceil(load.requests / load.concurrency);
  const before = await cpu(child);
  await Promise.all(
    Array.from({ length: load.concurrency }, () => session(child.port, request, each, ending)),
  );
  return ((await cpu(child)) - before) / (each * load.concurrency);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

const rounds = Number(process.argv[2] ?? 5);
const upstream = await start(new URL('./upstream.ts', import.meta.url));
const address = `http://127.0.0.1:${upstream.port}`;
const children: Record<RelayName, Child> = {
  bare: await start(RELAYS.bare, [address]),
  relay: await start(RELAYS.relay, [address]),
};
for (const load of LOADS) {
  const figures: Record<RelayName, number[]> = { bare: [], relay: [] };
  for (let round = -1; round < rounds; round++) {
    for (const name of ['bare', 'relay'] as const) {
      const figure = await run(children[name], load);
      // The first round warms up.
      if (round >= 0) figures[name].push(figure);
    }
  }
  const bare = median(figures.bare);
  const relay = median(figures.relay);
  process.stdout.write(
    `${load.name.padEnd(32)} bare ${bare.toFixed(0).padStart(6)} us   relay ${relay.toFixed(0).padStart(6)} us   ratio ${(relay / bare).toFixed(2)}\n`,
  );
}
for (const child of [upstream, ...Object.values(children)]) child.process.kill();
