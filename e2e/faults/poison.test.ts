import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { brain } from '../fixtures/upstream/brain.ts';
import { until } from '../fixtures/program.ts';
import { checkBooks } from './ledger.ts';
import { Load, send } from './load.ts';
import { sharedDatabase, Site } from './site.ts';
import type { Handler } from '../fixtures/upstream/answers.ts';
import type { SiteDatabase } from './site.ts';

const MEBIBYTE = 2 ** 20;
/** Loaded into every thread of a proxy; ends the recorder's worker when it meets a marker. */
const CRASH_MODULE = fileURLToPath(new URL('crash-on-marker.ts', import.meta.url));

// A fault takes its time, and so does waiting in vain for what is lost.
vi.setConfig({ testTimeout: 180_000 });

let site: Site | undefined;
let keepServer: SiteDatabase;
beforeAll(async () => {
  keepServer = await sharedDatabase();
});
afterAll(() => keepServer.remove());
afterEach(async () => {
  await site?.stop();
  site = undefined;
});

function question(content: string, more = ''): string {
  return `{"model":"claude-opus-5-5","max_tokens":10,${more}"messages":[{"role":"user","content":"${content}"}]}`;
}

const DEEP = 200_000;
const nested = (inner: string): string => `${'['.repeat(DEEP)}${inner}${']'.repeat(DEEP)}`;

/** Bytes that compress to nearly nothing. */
function bomb(prefix: string, suffix: string): Buffer {
  return gzipSync(
    Buffer.concat([Buffer.from(prefix), Buffer.alloc(160 * MEBIBYTE, 'a'), Buffer.from(suffix)]),
    {
      level: 1,
    },
  );
}

const GZIP = { 'content-encoding': 'gzip' };
const REQUESTS: [string, string | Buffer, Record<string, string>?][] = [
  ['a decompression bomb', bomb('{"messages":["', '"]}'), GZIP],
  ['garbage that calls itself gzip', question('x'), GZIP],
  ['NUL in a text', question('a\\u0000b')],
  ['NUL as a byte', question('a\0b')],
  ['NUL in the model', '{"model":"a\\u0000b","messages":[{"role":"user","content":"x"}]}'],
  ['NUL in the session', question('x', '"metadata":{"user_id":"{\\"session_id\\":\\"a\\\\u0000b\\"}"},')],
  ['lone surrogates', question('\\ud800 and \\udc00 \\ud800\\ud800')],
  ['lone surrogates in member names', question('x', '"\\ud800":"\\udfff",')],
  [
    'bytes that are no UTF-8',
    Buffer.concat([Buffer.from('{"messages":["'), Buffer.from([0xff, 0xfe, 0xc0, 0x80]), Buffer.from('"]}')]),
  ],
  ['200,000 arrays in each other', `{"messages":${nested('')}}`],
  ['a message of 200,000 arrays', `{"messages":[{"role":"user","content":${nested('')}}]}`],
  ['200,000 objects in each other', `{"messages":[${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}]}`],
  ['brackets that never close', '['.repeat(DEEP)],
  ['a tool of 200,000 arrays', question('x', `"tools":${nested('1')},`)],
  ['a literal of 1 MB', question('1234567 '.repeat(MEBIBYTE / 8))],
  ['a member name of 1 MB', question('x', `"${'n'.repeat(MEBIBYTE)}":1,`)],
  ['a number of 1 MB', question('x', `"n":${'9'.repeat(MEBIBYTE)},`)],
  ['a model of 1 MB', `{"model":"${'m'.repeat(MEBIBYTE)}","messages":[{"role":"user","content":"x"}]}`],
  [
    '50,000 messages',
    `{"messages":[${'{"role":"user","content":"a"},'.repeat(50_000)}{"role":"user","content":"z"}]}`,
  ],
  ['no JSON', 'this is not JSON {"'],
  ['JSON that is cut', question('x').slice(0, -3)],
  ['JSON that is no object', 'null'],
  ['nothing', ''],
  ['duplicate members', '{"messages":[],"messages":[{"role":"user","content":"a"}],"messages":1}'],
  ['messages that are no messages', '{"messages":[1,null,"x",[],{"content":{"a":1}},{"role":7}]}'],
  ['__proto__', '{"__proto__":{"messages":1},"messages":[{"__proto__":null,"role":"user","content":"x"}]}'],
];

function answer(
  contentType: string,
  body: Buffer,
  change: { encoding?: string; status?: number } = {},
): Handler {
  return async (exchange) => {
    await exchange.bodyReceived;
    exchange.head(change.status ?? 200, [
      'content-type',
      contentType,
      'request-id',
      exchange.requestId,
      ...(change.encoding === undefined ? [] : ['content-encoding', change.encoding]),
      'content-length',
      String(body.length),
    ]);
    exchange.end(body);
  };
}

const JSON_TYPE = 'application/json';
const ANSWERS: [string, () => Handler][] = [
  [
    'a decompression bomb of JSON',
    () => answer(JSON_TYPE, bomb('{"type":"message","content":"', '"}'), { encoding: 'gzip' }),
  ],
  [
    'garbage that calls itself gzip',
    () => answer(JSON_TYPE, Buffer.from('no gzip at all'), { encoding: 'gzip' }),
  ],
  ['an unknown coding', () => answer(JSON_TYPE, Buffer.from('{}'), { encoding: 'x-unheard-of' })],
  ['no JSON', () => answer(JSON_TYPE, Buffer.from('{"type":"message", oops'))],
  ['200,000 arrays in each other', () => answer(JSON_TYPE, Buffer.from(nested('')))],
  [
    'NUL and lone surrogates everywhere',
    () =>
      answer(
        JSON_TYPE,
        Buffer.from(
          '{"type":"message","id":"a\\u0000\\ud800","model":"\\u0000","stop_reason":"\\udc00","content":[{"type":"text","text":"\\u0000\\ud800"}],"usage":{"input_tokens":1,"output_tokens":2,"service_tier":"\\u0000"}}',
        ),
      ),
  ],
  [
    'usage that is none',
    () =>
      answer(
        JSON_TYPE,
        Buffer.from(
          '{"type":"message","id":7,"model":[],"content":{},"usage":{"input_tokens":-1e308,"output_tokens":"x","cache_read_input_tokens":1e400,"cache_creation_input_tokens":9007199254740993}}',
        ),
      ),
  ],
  [
    'an error that is none',
    () =>
      answer(JSON_TYPE, Buffer.from('{"type":"error","error":{"type":"\\u0000","message":"\\ud800"}}'), {
        status: 400,
      }),
  ],
  ['an empty body', () => answer(JSON_TYPE, Buffer.alloc(0))],
];

const STREAMS: [string, () => Handler][] = [
  [
    'a decompression bomb',
    () =>
      answer('text/event-stream', bomb('event: message_start\ndata: {"x":"', '"}\n\n'), { encoding: 'gzip' }),
  ],
  ['bytes that are no events', () => answer('text/event-stream', Buffer.from([0, 1, 2, 255, 254, 10, 10]))],
  [
    'events without data',
    () => answer('text/event-stream', Buffer.from('event: message_start\n\nevent: x\ndata: {\n\n')),
  ],
  [
    'deltas for blocks that never began',
    () =>
      answer(
        'text/event-stream',
        Buffer.from(
          'event: content_block_delta\ndata: {"type":"content_block_delta","index":1e9,"delta":{"type":"text_delta","text":"\\ud800\\u0000"}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n',
        ),
      ),
  ],
  [
    'a tool input of 200,000 arrays',
    () =>
      answer(
        'text/event-stream',
        Buffer.from(
          `event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"n","input":{}}}\n\nevent: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"${nested('')}"}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n`,
        ),
      ),
  ],
];

describe('poison', () => {
  it('of every kind is stored byte for byte, and what comes between it, too', async () => {
    const running = (site = await Site.start({ database: await sharedDatabase() }));
    const { proxy, upstream } = running;
    const receipts = [];
    const streams: string[] = [];
    const interlude = async (): Promise<void> => {
      upstream.answer(brain());
      receipts.push(await send(proxy.url, { body: question(`between ${receipts.length}`) }));
    };
    for (const [, body, headers = {}] of REQUESTS) {
      receipts.push(await send(proxy.url, { body, headers }));
      await interlude();
    }
    for (const [, make] of ANSWERS) {
      upstream.answer(make());
      receipts.push(await send(proxy.url, { body: question('poison me') }));
      await interlude();
    }
    for (const [name, make] of STREAMS) {
      upstream.answer(make());
      const sent = upstream.requests.length;
      const answered = await fetch(`${proxy.url}/v1/messages`, {
        method: 'POST',
        headers: {
          'x-api-key': 'sk-ant-api03-faults',
          'content-type': JSON_TYPE,
          'accept-encoding': 'identity',
        },
        body: question(`stream: ${name}`),
      });
      await answered.bytes().catch(() => undefined);
      streams.push(upstream.requests[sent]?.requestId ?? '');
      await interlude();
    }
    const quarantined = await proxy.quarantined();
    const rows = await checkBooks(running, receipts, { match: 'superset' });
    const stored = new Set(rows.map((row) => row.upstreamRequestId));
    expect(streams.filter((id) => !stored.has(id))).toEqual([]);
    expect(quarantined).toEqual([]);
    expect(await proxy.metric('recorder_worker_restarts_total')).toBe(0);
    expect(await proxy.metric('recorder_lost_exchanges_total')).toBe(0);
  });

  it('that crashes the worker goes to quarantine, is counted, and the rest proceeds', async () => {
    const running = (site = await Site.start({
      database: await sharedDatabase(),
      proxyEnv: { NODE_OPTIONS: `--import=${CRASH_MODULE}` },
    }));
    const { proxy } = running;
    const load = new Load({ urls: running.urls, thinkMs: 100 });
    await load.more(5);
    const poisoned = [];
    for (let index = 0; index < 2; index += 1) {
      poisoned.push(await send(proxy.url, { body: question(`crash-the-worker ${index}`) }));
      await load.more(5);
    }
    await proxy.untilMetric('recorder_quarantined_records_total', (count) => count === 2);
    await load.more(5);
    await load.stop();
    await proxy.untilShipped();
    await checkBooks(running, load.receipts);
    expect(await proxy.metric('recorder_worker_restarts_total')).toBe(4);
    expect(await proxy.quarantined()).toHaveLength(2);
    // Once the reason is gone, a start without it does not bring them back by itself: they are set aside.
    await until('the proxy to be done', async () => (await proxy.stop()) === 0);
    expect(poisoned).toHaveLength(2);
  });
});
