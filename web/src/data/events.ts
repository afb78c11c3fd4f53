import type { RequestSummary, StatsEvent } from '@claude-nexus/api-contract';

/** What a page does with pushed events. */
export interface EventHandlers {
  request(summary: RequestSummary): void;
  stats(stats: StatsEvent): void;
  /** Events were missed: read the list again. */
  reset(): void;
  connection(state: 'live' | 'connecting'): void;
  /** The stream was refused; the session may have ended. */
  refused(): void;
}

const REOPEN_MS = 3000;

/**
 * Opens the event stream and keeps it open. The browser reconnects by itself after a network error and resumes with
 * Last-Event-ID; a refusal (not a 200) ends an EventSource for good, so a new one is opened after a while.
 *
 * @returns a function that closes the stream
 */
export function openEvents(handlers: EventHandlers): () => void {
  let source: EventSource;
  let reopen: ReturnType<typeof setTimeout> | undefined;
  let refused = false;

  function open(): void {
    source = new EventSource(new URL('sse', document.baseURI));
    source.addEventListener('open', () => {
      // A stream reopened after a refusal starts at "now": what happened between is read from the list.
      if (refused) handlers.reset();
      refused = false;
      handlers.connection('live');
    });
    source.addEventListener('error', () => {
      handlers.connection('connecting');
      if (source.readyState !== EventSource.CLOSED) return;
      refused = true;
      handlers.refused();
      reopen = setTimeout(open, REOPEN_MS);
    });
    source.addEventListener('request', (event) => handlers.request(JSON.parse(event.data) as RequestSummary));
    source.addEventListener('stats', (event) => handlers.stats(JSON.parse(event.data) as StatsEvent));
    source.addEventListener('reset', () => handlers.reset());
  }

  open();
  return () => {
    clearTimeout(reopen);
    source.close();
  };
}
