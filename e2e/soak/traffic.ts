import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, request } from 'undici';

import { Random } from '../fixtures/random.ts';
import { malformed } from '../hostile/malformed.ts';
import { WireClient } from '../hostile/wire.ts';
import { CLIENT_KEY, MANAGED } from './soak-site.ts';
import type { SoakSite } from './soak-site.ts';

const CLIENTS = 8;
const MAX_TURNS = 15;
const SYSTEM = 'You are a careful assistant. '.repeat(150);

interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/** What a client does, by how often it does it. */
type Deed = (client: Client) => Promise<void>;

/** Somebody who holds a conversation, and now and then does something else. */
class Client {
  readonly site: SoakSite;
  readonly random: Random;
  #session = randomUUID();
  #turns: Turn[] = [];

  constructor(site: SoakSite, seed: number) {
    this.site = site;
    this.random = new Random(seed);
  }

  /** The next request of the conversation; its last line tells the upstream what to do. */
  body(command: string, stream: boolean): string {
    if (this.#turns.length >= 2 * MAX_TURNS) {
      this.#turns = [];
      this.#session = randomUUID();
    }
    const question: Turn = { role: 'user', content: `${this.random.word(400)}\n${command}` };
    const messages = [...this.#turns, question];
    this.#turns.push(question, { role: 'assistant', content: this.random.word(300) });
    return JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 1000, system: SYSTEM, messages, stream });
  }

  headers(managed: boolean): Record<string, string> {
    return {
      'content-type': 'application/json',
      'x-claude-code-session-id': this.#session,
      ...(managed
        ? { host: MANAGED, 'x-api-key': CLIENT_KEY }
        : { authorization: 'Bearer sk-ant-oat01-soak' }),
    };
  }
}

/** Traffic of a whole team, in the order of how much of it there is. */
export class Traffic {
  readonly #clients: readonly Client[];
  readonly #site: SoakSite;
  readonly #counts = new Map<string, number>();
  #agent = new Agent({ connections: CLIENTS });

  constructor(site: SoakSite, seed: number) {
    this.#site = site;
    this.#clients = Array.from({ length: CLIENTS }, (_, index) => new Client(site, seed + index));
  }

  /** How often what was done. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** So many deeds spread over the time given, on fresh connections; all of them are over when this returns. */
  async round(deeds: number, durationMs: number): Promise<void> {
    const each = Math.ceil(deeds / CLIENTS);
    const started = Date.now();
    const run = async (client: Client): Promise<void> => {
      for (let done = 0; done < each; done += 1) {
        await this.#act(client);
        const due = started + ((done + 1) / each) * durationMs;
        if (due > Date.now()) await pause(due - Date.now());
      }
    };
    await Promise.all(this.#clients.map(run));
    await this.#agent.destroy();
    this.#agent = new Agent({ connections: CLIENTS });
  }

  async #act(client: Client): Promise<void> {
    const drawn = client.random.below(100);
    const [, name, deed] = this.#deeds.find(([below]) => drawn < below) ?? this.#deeds[0]!;
    await deed(client);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  readonly #deeds: readonly (readonly [below: number, name: string, deed: Deed])[] = [
    [30, 'streamed answers', async (client) => this.#ask(client, 'answer: '.padEnd(2000, 'x'), true)],
    [55, 'JSON answers', async (client) => this.#ask(client, 'answer: ok', false)],
    [63, 'token counts', async (client) => this.#count(client)],
    [68, 'errors of the upstream', async (client) => this.#ask(client, 'fail: overloaded', true)],
    [73, 'connections the upstream resets', async (client) => this.#ask(client, 'fail: reset', false)],
    [80, 'streams the client leaves', async (client) => this.#leave(client)],
    [84, 'wrong keys', async (client) => this.#refused(client)],
    [90, 'malformed requests', async (client) => this.#malformed(client)],
    [93, 'token statistics', async () => this.#statistics()],
    [97, 'pages of the dashboard', async () => this.#look()],
    [100, 'event streams of the dashboard', async () => this.#follow()],
  ];

  async #ask(client: Client, command: string, stream: boolean): Promise<void> {
    await this.#post(client, '/v1/messages', client.body(command, stream));
  }

  async #count(client: Client): Promise<void> {
    await this.#post(client, '/v1/messages/count_tokens', '{"model":"m","messages":[]}');
  }

  async #post(client: Client, target: string, body: string): Promise<void> {
    const answer = await request(this.#site.proxyUrl + target, {
      method: 'POST',
      headers: client.headers(client.random.chance(0.5)),
      body,
      dispatcher: this.#agent,
    });
    await answer.body.dump({ limit: 64 * 1024 * 1024 });
  }

  /** Leaves after the first bytes of a stream that would go on for long. */
  async #leave(client: Client): Promise<void> {
    const gone = new AbortController();
    const answer = await request(`${this.#site.proxyUrl}/v1/messages`, {
      method: 'POST',
      headers: client.headers(false),
      body: client.body('slow: 1000 x 50', true),
      signal: gone.signal,
    });
    answer.body.on('error', () => undefined);
    answer.body.once('data', () => gone.abort());
    await new Promise((resolve) => {
      answer.body.once('close', resolve);
    });
  }

  async #refused(client: Client): Promise<void> {
    const answer = await request(`${this.#site.proxyUrl}/v1/messages`, {
      method: 'POST',
      headers: { ...client.headers(true), 'x-api-key': 'wrong' },
      body: '{}',
      dispatcher: this.#agent,
    });
    await answer.body.dump();
  }

  async #malformed(client: Client): Promise<void> {
    const wire = await WireClient.to(this.#site.proxyUrl);
    await wire.write(malformed(client.random, randomUUID()).bytes).settle(1, 5000);
    wire.destroy();
  }

  async #statistics(): Promise<void> {
    const headers = { host: MANAGED, 'x-api-key': CLIENT_KEY };
    const answer = await request(`${this.#site.proxyUrl}/token-stats`, { headers, dispatcher: this.#agent });
    await answer.body.dump();
  }

  async #look(): Promise<void> {
    const answer = await this.#site.dashboard.fetch('/api/requests?limit=20');
    const { requests } = (await answer.json()) as { requests: { id: string }[] };
    for (const target of [`/api/requests/${requests[0]?.id}`, '/api/storage-stats']) {
      await (await this.#site.dashboard.fetch(target)).arrayBuffer();
    }
  }

  /** Listens for the first event. */
  async #follow(): Promise<void> {
    const stop = new AbortController();
    for await (const _ of this.#site.dashboard.events(stop.signal)) stop.abort();
  }
}
