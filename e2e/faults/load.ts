import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, request } from 'undici';

import { until } from '../fixtures/program.ts';

/** Whether the runs of minutes are asked for. */
export const LONG = process.env['FAULTS'] === 'long';
/** Why they are skipped otherwise. */
export const LONG_ONLY = 'takes minutes; FAULTS=long runs it';

/** The credential of every client: all rows belong to one account. */
export const API_KEY = 'sk-ant-api03-faults';

/** An answer that a client has received to its last byte. */
export interface Receipt {
  /** The upstream's `request-id`. */
  readonly requestId: string;
  readonly status: number;
  /** When the last byte was seen, in milliseconds since the epoch. */
  readonly receivedAt: number;
  /** SHA-256 in hex of what was sent. */
  readonly requestSha256: string;
  /** SHA-256 in hex of a non-streamed answer. */
  readonly responseSha256?: string;
  /** The text that the deltas of a streamed answer amount to. */
  readonly text?: string;
}

/** One request to be sent. */
export interface Shot {
  readonly body: string | Buffer;
  readonly session?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called with the answer's text so far, whenever more of a stream has come. */
  readonly onText?: (text: string) => void;
}

export const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Sends one request and reads the answer to its end. @throws when the answer is cut or there is none */
export async function send(url: string, shot: Shot, dispatcher?: Agent): Promise<Receipt> {
  const answer = await request(`${url}/v1/messages`, {
    method: 'POST',
    headers: {
      'x-api-key': API_KEY,
      'content-type': 'application/json',
      'x-claude-code-session-id': shot.session ?? randomUUID(),
      ...shot.headers,
    },
    body: shot.body,
    ...(dispatcher && { dispatcher }),
  });
  const chunks: Buffer[] = [];
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    shot.onText?.(Buffer.concat(chunks).toString());
  }
  const receivedAt = Date.now();
  const bytes = Buffer.concat(chunks);
  const streamed = String(answer.headers['content-type']).startsWith('text/event-stream');
  return {
    requestId: String(answer.headers['request-id']),
    status: answer.statusCode,
    receivedAt,
    requestSha256: sha256(shot.body),
    ...(streamed ? { text: textOf(bytes.toString()) } : { responseSha256: sha256(bytes) }),
  };
}

function textOf(stream: string): string {
  let text = '';
  for (const line of stream.split('\n')) {
    if (!line.startsWith('data:')) continue;
    const { delta } = JSON.parse(line.slice(5)) as { delta?: { text?: string } };
    text += delta?.text ?? '';
  }
  return text;
}

const MAX_TURNS = 12;
const SYSTEM = `You are a careful assistant. ${'Rules are rules. '.repeat(200)}`;

interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: unknown;
}

/** A conversation that grows by a turn with every request, as a real session does. */
class Conversation {
  readonly #name: string;
  #session = randomUUID();
  #messages: Turn[] = [];
  #sent = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** The next request; every other one asks for a stream. */
  next(): Shot {
    if (this.#messages.length >= 2 * MAX_TURNS) {
      this.#messages = [];
      this.#session = randomUUID();
    }
    this.#sent += 1;
    const prompt = `question ${this.#sent} of ${this.#name} ${randomUUID()} ${'context '.repeat(100)}`;
    const content = [{ type: 'text', text: prompt, cache_control: { type: 'ephemeral' } }];
    const body = {
      model: 'claude-opus-5-5',
      max_tokens: 1000,
      system: SYSTEM,
      messages: [...this.#messages, { role: 'user', content }],
      stream: this.#sent % 2 === 0,
    };
    this.#messages.push(
      { role: 'user', content: [{ type: 'text', text: prompt }] },
      { role: 'assistant', content: `answer ${this.#sent} ${randomUUID()}` },
    );
    return { body: JSON.stringify(body), session: this.#session };
  }
}

/** What a load is made of. */
export interface LoadOptions {
  /** Proxies, used in turn. */
  readonly urls: readonly string[];
  readonly clients?: number;
  /** Milliseconds a client thinks between two requests: bounds the load. */
  readonly thinkMs?: number;
}

/** Clients that hold conversations until they are told to stop. */
export class Load {
  /** Answers of the upstream received in full. */
  readonly receipts: Receipt[] = [];
  /** Answers of the proxy itself: it takes no new work. */
  refused = 0;
  /** Requests that got no answer, or not all of it. */
  readonly failures: Error[] = [];
  readonly #options: LoadOptions;
  readonly #agent = new Agent({ connections: 8 });
  readonly #clients: Promise<void>[];
  readonly #stop = new AbortController();
  #count = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#clients = Array.from({ length: options.clients ?? 4 }, (_, index) => this.#run(`client ${index}`));
  }

  /** Waits until so many answers more have been received. */
  async more(count: number): Promise<void> {
    const wanted = this.receipts.length + count;
    await until(`${count} answers more`, async () => (this.receipts.length >= wanted ? true : undefined));
  }

  /** Lets the clients finish the request they are at. */
  async stop(): Promise<readonly Receipt[]> {
    this.#stop.abort();
    await Promise.all(this.#clients);
    await this.#agent.close();
    return this.receipts;
  }

  async #run(name: string): Promise<void> {
    const { urls, thinkMs = 60 } = this.#options;
    const conversation = new Conversation(name);
    while (!this.#stop.signal.aborted) {
      this.#count += 1;
      try {
        const url = urls[this.#count % urls.length] ?? '';
        const receipt = await send(url, conversation.next(), this.#agent);
        if (receipt.status === 200) this.receipts.push(receipt);
        else this.refused += 1;
      } catch (error) {
        this.failures.push(error as Error);
      }
      await pause(thinkMs);
    }
  }
}
