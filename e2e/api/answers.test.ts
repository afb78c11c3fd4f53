import { randomUUID } from 'node:crypto';
import { request } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type Anthropic from '@anthropic-ai/sdk';

import { prompt, sessionClient } from '../fixtures/client.ts';
import { TestGateway } from '../fixtures/gateway.ts';
import { messageAnswer } from '../fixtures/upstream/answers.ts';
import { brain } from '../fixtures/upstream/brain.ts';
import {
  cachedMessage,
  SCENARIOS,
  thinkingMessage,
  toolMessage,
  WEB_SEARCH_START,
  webSearchMessage,
} from '../fixtures/upstream/scenarios.ts';
import type { Exchange } from '../fixtures/upstream/exchange.ts';
import type { Message } from '../fixtures/upstream/messages.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start();
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.upstream.answer(brain()));

/** The request as the upstream got it last. */
function lastExchange(): Exchange {
  return gateway.upstream.requests.at(-1) as Exchange;
}

/** The only row of a session, once it is settled. */
async function rowOf(session: string) {
  const [row, ...more] = await gateway.dashboard.settledRows(session, 1);
  expect(more).toEqual([]);
  return row as NonNullable<typeof row>;
}

async function storedJson(id: string): Promise<unknown> {
  return JSON.parse((await gateway.dashboard.body(id, 'response-body')).bytes.toString());
}

describe('a non-streamed message', () => {
  it('reaches the client as the upstream sent it and is stored byte for byte', async () => {
    const { sdk, session } = sessionClient(gateway.proxyUrl);
    const { data, response } = await sdk.messages.create(prompt('answer: Grüezi 🦊')).withResponse();
    expect(data.content).toEqual([{ type: 'text', text: 'Grüezi 🦊' }]);
    expect(response.headers.get('request-id')).toBe(lastExchange().requestId);

    const row = await rowOf(session);
    expect(row).toMatchObject({
      upstreamRequestId: lastExchange().requestId,
      upstreamMessageId: data.id,
      domain: '127.0.0.1',
      sessionId: session,
      kind: 'main',
      outcome: 'completed',
      status: 200,
      errorType: null,
      model: 'claude-opus-5-5',
      stopReason: 'end_turn',
      streaming: false,
      inputTokens: data.usage.input_tokens,
      outputTokens: data.usage.output_tokens,
      messageCount: 1,
      toolCallCount: 0,
      conversationId: null,
    });
    const stored = await gateway.dashboard.body(row.id, 'request-body');
    expect(stored.bytes.equals(lastExchange().body)).toBe(true);
    expect(await storedJson(row.id)).toEqual(data);
    expect((await gateway.dashboard.detail(row.id)).storage).toMatchObject({
      requestSha256: stored.sha256,
      requestLength: lastExchange().body.length,
      responseForm: 'exact',
    });
  });

  it('keeps unusual bytes of the request: duplicate keys, number spelling, lone surrogates, white space', async () => {
    const session = randomUUID();
    const body =
      '{ "model":"claude-opus-5-5","max_tokens":1e1,\n "max_tokens":10.0, "x":"\\ud800", "x":[1.0,-0],' +
      `"messages":[{"role":"user","content":"${'answer: ok '.repeat(100)}"}] }  `;
    const answer = await request(`${gateway.proxyUrl}/v1/messages?beta=true&x=%20`, {
      method: 'POST',
      headers: {
        'x-api-key': 'sk-ant-x',
        'content-type': 'application/json',
        'x-claude-code-session-id': session,
      },
      body,
    });
    expect(answer.statusCode).toBe(200);
    const sent = Buffer.from(JSON.stringify(await answer.body.json()));
    expect(lastExchange().target).toBe('/v1/messages?beta=true&x=%20');
    expect(lastExchange().body.toString()).toBe(body);
    const row = await rowOf(session);
    expect((await gateway.dashboard.body(row.id, 'request-body')).bytes.toString()).toBe(body);
    expect((await gateway.dashboard.body(row.id, 'response-body')).bytes.equals(sent)).toBe(true);
    // Values of parameters nobody knows are not stored: people put keys there.
    expect((await gateway.dashboard.detail(row.id)).path).toBe('/v1/messages?beta=true&x=***');
  });
});

describe('a streamed message', () => {
  const messages: [string, Message, Parameters<typeof messageAnswer>[1]][] = [
    ['with thinking and its signature', thinkingMessage(), {}],
    ['with a tool call', toolMessage(), {}],
    ['with cache reads and writes', cachedMessage(), {}],
    ['with a web search', webSearchMessage(), { startUsage: WEB_SEARCH_START }],
    ['cut at every byte', toolMessage('t', { text: 'Zwölf 🦊' }), { chunking: 'byte' }],
    ['with gzip', thinkingMessage(), { coding: 'gzip', chunking: 7 }],
    ['with brotli', toolMessage(), { coding: 'br', chunking: 7 }],
    ['with zstd', toolMessage(), { coding: 'zstd', chunking: 7 }],
    ['with deflate', toolMessage(), { coding: 'deflate', chunking: 7 }],
    ['with CR LF', toolMessage(), { newline: '\r\n' }],
  ];
  it.each(messages)('%s is stored as the message it amounts to', async (...[, message, options]) => {
    gateway.upstream.answer(messageAnswer(message, options));
    // undici rather than the SDK: Node's fetch does not decode zstd.
    const { session } = sessionClient(gateway.proxyUrl);
    const answer = await request(`${gateway.proxyUrl}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': 'sk-ant-x', 'x-claude-code-session-id': session },
      body: JSON.stringify({ ...prompt('hi'), stream: true }),
    });
    const received = await answer.body.bytes();
    expect(received.length).toBe(lastExchange().bytesSent);
    const row = await rowOf(session);
    expect(await storedJson(row.id)).toEqual(message);
    expect(row).toMatchObject({
      streaming: true,
      outcome: 'completed',
      stopReason: message.stop_reason,
      upstreamMessageId: message.id,
      inputTokens: message.usage.input_tokens,
      outputTokens: message.usage.output_tokens,
      cacheReadTokens: message.usage.cache_read_input_tokens,
      cacheWrite5mTokens: message.usage.cache_creation?.ephemeral_5m_input_tokens,
      cacheWrite1hTokens: message.usage.cache_creation?.ephemeral_1h_input_tokens,
      webSearchRequests: message.usage.server_tool_use?.web_search_requests ?? 0,
    });
    expect(row.firstTokenMs).not.toBeNull();
  });

  it('is the same for the SDK as without the gateway', async () => {
    const message = toolMessage();
    gateway.upstream.answer(messageAnswer(message, { chunking: 11 }));
    const { sdk } = sessionClient(gateway.proxyUrl);
    const final = await sdk.messages.stream(prompt('hi')).finalMessage();
    expect(final).toMatchObject({ id: message.id, content: message.content, stop_reason: 'tool_use' });
  });

  it('keeps unknown events', async () => {
    gateway.upstream.answer(SCENARIOS['unknown-events']());
    const { session, sdk } = sessionClient(gateway.proxyUrl);
    const stream = await sdk.messages.create({ ...prompt('hi'), stream: true });
    for await (const _event of stream);
    const row = await rowOf(session);
    const stored = await gateway.dashboard.body(row.id, 'response-body');
    expect(stored.bytes.toString()).toContain('brand_new');
    expect(row.outcome).toBe('completed');
  });
});

describe('cost', () => {
  it.each([
    // 7 in x 4, 41 out x 20, 12,000 read x 0.2, 2,500 written for 5 minutes x 5, 1,000 for an hour x 8, per million
    ['of cache reads and writes', cachedMessage, '0.023748'],
    // 10,682 in x 4, 510 out x 20, per million, and one search at a cent
    ['of a web search', webSearchMessage, '0.062928'],
  ])('%s is exact', async (_, make, cost) => {
    gateway.upstream.answer(messageAnswer(make()));
    const { sdk, session } = sessionClient(gateway.proxyUrl);
    await sdk.messages.create(prompt('hi'));
    expect(Number((await rowOf(session)).costUsd)).toBe(Number(cost));
  });

  it('of an unknown model is unknown, never zero', async () => {
    const { sdk, session } = sessionClient(gateway.proxyUrl);
    await sdk.messages.create({ ...prompt('hi'), model: 'claude-unheard-of' });
    expect((await rowOf(session)).costUsd).toBeNull();
  });
});

describe('a session with tools', () => {
  it('stores each turn with its whole body', async () => {
    const { sdk, session } = sessionClient(gateway.proxyUrl);
    const messages: Anthropic.MessageParam[] = [
      { role: 'user', content: `use-tool: get_weather {"city":"Bern"}\n${'context '.repeat(500)}` },
    ];
    const tools: Anthropic.Tool[] = [{ name: 'get_weather', input_schema: { type: 'object' } }];
    const turn = async (): Promise<Anthropic.Message> =>
      sdk.messages.create({ ...prompt(''), messages, tools });
    const first = await turn();
    const call = first.content.find((block) => block.type === 'tool_use');
    expect(call).toMatchObject({ name: 'get_weather', input: { city: 'Bern' } });
    messages.push(
      { role: 'assistant', content: first.content },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: call?.id ?? '', content: '21 degrees' }],
      },
    );
    expect((await turn()).content).toEqual([
      { type: 'text', text: 'Done after 1 tool round. Last result: 21 degrees' },
    ]);
    const rows = await gateway.dashboard.settledRows(session, 2);
    expect(rows.map((row) => [row.toolCallCount, row.messageCount])).toEqual([
      [1, 1],
      [0, 3],
    ]);
    const sent = gateway.upstream.requests.slice(-2);
    for (const [index, row] of rows.entries()) {
      const { bytes } = await gateway.dashboard.body(row.id, 'request-body');
      expect(bytes.equals(sent[index]?.body ?? Buffer.alloc(0))).toBe(true);
    }
  });
});

describe('other paths', () => {
  it('counts tokens and lists models without storing bodies', async () => {
    const { sdk, session } = sessionClient(gateway.proxyUrl);
    const { input_tokens: count } = await sdk.messages.countTokens({
      model: 'claude-opus-5-5',
      messages: [{ role: 'user', content: 'hi' }],
    });
    expect(count).toBeGreaterThan(0);
    expect((await sdk.models.list()).data[0]?.id).toBe('claude-opus-5-5');
    const rows = await gateway.dashboard.settledRows(session, 2);
    expect(rows.map((row) => [row.kind, row.status, row.outcome])).toEqual([
      ['other', 200, 'completed'],
      ['other', 200, 'completed'],
    ]);
    const detail = await gateway.dashboard.detail(rows[0]?.id ?? '');
    expect(detail.storage).toMatchObject({ requestForm: 'none', responseForm: 'none' });
  });
});
