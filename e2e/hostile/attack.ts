import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import { jsonAnswer } from '../fixtures/upstream/answers.ts';
import { malformed } from './malformed.ts';
import { Random } from '../fixtures/random.ts';
import { readRequest } from './strict-parser.ts';
import { WireClient } from './wire.ts';
import type { Exchange } from '../fixtures/upstream/exchange.ts';
import type { WireAnswer } from './wire.ts';

/** Every so many-th request is a good one with a few bytes changed. */
const CHANGED_ONE_IN = 5;
const CONNECTIONS = 24;
const MARK = /\b[cms]-[a-z0-9]{12}\b/g;
const MARK_CHARACTERS = Array.from('0123456789abcdefghjkmnpqrstvwxyz');
/** Of 2^32, odd: puts seeds of neighbours far apart. */
const GOLDEN_RATIO = 0x9e_37_79_b1;
/** What may come of a good request in which bytes have changed. */
const ANY_STATUS = new Set([200, 400, 403, 404, 405, 408, 411, 413, 417, 431, 503]);

/** A good request with contents nobody else has. */
interface Canary {
  readonly bytes: string;
  readonly target: string;
  readonly id: string;
}

/** Answers with what arrived, so that an answer on the wrong connection gives itself away. */
export async function echo(received: Exchange): Promise<void> {
  const body = (await received.bodyReceived).toString('latin1');
  await jsonAnswer({ type: 'message', target: received.target, sha256: digest(body) })(received);
}

/** Malformed requests on many connections, with good ones before, between and beside them. */
export class Attack {
  /** Good requests that were sent: they must have arrived, once each. Body by target. */
  readonly canaries = new Map<string, string>();
  /** Requests a strict reader finds good: they may have arrived, but only so. Body by target. */
  readonly permitted = new Map<string, string>();
  /** What was not as it must be. */
  readonly problems: string[] = [];
  readonly #url: string;
  readonly #seed: number;
  #random: Random;
  readonly #covers = new Map<string, string>();
  #left = 0;

  /** @param url of the proxy, whose upstream answers with `echo` */
  constructor(url: string, seed: number) {
    this.#url = url;
    this.#seed = seed;
    this.#random = new Random(seed);
  }

  async run(requests: number): Promise<void> {
    this.#left = requests;
    const attackers = Array.from({ length: CONNECTIONS }, async () => this.#attack());
    await Promise.all([...attackers, this.#serve(), this.#serve()]);
  }

  /** What stood before a request that was not to be taken for one. */
  coverOf(target: string): string {
    return this.#covers.get(target) ?? target;
  }

  async #attack(): Promise<void> {
    while (this.#left > 0) {
      this.#left -= 1;
      // Each from its own seed: what is sent does not depend on which connection is ready first.
      this.#random = new Random(this.#seed + Math.imul(this.#left, GOLDEN_RATIO));
      const sent = this.#left % CHANGED_ONE_IN === 0 ? this.#sendChanged() : this.#sendMalformed();
      await sent.catch((error: unknown) => this.problems.push(String(error)));
    }
  }

  /** One connection on which good requests go through one after the other. */
  async #serve(): Promise<void> {
    const client = await WireClient.to(this.#url);
    for (let served = 1; this.#left > 0; served += 1) {
      const canary = this.#canary();
      const answers = await client.write(canary.bytes).settle(served);
      if (answers.length !== served) this.problems.push(`no answer to ${canary.target}`);
      this.#checkCanary(answers.at(-1), canary, canary.target);
    }
    client.destroy();
  }

  /** A malformed request, often behind a good one and before one that is not to be seen. */
  async #sendMalformed(): Promise<void> {
    const hostile = malformed(this.#random, this.#mark('m'));
    // CONNECT takes the connection away from what is still being answered on it.
    const before = this.#random.chance(0.25) && hostile.kind !== 'CONNECT' ? this.#canary() : undefined;
    const after = this.#random.chance(0.5) && !hostile.framed ? this.#hidden(hostile.bytes) : '';
    const client = await WireClient.to(this.#url);
    try {
      client.write((before?.bytes ?? '') + hostile.bytes + after);
      const answers = await client.settle(before === undefined ? 1 : 2);
      const place = before === undefined ? 'alone' : 'behind a good one';
      const context = `${hostile.kind}, ${place}: ${brief(hostile.bytes)} got ${brief(client.text)}`;
      if (before !== undefined) this.#checkCanary(answers[0], before, context);
      const refusals = before === undefined ? answers : answers.slice(1);
      // A fault behind a request that is still being answered ends the connection after that answer.
      assert.ok(refusals.length <= 1 && answers.length >= 1, context);
      for (const refusal of refusals) checkRefusal(refusal, hostile.statuses, context);
      assert.deepEqual(marksIn(client.text), before === undefined ? [] : [before.id], context);
    } finally {
      client.destroy();
    }
  }

  /** A good request in which a few bytes have changed: whatever comes of it, it is what a strict reader finds. */
  async #sendChanged(): Promise<void> {
    const original = this.#canary();
    this.canaries.delete(original.target);
    const start = this.#changed(original.bytes.replace('c-', 'm-'));
    const bytes = start + this.#hidden(start);
    const reading = readRequest(bytes);
    this.#permit(reading);
    const client = await WireClient.to(this.#url);
    try {
      const answers = await client.write(bytes).settle(1, reading.kind === 'incomplete' ? 50 : 2000);
      for (const { status } of answers) {
        assert.ok(ANY_STATUS.has(status), `${status} for ${brief(bytes)}`);
        assert.ok(reading.kind !== 'malformed' || status >= 400, `${status} for malformed ${brief(bytes)}`);
      }
    } finally {
      client.destroy();
    }
  }

  /** Notes what a strict reader finds, and what follows it. */
  #permit(reading: ReturnType<typeof readRequest>): void {
    if (reading.kind === 'request') this.permitted.set(reading.target, reading.body);
    if (reading.kind === 'request' || reading.kind === 'refused') this.#permit(readRequest(reading.rest));
  }

  #changed(bytes: string): string {
    const random = this.#random;
    let text = bytes;
    for (let count = 1 + random.below(3); count > 0; count -= 1) {
      const at = random.below(text.length);
      const odd = random.pick(['\r', '\n', '\0', ' ', '\t', ':', ',', ';', '0', '9', 'f', random.bytes(1)]);
      const kept = random.pick([at, at + 1, at + 1 + random.below(4)]);
      text = text.slice(0, at) + (random.chance(0.3) ? '' : odd) + text.slice(kept);
    }
    return text;
  }

  #canary(): Canary {
    const id = this.#mark('c');
    const target = `/v1/messages?id=${id}`;
    const pad = this.#random.word(1 + this.#random.below(300));
    const body = JSON.stringify({ model: 'claude', id, messages: [], pad });
    this.canaries.set(target, body);
    const framed = this.#random.chance(0.5)
      ? `Content-Length: ${body.length}\r\n\r\n${body}`
      : `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    return { bytes: `POST ${target} HTTP/1.1\r\nHost: a.example\r\n${framed}`, target, id };
  }

  /** What would be a good request if what stands before it, `cover`, were understood otherwise. */
  #hidden(cover: string): string {
    const target = `/v1/messages?id=${this.#mark('s')}`;
    this.#covers.set(target, brief(cover));
    return `POST ${target} HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\n{}`;
  }

  #mark(kind: 'c' | 'm' | 's'): string {
    return `${kind}-${Array.from({ length: 12 }, () => this.#random.pick(MARK_CHARACTERS)).join('')}`;
  }

  #checkCanary(answer: WireAnswer | undefined, { target, id }: Canary, context: string): void {
    assert.equal(answer?.status, 200, context);
    const sha256 = digest(this.canaries.get(target) ?? '');
    assert.deepEqual(JSON.parse(answer.body), { type: 'message', target, sha256 }, context);
    assert.deepEqual(marksIn(answer.body), [id], context);
  }
}

function checkRefusal(answer: WireAnswer, statuses: readonly number[], context: string): void {
  assert.ok(statuses.includes(answer.status), context);
  const { type, error } = JSON.parse(answer.body) as { type: string; error: { type: string } };
  assert.deepEqual([type, error.type], ['error', 'invalid_request_error'], context);
  assert.equal(answer.headers.get('x-should-retry'), 'false', context);
}

/** The marks of requests in a text. */
function marksIn(text: string): string[] {
  return [...new Set(text.match(MARK))];
}

function digest(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex');
}

function brief(text: string): string {
  return JSON.stringify(text.slice(0, 400));
}
