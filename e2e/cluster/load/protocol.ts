/** What the clients of a load do. */
export interface LoadOptions {
  /** Of the proxy. */
  readonly url: string;
  readonly apiKey: string;
  /** Streams of more than a minute that are open at any time. */
  readonly streams: number;
  /** Clients with short questions besides. */
  readonly clients: number;
  /** Milliseconds between an answer and the next question. */
  readonly thinkMs: number;
}

/** A line that the process of the clients prints. */
export type LoadReport =
  | { readonly kind: 'opened' | 'closed' | 'retry' }
  /** An answer received to its end; `id` is the upstream's `request-id`. */
  | { readonly kind: 'answer'; readonly id: string; readonly isStream: boolean }
  /** A request without answer, or not all of it, after the retries of the SDK. */
  | { readonly kind: 'failure'; readonly error: string };
