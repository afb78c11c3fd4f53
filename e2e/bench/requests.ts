import { crc32 } from 'node:zlib';

import { jsonAnswer, orderHeader, streamEvents } from './answers.ts';
import type { AnswerOrder } from './answers.ts';
import { BenchSession } from './bodies.ts';
import type { BodyShape } from './bodies.ts';
import { Random } from '../fixtures/random.ts';
import type { TextPool } from './random-text.ts';

/** A request ready to be sent, and what the answer must be. */
export interface BenchRequest {
  readonly order: AnswerOrder;
  readonly head: Buffer;
  readonly body: Buffer;
  /** What `request-id` must say if every byte of the body arrived. */
  readonly receipt: string;
  /** crc32 and length of the answer's body. */
  readonly answerCrc: number;
  readonly answerBytes: number;
}

export type AnswerShape = Omit<AnswerOrder, 'seed'>;

/** Makes requests that differ from each other in all they say. */
export class RequestFactory {
  readonly pool: TextPool;
  readonly #random = new Random(7);
  #seed = 0;

  constructor(pool: TextPool) {
    this.pool = pool;
  }

  session(shape: BodyShape): BenchSession {
    return new BenchSession(shape, this.pool, this.#random);
  }

  /** The request of the session's turn at hand; the session is then at its next turn. */
  turn(session: BenchSession, answer: AnswerShape): BenchRequest {
    const order = { ...answer, seed: ++this.#seed };
    const body = session.body();
    const expected = this.#answer(order);
    session.nextTurn(order);
    return {
      order,
      head: Buffer.from(requestHead(session.id, body.length, order)),
      body,
      receipt: `${crc32(body).toString(16)}-${body.length}`,
      answerCrc: crc32(expected),
      answerBytes: expected.length,
    };
  }

  #answer(order: AnswerOrder): string {
    if (order.mode === 'silent') return '';
    return order.mode === 'json' ? jsonAnswer(this.pool, order) : streamEvents(this.pool, order).join('');
  }
}

function requestHead(sessionId: string, length: number, order: AnswerOrder): string {
  return (
    'POST /v1/messages?beta=true HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer sk-ant-a-key-for-the-benchmark\r\n' +
    'Content-Type: application/json\r\nUser-Agent: claude-cli/2.1.330 (external, cli)\r\n' +
    `X-Claude-Code-Session-Id: ${sessionId}\r\nx-app: cli\r\nanthropic-version: 2023-06-01\r\n` +
    'anthropic-beta: claude-code-20250219,interleaved-thinking-2025-05-14,effort-2025-11-24\r\n' +
    'anthropic-dangerous-direct-browser-access: true\r\nX-Stainless-Arch: x64\r\nX-Stainless-Lang: js\r\n' +
    'X-Stainless-OS: Linux\r\nX-Stainless-Package-Version: 0.128.0\r\nX-Stainless-Retry-Count: 0\r\n' +
    'X-Stainless-Runtime: node\r\nX-Stainless-Timeout: 600\r\nAccept: application/json\r\n' +
    `Accept-Encoding: gzip, deflate, br, zstd\r\nx-bench: ${orderHeader(order)}\r\nContent-Length: ${length}\r\n\r\n`
  );
}
