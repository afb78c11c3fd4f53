import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { request } from 'undici';

import { TestGateway } from '../fixtures/gateway.ts';
import { jsonAnswer, streamAnswer } from '../fixtures/upstream/answers.ts';
import { messageEvents } from '../fixtures/upstream/events.ts';
import { message, textBlock } from '../fixtures/upstream/messages.ts';
import type { RequestSummary } from '@claude-nexus/api-contract';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start();
});
afterAll(() => gateway.stop());

/** Texts that have broken parsers, databases, terminals and pages. JSON text, so that escapes stay escapes. */
const TEXTS: readonly (readonly [string, string])[] = [
  ['NUL', String.raw`"a\u0000b"`],
  ['a lone high surrogate', String.raw`"\ud800"`],
  ['a lone low surrogate', String.raw`"\udc00 x"`],
  ['surrogates in the wrong order', String.raw`"\udc00\ud800"`],
  ['noncharacters', String.raw`"\uffff\ufffe\ufdd0"`],
  [
    'every control character',
    JSON.stringify(Array.from({ length: 32 }, (_, code) => String.fromCodePoint(code)).join('')),
  ],
  ['raw DEL and C1 controls', '"\u007f\u0080\u0085\u009f"'],
  ['line separators', '"\u2028\u2029"'],
  ['bidirectional overrides', '"\u202eevil\u202c \u2066x\u2069 \u200f"'],
  ['zero-width characters', '"a\u200b\u200c\u200d\u2060\ufeffb"'],
  ['a tower of combining marks', `"Z${'\u0351\u036b\u0343'.repeat(500)}"`],
  ['joined emoji', '"👩‍👩‍👧‍👦🏳️‍🌈🇦🇶"'],
  ['characters beyond the first plane', '"𝕳𝖊𝖑𝖑𝖔 \u{10ffff}"'],
  ['case that changes length', '"ŉ İ ß ﬃ"'],
  ['a script', '"</script><script>alert(1)</script><img src=x onerror=alert(1)>"'],
  ['SQL', `"'; drop table nexus.request; --"`],
  ['templates', '"${7*7} {{7*7}} <%= 7*7 %> #{7*7} %s%n"'],
  ['terminal escapes', String.raw`"\u001b[2J\u001b]0;title\u0007"`],
  ['line breaks', String.raw`"a\r\nb\n\n\rdata: x\n\nevent: y"`],
  ['escaped slashes and quotes', String.raw`"\/\\\"\\u0041"`],
  ['a name of an object', '"__proto__"'],
  ['a long text', JSON.stringify('x'.repeat(1_000_000))],
  ['nothing', '""'],
];

const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const user = (content: string): string => `{"model":"m","messages":[{"role":"user","content":${content}}]}`;

/** Whole bodies: what is called a request by nobody but who sent it. */
const BODIES: readonly (readonly [string, string | Buffer])[] = [
  ['nothing', ''],
  ['a blank', ' '],
  ['null', 'null'],
  ['a number', '1e999'],
  ['an array', '[]'],
  ['an object without anything', '{}'],
  ['an open object', '{"messages":['],
  ['something behind the object', '{"messages":[]}{"messages":[]}'],
  ['a byte order mark', `\ufeff${user('"x"')}`],
  [
    'invalid UTF-8',
    Buffer.concat([
      Buffer.from('{"messages":[{"role":"user","content":"'),
      Buffer.of(0xff, 0xc0, 0xaf, 0xed, 0xa0, 0x80),
      Buffer.from('"}]}'),
    ]),
  ],
  ['UTF-16', Buffer.from(user('"x"'), 'utf16le')],
  ['bytes', Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7) % 256))],
  ['200,000 arrays in each other', user(deep(200_000))],
  ['200,000 objects in each other', user('{"a":'.repeat(200_000) + '1' + '}'.repeat(200_000))],
  ['100,000 messages', `{"messages":[${Array.from({ length: 100_000 }, () => '{}').join(',')}]}`],
  [
    '50,000 keys',
    `{"messages":[],${Array.from({ length: 50_000 }, (_, index) => `"k${index}":1`).join(',')}}`,
  ],
  [
    'keys twice',
    '{"model":"a","model":"b","messages":[{"role":"user","role":"x","content":"1","content":"2"}],"messages":[]}',
  ],
  [
    'names of an object as keys',
    '{"__proto__":{"x":1},"constructor":1,"messages":[{"__proto__":null,"role":"user","content":"x"}]}',
  ],
  [
    'messages of every wrong type',
    '{"messages":[null,1,"x",[],true,{"role":1,"content":{}},{"content":[null,1,[],{"type":5}]}]}',
  ],
  [
    'members of every wrong type',
    '{"model":{"a":1},"system":5,"tools":"x","metadata":[],"stream":"yes","max_tokens":"1","messages":{}}',
  ],
  [
    'numbers of every size',
    '{"max_tokens":1e400,"temperature":-0,"top_p":1E-999,"top_k":123456789012345678901234567890,"messages":[]}',
  ],
  [
    'blocks of every kind in each other',
    user(`[${'{"type":"tool_result","content":['.repeat(500)}${']}'.repeat(500)}]`),
  ],
  [
    'a user id that is JSON in JSON',
    '{"messages":[],"metadata":{"user_id":"{\\"session_id\\":\\"\\\\u0000\\",\\"device_id\\":{}}"}}',
  ],
];

async function send(
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<RequestSummary> {
  const session = randomUUID();
  const answer = await request(`${gateway.proxyUrl}/v1/messages`, {
    method: 'POST',
    headers: {
      'x-api-key': 'sk-ant-x',
      'content-type': 'application/json',
      'x-claude-code-session-id': session,
      ...headers,
    },
    body,
  });
  expect(answer.statusCode).toBe(200);
  await answer.body.dump({ limit: 64 * 1024 * 1024 });
  const [row] = await gateway.dashboard.settledRows(session, 1);
  expect(row).toMatchObject({ outcome: 'completed', sessionId: session });
  return row as RequestSummary;
}

/** How an exchange is shown: whether its request is exact, and what is wrong with what the API says of it. */
async function shown(
  row: RequestSummary,
  sent: string | Buffer,
): Promise<{ exact: boolean; faults: string[] }> {
  const stored = await gateway.dashboard.body(row.id, 'request-body');
  const exact = stored.sha256 === createHash('sha256').update(sent).digest('hex');
  await gateway.dashboard.body(row.id, 'response-body');
  const faults: string[] = [];
  for (const path of [`/api/requests/${row.id}`, '/api/requests?limit=200', '/api/storage-stats']) {
    const answer = await gateway.dashboard.fetch(path);
    // Throws for what is not valid UTF-8, and so does the parser for what is not JSON.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await answer.arrayBuffer());
    JSON.parse(text);
    if (answer.status !== 200 || !text.isWellFormed()) faults.push(`${path}: ${answer.status}`);
  }
  return { exact, faults };
}

const AS_IT_WAS = { exact: true, faults: [] };

describe('a request body', () => {
  it.each(BODIES)('that is %s is stored exactly and shown', async (_, body) => {
    gateway.upstream.answer(jsonAnswer(message()));
    expect(await shown(await send(body), body)).toEqual(AS_IT_WAS);
  });

  it.each(TEXTS)('with %s everywhere is stored exactly and shown', async (_, text) => {
    gateway.upstream.answer(jsonAnswer(message()));
    const body = `{"model":${text},"max_tokens":1,"system":${text},"metadata":{"user_id":${text}},${text}:${text},"messages":[{"role":"user","content":${text}},{"role":${text},"content":[{"type":"text","text":${text}},{"type":${text},"name":${text},"input":{${text}:${text}}}]}],"tools":[{"name":${text},"description":${text}}]}`;
    expect(await shown(await send(body), body)).toEqual(AS_IT_WAS);
  });
});

describe('an answer', () => {
  it.each(TEXTS)('with %s everywhere is stored and shown', async (_, text) => {
    const body = `{"id":${text},"type":"message","role":"assistant","model":${text},"content":[{"type":"text","text":${text}},{"type":"tool_use","id":${text},"name":${text},"input":{${text}:${text}}}],"stop_reason":${text},"usage":{"input_tokens":1,"output_tokens":1,"service_tier":${text},"speed":${text}}}`;
    gateway.upstream.answer(jsonAnswer(body));
    const sent = '{"messages":[]}';
    const row = await send(sent);
    expect(await shown(row, sent)).toEqual(AS_IT_WAS);
    expect((await gateway.dashboard.body(row.id, 'response-body')).bytes.toString()).toBe(body);
  });

  it.each(TEXTS)('that streams %s is stored and shown', async (_, text) => {
    const value = JSON.parse(text) as string;
    gateway.upstream.answer(
      streamAnswer(messageEvents(message({ content: [textBlock(value)], model: value }))),
    );
    const sent = '{"stream":true,"messages":[]}';
    const row = await send(sent);
    expect(await shown(row, sent)).toEqual(AS_IT_WAS);
    const stored = JSON.parse((await gateway.dashboard.body(row.id, 'response-body')).bytes.toString()) as {
      content: { text: string }[];
    };
    expect(stored.content[0]?.text).toBe(value);
  });

  it.each([
    'null',
    '[]',
    '"x"',
    '{',
    deep(100_000),
    '{"type":"error"}',
    '{"type":"message","content":null,"usage":[]}',
    '{"usage":{"input_tokens":-1,"output_tokens":1e400}}',
  ])('that is none (%#) is stored exactly and shown', async (body) => {
    gateway.upstream.answer(jsonAnswer(body));
    const sent = '{"messages":[]}';
    const row = await send(sent);
    expect(await shown(row, sent)).toEqual(AS_IT_WAS);
    expect((await gateway.dashboard.body(row.id, 'response-body')).bytes.toString()).toBe(body);
  });
});

describe('a header', () => {
  it.each([
    ['bytes above ASCII', 'caf\xe9 \xff'],
    ['UTF-8 bytes', Buffer.from('ünïcödé 💥').toString('latin1')],
    ['SQL', `'; drop table nexus.request; --`],
    ['a script', '<script>alert(1)</script>'],
    ['great length', 'x'.repeat(5000)],
    ['a tab', 'a\tb'],
    ['something like JSON', '{"a":1}'],
  ])('with %s is no harm', async (_, value) => {
    gateway.upstream.answer(jsonAnswer(message()));
    const names = [
      'user-agent',
      'anthropic-beta',
      'x-app',
      'x-claude-code-agent-id',
      'x-claude-code-parent-agent-id',
      'x-stainless-lang',
    ];
    const row = await send('{"messages":[]}', Object.fromEntries(names.map((name) => [name, value])));
    expect(await shown(row, '{"messages":[]}')).toEqual(AS_IT_WAS);
  });
});

describe('after all of this', () => {
  it('nothing has been given up on, and no answer was a failure', async () => {
    expect(gateway.proxyLog).not.toMatch(/"level":"(error|fatal)"/);
    expect(gateway.proxyLog).not.toMatch(/quarantine/i);
    expect(gateway.dashboardLog).not.toMatch(/"level":"(error|fatal)"/);
  });

  it('filters take such texts, too', async () => {
    for (const [name, text] of TEXTS.slice(0, -2)) {
      const value = encodeURIComponent((JSON.parse(text) as string).toWellFormed().slice(0, 100));
      for (const filter of ['domain', 'model', 'session', 'account', 'agent']) {
        const { status } = await gateway.dashboard.fetch(`/api/requests?${filter}=${value}`);
        expect([name, filter, [200, 400].includes(status)]).toEqual([name, filter, true]);
      }
    }
  });
});
