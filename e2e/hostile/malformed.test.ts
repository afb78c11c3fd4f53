import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { TestGateway } from '../fixtures/gateway.ts';
import { jsonAnswer } from '../fixtures/upstream/answers.ts';
import type { Exchange } from '../fixtures/upstream/exchange.ts';
import { malformed } from './malformed.ts';
import { Random } from './random.ts';
import { readRequest } from './strict-parser.ts';
import { exchange, WireClient } from './wire.ts';
import type { WireAnswer } from './wire.ts';

const SEED = Number(process.env['HOSTILE_SEED'] ?? 20_261_123);
const REQUESTS = Number(process.env['HOSTILE_REQUESTS'] ?? 10_000);
/** Every so many-th of them is a good request with a few bytes changed. */
const CHANGED_ONE_IN = 5;
const CONNECTIONS = 24;
const MARK = /\b[cms]-[a-z0-9]{12}\b/g;

let gateway: TestGateway;
/** Good requests that were sent: they must have arrived, once each. Target and body. */
const canaries = new Map<string, string>();
/** Requests a strict reader finds good: they may have arrived, but only so. Target and body. */
const permitted = new Map<string, string>();
/** What stood before each hidden request. */
const covers = new Map<string, string>();
const random = new Random(SEED);
const mark = (kind: 'c' | 'm' | 's'): string =>
  `${kind}-${Array.from({ length: 12 }, () => random.pick([...'0123456789abcdefghjkmnpqrstvwxyz'])).join('')}`;

/** The marks of requests in a text. */
const marksIn = (text: string): string[] => [...new Set(text.match(MARK))];
const digest = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex');

beforeAll(async () => {
  gateway = await TestGateway.start();
  gateway.upstream.answer(echo);
});
afterAll(() => gateway.stop());

/** Answers with what arrived, so that an answer on the wrong connection gives itself away. */
async function echo(received: Exchange): Promise<void> {
  const body = (await received.bodyReceived).toString('latin1');
  await jsonAnswer({ type: 'message', target: received.target, sha256: digest(body) })(received);
}

/** A good request with contents nobody else has. */
function canary(): { bytes: string; target: string; id: string } {
  const id = mark('c');
  const target = `/v1/messages?id=${id}`;
  const body = JSON.stringify({ model: 'claude', id, messages: [], pad: random.word(1 + random.below(300)) });
  canaries.set(target, body);
  const framed = random.chance(0.5)
    ? `Content-Length: ${body.length}\r\n\r\n${body}`
    : `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  return { bytes: `POST ${target} HTTP/1.1\r\nHost: a.example\r\n${framed}`, target, id };
}

/** What would be a good request if what stands before it, `cover`, were understood otherwise. */
function hidden(cover: string): string {
  const target = `/v1/messages?id=${mark('s')}`;
  covers.set(target, cover);
  return `POST ${target} HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\n{}`;
}

function expectCanary(answer: WireAnswer | undefined, target: string, context = target): void {
  expect(answer?.status, context).toBe(200);
  expect(JSON.parse(answer?.body ?? ''), context).toEqual({
    type: 'message',
    target,
    sha256: digest(canaries.get(target) ?? ''),
  });
}

const brief = (text: string): string => JSON.stringify(text.slice(0, 400));

/** A malformed request, often behind a good one and before one that is not to be seen. */
async function sendMalformed(): Promise<void> {
  const hostile = malformed(random, mark('m'));
  // CONNECT takes the connection away from what is still being answered on it.
  const before = random.chance(0.25) && hostile.kind !== 'CONNECT' ? canary() : undefined;
  const after = random.chance(0.5) && !hostile.framed ? hidden(hostile.bytes) : '';
  const client = await WireClient.to(gateway.proxyUrl);
  try {
    const sent = (before?.bytes ?? '') + hostile.bytes + after;
    const [first, ...others] = await client.write(sent).settle(before === undefined ? 1 : 2);
    const refusals = before === undefined ? [first, ...others] : others;
    const place = before === undefined ? 'alone' : 'behind a good one';
    const context = `${hostile.kind}, ${place}: ${brief(hostile.bytes)} got ${brief(client.text)}`;
    if (before !== undefined) expectCanary(first, before.target, context);
    // A fault behind a request that is still being answered ends the connection after that answer.
    expect(refusals.length, context).toBeGreaterThanOrEqual(before === undefined ? 1 : 0);
    expect(refusals.length, context).toBeLessThanOrEqual(1);
    for (const refusal of refusals) expectRefusal(refusal, hostile.statuses, context);
    expect(marksIn(client.text), context).toEqual(before === undefined ? [] : [before.id]);
  } finally {
    client.destroy();
  }
}

function expectRefusal(answer: WireAnswer | undefined, statuses: readonly number[], context: string): void {
  expect(statuses, context).toContain(answer?.status);
  expect(JSON.parse(answer?.body ?? ''), context).toMatchObject({
    type: 'error',
    error: { type: 'invalid_request_error' },
  });
  expect(answer?.headers.get('x-should-retry'), context).toBe('false');
}

/** A good request in which a few bytes have changed: whatever comes of it, it must be what a strict reader finds. */
async function sendChanged(): Promise<void> {
  const original = canary();
  canaries.delete(original.target);
  const start = changed(original.bytes.replace('c-', 'm-'));
  const bytes = start + hidden(start);
  const client = await WireClient.to(gateway.proxyUrl);
  try {
    const reading = readRequest(bytes);
    permit(reading);
    client.write(bytes);
    await client.settle(1, reading.kind === 'incomplete' ? 50 : 2000);
    for (const answer of client.answers.whole) {
      expect([200, 400, 403, 404, 405, 408, 411, 413, 417, 431, 503], JSON.stringify(bytes)).toContain(
        answer.status,
      );
      if (reading.kind === 'malformed')
        expect(answer.status, JSON.stringify(bytes)).toBeGreaterThanOrEqual(400);
    }
  } finally {
    client.destroy();
  }
}

/** Notes what a strict reader finds, and what follows it. */
function permit(reading: ReturnType<typeof readRequest>): void {
  if (reading.kind !== 'request') return;
  permitted.set(reading.target, reading.body);
  permit(readRequest(reading.rest));
}

function changed(bytes: string): string {
  let text = bytes;
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const at = random.below(text.length);
    const odd = random.pick(['\r', '\n', '\0', ' ', '\t', ':', ',', ';', '0', '9', 'f', random.bytes(1)]);
    const kept = random.pick([at, at + 1, at + 1 + random.below(4)]);
    text = text.slice(0, at) + (random.chance(0.3) ? '' : odd) + text.slice(kept);
  }
  return text;
}

describe(`${REQUESTS} malformed requests (seed ${SEED})`, () => {
  it('are refused one by one while good ones are served, and never mixed up with those', async () => {
    let left = REQUESTS;
    const problems: string[] = [];
    const attack = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await (left % CHANGED_ONE_IN === 0 ? sendChanged() : sendMalformed()).catch((error: unknown) => {
          problems.push(String(error));
        });
      }
    };
    const serve = async (): Promise<void> => {
      const client = await WireClient.to(gateway.proxyUrl);
      for (let served = 1; left > 0; served += 1) {
        const { bytes, target, id } = canary();
        const answers = await client.write(bytes).settle(served);
        expect(answers).toHaveLength(served);
        expectCanary(answers.at(-1), target);
        expect(marksIn(answers.at(-1)?.body ?? '')).toEqual([id]);
      }
      client.destroy();
    };
    await Promise.all([...Array.from({ length: CONNECTIONS }, attack), serve(), serve()]);
    expect(problems).toEqual([]);
  }, 120_000);

  it('have left nothing at the upstream but the good ones, each once and with its own body', () => {
    const arrived = gateway.upstream.requests.filter((received) => received.bodyComplete);
    const seen = new Map(arrived.map((received) => [received.target, received.body.toString('latin1')]));
    const strangers = [...seen].filter(([target]) => !canaries.has(target) && !permitted.has(target));
    expect(strangers.map(([target]) => brief(covers.get(target) ?? target))).toEqual([]);
    expect(seen.size).toBe(arrived.length);
    const missing = [...canaries.keys()].filter((target) => !seen.has(target));
    expect(missing).toEqual([]);
    for (const [target, body] of seen) expect(body).toBe(canaries.get(target) ?? permitted.get(target));
  });

  it('have left the gateway as it was', async () => {
    const health = await exchange(gateway.proxyUrl, 'GET /health/ready HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(health.status).toBe(200);
    const levels = gateway.proxyLog
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { level: string; msg: string })
      .filter(({ level }) => level === 'error' || level === 'fatal');
    expect(levels).toEqual([]);
  });
});
