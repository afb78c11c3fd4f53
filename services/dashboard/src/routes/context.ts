import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authenticator } from '../auth/authenticator.ts';
import type { EventHub } from '../events/event-hub.ts';
import type { ResponseCache } from '../http/response-cache.ts';
import type { ProxyProbe } from '../proxy-probe.ts';
import type { DashboardStore } from '../store.ts';

/** A fastify instance whose routes are typed by their TypeBox schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What routes work with. */
export interface RouteContext {
  readonly store: DashboardStore;
  readonly cache: ResponseCache;
  readonly hub: EventHub;
  readonly authenticator: Authenticator;
  readonly proxy: ProxyProbe;
  /** With a slash at both ends. */
  readonly basePath: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly health: () => HealthState;
}

export interface HealthState {
  readonly draining: boolean;
  readonly database: 'up' | 'down' | 'unknown';
  /** The database was reached once and serves this version. */
  readonly ready: boolean;
}
