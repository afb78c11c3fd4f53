import { setTimeout as delay } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';

import type { LoadOptions, LoadReport } from './protocol.ts';

/*
 * The clients of a load, as a process of the tester's pod: the official SDK with its own retries. Prints a line for whatever
 * happens and ends with its standard input.
 */

const { url, apiKey, streams, clients, thinkMs } = JSON.parse(process.argv[2] ?? '{}') as LoadOptions;
const MODEL = 'claude-sonnet-4-5';
/** Pace of a stream: words, half a second apart. */
const WORD_MS = 500;
/** 62 to 82 seconds, so that streams do not end all at once. */
const FEWEST_WORDS = 124;
const MORE_WORDS = 40;

function report(line: LoadReport): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const sdk = new Anthropic({
  apiKey,
  baseURL: url,
  fetch: (input, init) => {
    const attempt = Number(new Headers(init?.headers).get('x-stainless-retry-count') ?? 0);
    if (attempt > 0) report({ kind: 'retry' });
    return fetch(input, init);
  },
});

const parametersOf = (content: string) => ({
  model: MODEL,
  max_tokens: 1000,
  messages: [{ role: 'user' as const, content }],
});

const idOf = (response: Response): string => response.headers.get('request-id') ?? '';

async function stream(words: number): Promise<void> {
  const { data, response } = await sdk.messages
    .create({ ...parametersOf(`slow: ${words} x ${WORD_MS}`), stream: true })
    .withResponse();
  let isOpen = false;
  let isComplete = false;
  try {
    for await (const event of data) {
      if (!isOpen) report({ kind: 'opened' });
      isOpen = true;
      isComplete = event.type === 'message_stop';
    }
  } finally {
    if (isOpen) report({ kind: 'closed' });
  }
  if (!isComplete) throw new Error(`the stream ${idOf(response)} ended before its message`);
  report({ kind: 'answer', id: idOf(response), isStream: true });
}

/** As a newcomer: over a connection of its own, which any pod of the Service may get. */
async function ask(question: string): Promise<void> {
  const { response } = await sdk.messages
    .create(parametersOf(question), { headers: { connection: 'close' } })
    .withResponse();
  report({ kind: 'answer', id: idOf(response), isStream: false });
}

async function forEver(
  what: string,
  thinkTime: number,
  once: (turn: number) => Promise<void>,
): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    try {
      await once(turn);
    } catch (error) {
      report({
        kind: 'failure',
        error: `${what}: ${error instanceof Error ? error.message : String(error)}`,
      });
    }
    await delay(thinkTime);
  }
}

for (let index = 0; index < streams; index += 1) {
  void forEver(`stream ${index}`, 0, (turn) => stream(FEWEST_WORDS + ((7 * index + 11 * turn) % MORE_WORDS)));
}
for (let index = 0; index < clients; index += 1) {
  void forEver(`client ${index}`, thinkMs, (turn) => ask(`question ${turn} of client ${index}`));
}
process.stdin.resume().once('end', () => process.exit());
