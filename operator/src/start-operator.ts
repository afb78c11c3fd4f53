import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

import { Shutdown, createLogger, serveMetrics } from '@claude-nexus/runtime';
import type { Logger } from '@claude-nexus/runtime';

import { applyCrd } from './apply-crd.ts';
import type { OperatorConfig } from './config.ts';
import { OPTIONAL_KINDS, OWNED_KINDS } from './controllers/claude-nexus/owned-kinds.ts';
import { Reconciler } from './controllers/claude-nexus/reconciler.ts';
import { registerResourceMetrics } from './controllers/claude-nexus/resource-metrics.ts';
import { watchResources } from './controllers/claude-nexus/watch-resources.ts';
import { Applier } from './kube/applier.ts';
import { Cache } from './kube/cache.ts';
import { systemClock } from './kube/clock.ts';
import { connect } from './kube/connect.ts';
import type { ConnectedApi } from './kube/connect.ts';
import { Controller } from './kube/controller.ts';
import { EventRecorder } from './kube/event-recorder.ts';
import { fencedClient } from './kube/fenced-client.ts';
import { serveHealth } from './kube/health.ts';
import { KINDS } from './kube/kinds.ts';
import type { Kind } from './kube/kinds.ts';
import { LeaderElector, leaseTimeoutMs } from './kube/leader-election.ts';
import { Manager } from './kube/manager.ts';
import { createOperatorMetrics } from './kube/metrics.ts';
import type { OperatorMetrics } from './kube/metrics.ts';
import { keyOf } from './kube/object.ts';
import { StatusWriter } from './kube/status-writer.ts';
import type { Watch } from './kube/watch-set.ts';
import { WorkQueue } from './kube/work-queue.ts';
import { FIELD_MANAGER, MANAGED_SELECTOR } from './resources/names.ts';

const SHUTDOWN_MS = 20_000;
const NAME = 'claudenexus';
const WATCH_SPREAD = 0.8;

/** Watches of the operator: every kind it makes, and what it reads. */
const WATCHES: readonly Watch[] = [
  { kind: KINDS.ClaudeNexus },
  // Names and labels only: contents are read when they are needed and never kept.
  { kind: KINDS.Secret, metadataOnly: true },
  { kind: KINDS.StorageClass },
  ...OWNED_KINDS.map((kind) => ({ kind, labelSelector: MANAGED_SELECTOR })),
  ...OPTIONAL_KINDS.map((kind) => ({ kind, labelSelector: MANAGED_SELECTOR, optional: true })),
];

interface Context {
  readonly config: OperatorConfig;
  readonly log: Logger;
  readonly shutdown: Shutdown;
  readonly metrics: OperatorMetrics;
  readonly api: ConnectedApi;
  /** Name of this process, for events and the lease. */
  readonly identity: string;
}

/**
 * Starts the operator and returns once its caches are being filled; from then on signals end it.
 *
 * @throws {NexusError} one line about the kubeconfig, a taken port or a CRD that cannot be applied
 */
export async function startOperator(config: OperatorConfig, warnings: readonly string[]): Promise<void> {
  const log = createLogger({ name: 'operator', level: config.logLevel });
  for (const warning of warnings) log.warn(warning);
  const shutdown = new Shutdown({ logger: log, deadlineMs: SHUTDOWN_MS });
  shutdown.install();
  try {
    const metrics = createOperatorMetrics();
    const { kubeconfig, serviceHost, servicePort } = config;
    const api = await connect({
      userAgent: FIELD_MANAGER,
      kubeconfig,
      service: serviceHost === undefined ? undefined : { host: serviceHost, port: servicePort },
      metrics,
      requestTimeoutMs: config.requestTimeoutMs,
      leaseTimeoutMs: leaseTimeoutMs(config.leaseDurationMs),
    });
    shutdown.add('connections', () => api.close());
    const identity = `${hostname()}-${randomBytes(4).toString('hex')}`;
    await startParts({ config, log, shutdown, metrics, api, identity });
  } catch (error) {
    await shutdown.release();
    throw error;
  }
}

async function startParts(context: Context): Promise<void> {
  const { config, log, shutdown, metrics } = context;
  const { host } = config;
  const metricsServer = await serveMetrics({ registry: metrics.registry, host, port: config.metricsPort });
  shutdown.add('metrics', () => metricsServer.close());
  const manager = assemble(context);
  const health = await serveHealth({
    host,
    port: config.healthPort,
    livez: () => manager.livez(),
    readyz: () => manager.readyz(),
  });
  shutdown.add('health', () => health.close());
  await manager.start();
  const ports = { metricsPort: metricsServer.port, healthPort: health.port };
  log.info({ ...ports, namespaces: config.namespaces }, 'the operator runs');
}

function assemble(context: Context): Manager {
  const { config, log, shutdown, metrics, api, identity } = context;
  const { namespaces } = config;
  const cache = cacheOf(context);
  const elector = electorOf(context);
  const client = elector === undefined ? api.client : fencedClient(api.client, () => elector.isLeader());
  const common = { client, clock: systemClock, random: Math.random, log, metrics };
  const queue = new WorkQueue({ name: NAME, clock: systemClock, metrics });
  watchResources(cache, (key) => queue.add(key));
  const events = new EventRecorder({ ...common, controller: FIELD_MANAGER, instance: identity });
  const starting = new AbortController();
  const kinds: { has: (kind: Kind) => boolean } = { has: () => false };
  const reconciler = new Reconciler({
    client,
    cache,
    applier: new Applier({ client, cache, fieldManager: FIELD_MANAGER }),
    events,
    log,
    has: (kind) => kinds.has(kind),
    clusterScope: namespaces.length === 0,
    random: randomBytes,
    now: () => systemClock.now(),
    ...defaultsOf(config),
    statusWriter: new StatusWriter({ client, clock: systemClock, fieldManager: `${FIELD_MANAGER}-status` }),
    resyncMs: config.resyncIntervalMs,
    jitter: Math.random,
  });
  const controller = new Controller({
    name: NAME,
    queue,
    concurrency: config.concurrency,
    clock: systemClock,
    log,
    metrics,
    reconcile: (key) => reconciler.reconcile(key),
  });
  const manager = new Manager({
    ...common,
    client: api.client,
    cache,
    watches: WATCHES,
    namespaces,
    onKindsChange: () => {
      for (const { metadata } of cache.list(KINDS.ClaudeNexus, {})) queue.add(keyOf(metadata));
    },
    ...(namespaces.length === 0
      ? { beforeStart: () => applyCrd(api.client, systemClock, starting.signal) }
      : {}),
    elector,
    controllers: [controller],
    afterControllers: () => events.drain(),
    livenessMs: config.livenessTimeoutMs,
    relistMs: config.resyncIntervalMs,
    watchSeconds: watchSecondsOf(config),
    shutdown,
  });
  kinds.has = (kind) => manager.has(kind);
  shutdown.add('start', () => starting.abort());
  return manager;
}

function cacheOf({ log, metrics }: Context): Cache {
  const cache = new Cache({ log, metrics });
  registerResourceMetrics(metrics.registry, cache);
  return cache;
}

/** What holds where a resource says nothing else. */
function defaultsOf({ proxyImage, dashboardImage, postgresImage, runbookUrl }: OperatorConfig) {
  return { images: { proxy: proxyImage, dashboard: dashboardImage, postgres: postgresImage }, runbookUrl };
}

/** Watches begin at one time and should not all end at one. */
function watchSecondsOf({ watchTimeoutMs }: OperatorConfig): { min: number; max: number } {
  const max = Math.max(1, Math.floor(watchTimeoutMs / 1000));
  return { min: Math.max(1, Math.floor(max * WATCH_SPREAD)), max };
}

function electorOf({ config, log, metrics, api, identity }: Context): LeaderElector | undefined {
  if (!config.leaderElection) return undefined;
  return new LeaderElector({
    client: api.leaseClient,
    clock: systemClock,
    random: Math.random,
    log,
    metrics,
    namespace: config.podNamespace ?? api.namespace,
    name: config.leaseName,
    identity,
    leaseMs: config.leaseDurationMs,
  });
}
