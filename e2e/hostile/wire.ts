import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** One answer as it stood on the wire. */
export interface WireAnswer {
  readonly status: number;
  /** Names in lower case; of a repeated header the last. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** One end of a TCP connection, driven byte by byte: nothing between a test and the wire. */
export class WireClient {
  readonly #socket: Socket;
  readonly #chunks: Buffer[] = [];
  readonly #waiting = new Set<() => void>();
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#wake();
    });
    for (const event of ['end', 'error', 'close']) {
      socket.on(event, () => {
        this.#closed = true;
        this.#wake();
      });
    }
  }

  /** @param url address of a server on this machine */
  static async to(url: string): Promise<WireClient> {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new WireClient(socket);
  }

  /** True once the other side has ended or reset the connection. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Everything received, one character per byte. */
  get text(): string {
    return Buffer.concat(this.#chunks).toString('latin1');
  }

  /** The answers that have arrived as a whole, and what is left over. */
  get answers(): { readonly whole: readonly WireAnswer[]; readonly rest: string } {
    return readAnswers(this.text);
  }

  /** @param bytes text with one character per byte */
  write(bytes: string): this {
    if (!this.#socket.destroyed) this.#socket.write(Buffer.from(bytes, 'latin1'));
    return this;
  }

  /** Waits for so many whole answers, the end of the connection, or the time limit, whichever is first. */
  async settle(answers: number, timeoutMs = 30_000): Promise<readonly WireAnswer[]> {
    const deadline = Date.now() + timeoutMs;
    while (!this.#closed && this.answers.whole.length < answers) {
      const left = deadline - Date.now();
      if (left <= 0) break;
      await this.#change(left);
    }
    return this.answers.whole;
  }

  /** Waits for the other side to end the connection. @throws Error when it does not */
  async ended(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!this.#closed) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`the connection is still open; received ${JSON.stringify(this.text)}`);
      await this.#change(left);
    }
  }

  /** Ends with a reset, which leaves no connection waiting behind. */
  destroy(): void {
    this.#socket.resetAndDestroy();
  }

  async #change(timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    this.#waiting.add(resolve);
    await promise;
    this.#waiting.delete(resolve);
    clearTimeout(timer);
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
  }
}

/** One request on a connection of its own, to its answer. @throws Error when none comes */
export async function exchange(url: string, bytes: string): Promise<WireAnswer> {
  const client = await WireClient.to(url);
  try {
    const [answer] = await client.write(bytes).settle(1);
    if (answer === undefined) throw new Error(`no answer, only ${JSON.stringify(client.text)}`);
    return answer;
  } finally {
    client.destroy();
  }
}

function readAnswers(text: string): { whole: WireAnswer[]; rest: string } {
  const whole: WireAnswer[] = [];
  let rest = text;
  for (;;) {
    const read = readAnswer(rest);
    if (read === undefined) return { whole, rest };
    // What comes before the real answer is none itself.
    if (read.answer.status >= 200) whole.push(read.answer);
    rest = rest.slice(read.length);
  }
}

function readAnswer(text: string): { answer: WireAnswer; length: number } | undefined {
  const headEnd = text.indexOf('\r\n\r\n') + 4;
  if (headEnd < 4) return undefined;
  const [start = '', ...lines] = text.slice(0, headEnd - 4).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(start)?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) return undefined;
  const headers = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const body = status < 200 ? { text: '', end: headEnd } : readBody(text, headEnd, headers);
  return body && { answer: { status, headers, body: body.text }, length: body.end };
}

function readBody(
  text: string,
  start: number,
  headers: ReadonlyMap<string, string>,
): { text: string; end: number } | undefined {
  if (headers.get('transfer-encoding') !== 'chunked') {
    const end = start + Number(headers.get('content-length') ?? 0);
    return text.length < end ? undefined : { text: text.slice(start, end), end };
  }
  let [body, at] = ['', start];
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (Number.isNaN(size) || text.length < next) return undefined;
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = next;
    if (size === 0) return { text: body, end: at };
  }
}
