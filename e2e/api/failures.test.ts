import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { APIError } from '@anthropic-ai/sdk';
import { request } from 'undici';

import { prompt, sessionClient } from '../fixtures/client.ts';
import { TestGateway } from '../fixtures/gateway.ts';
import { until } from '../fixtures/program.ts';
import {
  errorAnswer,
  messageAnswer,
  sequence,
  silentAnswer,
  streamAnswer,
} from '../fixtures/upstream/answers.ts';
import { brain } from '../fixtures/upstream/brain.ts';
import { errorBody, ERROR_CLASSES } from '../fixtures/upstream/errors.ts';
import { itemBytes, messageEvents } from '../fixtures/upstream/events.ts';
import { message, textBlock } from '../fixtures/upstream/messages.ts';
import { Gate } from '../fixtures/upstream/gate.ts';
import { longMessage, SCENARIOS } from '../fixtures/upstream/scenarios.ts';
import type { ErrorClass, ErrorName } from '../fixtures/upstream/errors.ts';
import type { ScenarioName } from '../fixtures/upstream/scenarios.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start();
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.upstream.answer(brain()));

const count = (): number => gateway.upstream.requests.length;

describe('an error of the upstream', () => {
  it.each(Object.entries(ERROR_CLASSES) as [ErrorName, ErrorClass][])(
    '%s is passed on as it is, after one attempt, and has its row',
    async (name, error) => {
      gateway.upstream.answer(errorAnswer(name));
      const before = count();
      const { session } = sessionClient(gateway.proxyUrl);
      const answer = await request(`${gateway.proxyUrl}/v1/messages`, {
        method: 'POST',
        headers: { 'x-api-key': 'sk-ant-x', 'x-claude-code-session-id': session },
        body: JSON.stringify(prompt('hi')),
      });
      const body = await answer.body.text();
      const requestId = gateway.upstream.requests.at(-1)?.requestId ?? '';
      expect(answer.statusCode).toBe(error.status);
      expect(body).toBe(error.html ?? errorBody(error, requestId));
      expect(answer.headers['request-id']).toBe(requestId);
      for (let index = 0; index < (error.headers?.length ?? 0); index += 2) {
        expect(answer.headers[error.headers?.[index] ?? '']).toBe(error.headers?.[index + 1]);
      }
      expect(count() - before).toBe(1);
      const [row] = await gateway.dashboard.settledRows(session, 1);
      expect(row).toMatchObject({ outcome: 'error', status: error.status, costUsd: null });
      const stored = await gateway.dashboard.body(row?.id ?? '', 'response-body');
      expect(stored.bytes.toString()).toBe(body);
    },
  );

  it.each([
    ['rate-limit', 429, 'rate_limit_error'],
    ['overloaded', 529, 'overloaded_error'],
  ] as const)('%s is retried by the client only, each attempt once', async (name, status, type) => {
    const before = count();
    gateway.upstream.answer(sequence([errorAnswer(name), errorAnswer(name)], messageAnswer()));
    const { sdk, session } = sessionClient(gateway.proxyUrl, { maxRetries: 2 });
    const started = Date.now();
    await sdk.messages.create(prompt('hi'));
    expect(count() - before).toBe(3);
    // A retry-after of one second has to reach the client for it to wait so long, twice.
    expect(Date.now() - started).toBeGreaterThan(name === 'rate-limit' ? 2000 : 500);
    const rows = await gateway.dashboard.settledRows(session, 3);
    expect(rows.map((row) => [row.status, row.errorType, row.outcome])).toEqual([
      [status, type, 'error'],
      [status, type, 'error'],
      [200, null, 'completed'],
    ]);
  });
});

describe('a client that leaves', () => {
  it('in the middle of a stream ends the upstream connection, and its row has the usage until then', async () => {
    const gate = new Gate();
    gateway.upstream.answer(messageAnswer(longMessage(), { gate }));
    const before = count();
    const { sdk, session } = sessionClient(gateway.proxyUrl);
    const stream = await sdk.messages.create({ ...prompt('hi'), stream: true });
    const exchange = await gateway.upstream.request(before);
    gate.release(5);
    let left = 0;
    for await (const event of stream) {
      if (event.type !== 'content_block_delta') continue;
      left = Date.now();
      stream.controller.abort();
    }
    const closed = await exchange.closed;
    expect(closed.aborted).toBe(true);
    expect(closed.at - left).toBeLessThan(1000);
    const [row] = await gateway.dashboard.settledRows(session, 1);
    expect(row).toMatchObject({ outcome: 'aborted', status: 200, inputTokens: 25, stopReason: null });
    const stored = await gateway.dashboard.body(row?.id ?? '', 'response-body');
    expect(stored.bytes.toString()).toContain('The quick brown');
  });

  it.each([
    ['before the answer begins', silentAnswer(), true],
    ['before the first event', silentAnswer({ withHead: true }), true],
    ['during a non-streamed answer', silentAnswer(), false],
  ])('%s ends the upstream connection', async (_, handler, streamed) => {
    gateway.upstream.answer(handler);
    const before = count();
    const { sdk, session } = sessionClient(gateway.proxyUrl);
    const abort = new AbortController();
    const attempt = (async () => {
      const answer = await sdk.messages.create(
        { ...prompt('hi'), stream: streamed },
        { signal: abort.signal },
      );
      if (Symbol.asyncIterator in answer) for await (const _event of answer);
    })().catch((error: unknown) => error);
    const exchange = await gateway.upstream.request(before);
    await exchange.bodyReceived;
    const left = Date.now();
    abort.abort();
    await attempt;
    const closed = await exchange.closed;
    expect(closed.aborted).toBe(true);
    expect(closed.at - left).toBeLessThan(1000);
    const [row] = await gateway.dashboard.settledRows(session, 1);
    expect(row?.outcome).toBe('aborted');
  });
});

describe('a broken upstream', () => {
  it.each<ScenarioName>(['reset-mid-stream', 'cut-mid-stream'])(
    '%s is a cut for the client, and the raw bytes are kept',
    async (name) => {
      gateway.upstream.answer(SCENARIOS[name]());
      const { sdk, session } = sessionClient(gateway.proxyUrl);
      await expect(sdk.messages.stream(prompt('hi')).finalMessage()).rejects.toThrow(
        /terminated|Connection|aborted/i,
      );
      const [row] = await gateway.dashboard.settledRows(session, 1);
      expect(row).toMatchObject({ outcome: 'interrupted', status: 200, streaming: true, inputTokens: 25 });
      const detail = await gateway.dashboard.detail(row?.id ?? '');
      expect(detail.storage.responseForm).toBe('raw');
    },
  );

  it.each<[ScenarioName, number]>([
    ['reset-before-headers', 502],
    ['close-before-headers', 502],
    ['garbage', 502],
  ])('%s is an error in the shape of the API, with its row', async (name, status) => {
    gateway.upstream.answer(SCENARIOS[name]());
    const before = count();
    const { sdk, session } = sessionClient(gateway.proxyUrl);
    const error = await sdk.messages.create(prompt('hi')).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status, error: { type: 'error', error: { type: 'api_error' } } });
    expect(count() - before).toBe(1);
    const [row] = await gateway.dashboard.settledRows(session, 1);
    expect(row).toMatchObject({ outcome: 'error', status });
  });

  it('that sends an error event inside a stream has it passed on and recorded', async () => {
    gateway.upstream.answer(SCENARIOS['error-event-later']());
    const { sdk, session } = sessionClient(gateway.proxyUrl);
    await expect(sdk.messages.stream(prompt('hi')).finalMessage()).rejects.toThrow('Internal server error');
    const [row] = await gateway.dashboard.settledRows(session, 1);
    expect(row).toMatchObject({ outcome: 'error', status: 200, errorType: 'api_error' });
  });
});

describe('a proxy that is killed', () => {
  it('loses nothing that was complete, and shows what was in flight as interrupted', async () => {
    const { sdk, session } = sessionClient(gateway.proxyUrl);
    for (const text of ['one', 'two', 'three']) await sdk.messages.create(prompt(`answer: ${text}`));
    const gate = new Gate();
    const answer = message({ content: [textBlock('0123456789'.repeat(10_000))] });
    gateway.upstream.answer(streamAnswer(messageEvents(answer, { deltaSize: 1000 }), { gate }));
    const before = count();
    const stream = await sdk.messages.create({ ...prompt('hi'), stream: true });
    const exchange = await gateway.upstream.request(before);
    gate.release(60);
    const reading = (async () => {
      let deltas = 0;
      for await (const event of stream) {
        if (event.type !== 'content_block_delta') continue;
        deltas += 1;
        if (deltas !== 50) continue;
        await until('the journal to hold some of the answer', () => gateway.spooled('0123456789'.repeat(50)));
        await gateway.stopProxy('SIGKILL');
      }
    })();
    await expect(reading).rejects.toThrow(/terminated|Connection|aborted/i);
    await gateway.startProxy();
    const rows = await gateway.dashboard.settledRows(session, 4);
    expect(rows.map((row) => row.outcome)).toEqual(['completed', 'completed', 'completed', 'interrupted']);
    const interrupted = rows[3]?.id ?? '';
    const asked = await gateway.dashboard.body(interrupted, 'request-body');
    expect(asked.bytes.equals(exchange.body)).toBe(true);
    // The answer reaches the journal in slices of 32 KiB.
    const arrived = await gateway.dashboard.body(interrupted, 'response-body');
    expect(arrived.bytes.length).toBeGreaterThanOrEqual(32 * 1024);
    const sent = Buffer.concat(messageEvents(answer, { deltaSize: 1000 }).map((item) => itemBytes(item)));
    expect(sent.subarray(0, arrived.bytes.length).equals(arrived.bytes)).toBe(true);
  });
});
