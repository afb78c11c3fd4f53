import type { RequestSummary, StatsEvent } from '@claude-nexus/api-contract';

/** What a page does with pushed events. */
export interface EventHandlers {
  request(summary: RequestSummary): void;
  stats?(stats: StatsEvent): void;
  /** Events were missed: read again. */
  reset(): void;
  connection?(state: 'live' | 'connecting'): void;
  /** The stream was refused; the session may have ended. */
  refused(): void;
}

const REOPEN_MS = 3000;

/**
 * Opens the event stream and keeps it open while the page can be seen.
 *
 * @returns a function that closes the stream
 */
export function openEvents(handlers: EventHandlers): () => void {
  const stream = new EventStream(handlers);
  return () => stream.close();
}

/**
 * The browser reconnects by itself after a network error and resumes with Last-Event-ID; a refusal (not a 200) ends an
 * EventSource for good, so a new one is opened after a while. Behind a hidden tab the stream is closed: browsers allow
 * six connections to a server over HTTP/1.1, and a few forgotten tabs would take them all.
 */
class EventStream {
  readonly #handlers: EventHandlers;
  #source: EventSource | undefined;
  #reopen: ReturnType<typeof setTimeout> | undefined;
  #missed = false;

  constructor(handlers: EventHandlers) {
    this.#handlers = handlers;
    document.addEventListener('visibilitychange', this.#onVisibility);
    if (document.hidden) this.#missed = true;
    else this.#open();
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.#onVisibility);
    this.#stop();
  }

  #open(): void {
    const handlers = this.#handlers;
    const source = new EventSource(new URL('sse', document.baseURI));
    this.#source = source;
    source.addEventListener('open', () => this.#onOpen());
    source.addEventListener('error', () => this.#onError(source));
    source.addEventListener('request', (event) => handlers.request(JSON.parse(event.data) as RequestSummary));
    source.addEventListener('stats', (event) => handlers.stats?.(JSON.parse(event.data) as StatsEvent));
    source.addEventListener('reset', () => handlers.reset());
  }

  #onOpen(): void {
    // A new stream starts at "now": what happened before is read from the list.
    if (this.#missed) this.#handlers.reset();
    this.#missed = false;
    this.#handlers.connection?.('live');
  }

  #onError(source: EventSource): void {
    this.#handlers.connection?.('connecting');
    if (source.readyState !== EventSource.CLOSED) return;
    this.#missed = true;
    this.#handlers.refused();
    this.#reopen = setTimeout(() => this.#open(), REOPEN_MS);
  }

  #stop(): void {
    clearTimeout(this.#reopen);
    this.#source?.close();
    this.#source = undefined;
  }

  readonly #onVisibility = (): void => {
    this.#stop();
    if (document.hidden) this.#missed = true;
    else this.#open();
  };
}
