import { createIdFactory } from '@claude-nexus/domain';
import type { JournalExchange, StoredEnd, StoredHeaders } from '../../journal/types.ts';

/** 2026-11-23T12:00:00Z. */
const START = Date.UTC(2026, 10, 23, 12);

const nextId = createIdFactory({ now: () => START, random: (size) => Buffer.alloc(size, 7) });

/** What a test says of an exchange; the rest is a completed, non-streamed answer without a body. */
export interface ExchangeScript {
  path?: string;
  headers?: StoredHeaders;
  request?: string | Buffer;
  /** Absent: no answer came. */
  status?: number;
  responseHeaders?: StoredHeaders;
  response?: string | Buffer;
  /** Flat: milliseconds after the start, bytes. */
  chunks?: number[];
  end?: Partial<StoredEnd>;
  closing?: JournalExchange['closing'] | null;
  recordBody?: boolean;
  requestComplete?: boolean;
}

/** An exchange as the journal would give it; `close` turns an open one into a closed one. */
export function journalExchange(
  script: ExchangeScript = {},
): JournalExchange & { close(rest?: ExchangeScript): void } {
  let current = script;

  return {
    id: nextId(),
    recovered: false,
    damaged: false,
    lost: undefined,
    get begin() {
      return {
        startedAt: START,
        method: 'POST',
        path: current.path ?? '/v1/messages?beta=true',
        domain: 'gateway.test',
        scope: 'domain:gateway.test',
        headers: current.headers ?? [
          'content-type',
          'application/json',
          'x-claude-code-session-id',
          'session-1',
        ],
        recordBody: current.recordBody ?? true,
      };
    },
    get requestComplete() {
      return current.requestComplete ?? true;
    },
    get requestLength() {
      return bytes(current.request).length;
    },
    get responseLength() {
      return bytes(current.response).length;
    },
    get head() {
      if (current.status === undefined) return undefined;
      const headers = current.responseHeaders ?? ['content-type', 'application/json', 'request-id', 'req_1'];
      return { status: current.status, headers, at: START + 100 };
    },
    get closing() {
      return current.closing === null ? undefined : (current.closing ?? 'end');
    },
    get end() {
      if (current.closing !== undefined && current.closing !== 'end') return undefined;
      return {
        outcome: 'completed' as const,
        endedAt: START + 1500,
        requestLength: bytes(current.request).length,
        responseLength: bytes(current.response).length,
        ...current.end,
      };
    },
    requestBody: (allocate = (length) => Buffer.alloc(length)) => {
      const body = allocate(bytes(current.request).length);
      bytes(current.request).copy(body);
      return body;
    },
    response: () => ({
      bytes: bytes(current.response),
      chunks: current.chunks ?? [100, bytes(current.response).length],
    }),
    close(rest = {}) {
      current = { ...current, ...rest, closing: rest.closing ?? 'end' };
    },
  };
}

function bytes(value: string | Buffer | undefined): Buffer {
  return Buffer.from(value ?? '');
}

/** Bytes of an event stream. */
export function eventStream(events: readonly Record<string, unknown>[]): string {
  return events
    .map((event) => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`)
    .join('');
}

/** A Messages API body of a session with so many messages; later bodies of a session start with the earlier ones. */
export function sessionBody(messages: number, model = 'claude-opus-5-5'): string {
  const list = Array.from({ length: messages }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: [{ type: 'text', text: `message ${index} ${'lorem ipsum '.repeat(60)}` }],
  }));
  return JSON.stringify({ model, messages: list, max_tokens: 100, stream: true });
}
