import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';

import { at } from '../fixtures/control-plane/api.ts';
import { compareBooks, withDashboard } from './books.ts';
import { eventually } from './eventually.ts';
import { Load } from './load/load.ts';
import { execute, untilCondition } from './pods.ts';
import { secretOf } from './secrets.ts';
import { Tester, TESTER } from './tester.ts';
import type { TestObject } from '../fixtures/control-plane/api.ts';
import type { DashboardClient } from '../fixtures/dashboard-client.ts';
import type { ClusterImages, RealCluster } from './real-cluster.ts';
import type { StepTable } from './step-table.ts';

const RELEASE = 'nexus';
export const GATEWAY = 'gateway';
/** `app` of pods that may read metrics. */
export const MONITORING = 'monitoring';
/** Pods of the proxy while no test asks for another number. */
export const PROXIES = 2;
/** So many streams are open at any time ... */
const OPEN_STREAMS = 100;
/** ... because these are kept: while one that has ended is opened anew, others are. */
export const KEPT_STREAMS = 140;
/** Longer than the longest stream: no drain breaks one off. */
const DRAIN_SECONDS = 90;
/** Before what clients have got since a moment, this long at most, it was asked for. */
const LONGEST_EXCHANGE_MS = 120_000;
/** A pod that was told to stop has gone by then. */
const GONE_SECONDS = DRAIN_SECONDS + 60;

/** What the disturbance of a step is known to lose. */
interface KnownLoss {
  /** Exchanges. */
  readonly lost: number;
}

/** One installation under load, which the scenarios disturb. */
export class ClusterSite {
  readonly real: RealCluster;
  readonly images: ClusterImages;
  readonly namespace: string;
  /** Namespace of the operator. */
  readonly system: string;
  readonly tester: Tester;
  readonly #table: StepTable;
  #load: Load | undefined;
  /** When the last step ended: what clients see afterwards counts for the next. Milliseconds since the epoch. */
  #takenAt = 0;

  private constructor(parts: {
    real: RealCluster;
    images: ClusterImages;
    namespace: string;
    system: string;
    tester: Tester;
    table: StepTable;
  }) {
    this.real = parts.real;
    this.images = parts.images;
    this.namespace = parts.namespace;
    this.system = parts.system;
    this.tester = parts.tester;
    this.#table = parts.table;
  }

  /** Namespaces and the stand-in; nothing of ours yet. */
  static async prepare(real: RealCluster, images: ClusterImages, table: StepTable): Promise<ClusterSite> {
    const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    const namespace = await real.cluster.createNamespace('team');
    const system = await real.cluster.createNamespace('nexus-system', restricted);
    const tester = await Tester.start(real, namespace, images.tester);
    return new ClusterSite({ real, images, namespace, system, tester, table });
  }

  /** Installs operator and gateway, waits until it is ready, and puts it under load. */
  async install(): Promise<void> {
    const api = this.real.cluster.api();
    await this.helm('install', this.images);
    await api.create(`/api/v1/namespaces/${this.namespace}/secrets`, {
      metadata: { name: 'anthropic' },
      stringData: { 'api-key': newApiKey() },
    });
    await api.create(this.#resourcesPath, {
      apiVersion: 'claudenexus.dev/v1alpha1',
      kind: 'ClaudeNexus',
      metadata: { name: GATEWAY },
      spec: {
        database: { managed: { version: this.images.postgresVersion, storage: { size: '1Gi' } } },
        proxy: { replicas: PROXIES, upstreamUrl: this.tester.url, drainTimeoutSeconds: DRAIN_SECONDS },
        domains: [{ host: this.#host, credential: { secretRef: { name: 'anthropic', key: 'api-key' } } }],
        networkPolicy: { from: [podsOf(TESTER)], metricsFrom: [podsOf(MONITORING)] },
      },
    });
    await this.untilReady();
    const [apiKey = ''] = Object.values(await this.secret(`${GATEWAY}-client-keys`));
    this.#load = Load.start(
      this.real,
      { namespace: this.namespace, pod: TESTER },
      { url: `http://${this.#host}:3000`, apiKey, streams: KEPT_STREAMS, clients: 4, thinkMs: 400 },
    );
    this.#takenAt = Date.now();
    await this.#load.untilOpen(OPEN_STREAMS);
  }

  /** `helm install` or `upgrade` with images. */
  async helm(command: 'install' | 'upgrade', images: ClusterImages): Promise<void> {
    const { operator, proxy, dashboard, postgres } = images;
    const values = JSON.stringify({ operator, proxy, dashboard, postgres });
    const where = ['--namespace', this.system, '--wait', '--timeout', '3m'];
    await this.real.helm([
      command,
      RELEASE,
      'charts/claude-nexus',
      ...where,
      '--set-json',
      `images=${values}`,
    ]);
  }

  async uninstallRelease(): Promise<void> {
    await this.real.helm(['uninstall', RELEASE, '--namespace', this.system, '--wait', '--ignore-not-found']);
  }

  /** Address of the proxy within the cluster; its host is the domain, too. */
  get #host(): string {
    return `${GATEWAY}-proxy.${this.namespace}.svc`;
  }

  get #resourcesPath(): string {
    return `/apis/claudenexus.dev/v1alpha1/namespaces/${this.namespace}/claudenexuses`;
  }

  get load(): Load {
    if (this.#load === undefined) throw new Error('there is no load: install first');
    return this.#load;
  }

  /**
   * Disturbs the gateway under load: no request may fail, nothing may be lost but what `act` says, nothing may be stored
   * that no client got.
   */
  async disturb(step: string, act: () => Promise<KnownLoss | void>): Promise<void> {
    const { load } = this;
    await load.untilOpen(OPEN_STREAMS);
    const begun = Date.now();
    const expectedLost = (await act())?.lost ?? 0;
    await load.more(20);
    const seconds = (Date.now() - begun) / 1000;
    const { answers, failures, retries, fewestOpen } = load.take();
    const from = new Date(this.#takenAt - LONGEST_EXCHANGE_MS);
    this.#takenAt = Date.now();
    const { lost, extra } = await this.dashboard((dashboard) =>
      compareBooks(dashboard, { answers, known: () => load.answers, from }, expectedLost),
    );
    this.#table.add({
      step,
      seconds,
      streams: fewestOpen,
      requests: answers.length + failures.length,
      retries,
      failed: failures.length,
      lost: lost.length,
    });
    checkStep({ failures, lost, extra, fewestOpen, expectedLost });
  }

  /** Says something in the table at the end. */
  note(text: string): void {
    this.#table.note(text);
  }

  /** Uses the API of the gateway's dashboard. */
  dashboard<T>(use: (dashboard: DashboardClient) => Promise<T>): Promise<T> {
    return withDashboard(this.real, { namespace: this.namespace, name: GATEWAY }, use);
  }

  secret(name: string): Promise<Readonly<Record<string, string>>> {
    return secretOf(this.real, this.namespace, name);
  }

  /** JSON merge patch of the ClaudeNexus. */
  async patch(change: unknown): Promise<void> {
    await this.real.cluster.api().patch(`${this.#resourcesPath}/${GATEWAY}`, change);
  }

  /** Sets an annotation of the ClaudeNexus; null takes it away. @param name without the prefix */
  async annotate(name: string, value: string | null): Promise<void> {
    await this.patch({ metadata: { annotations: { [`claudenexus.dev/${name}`]: value } } });
  }

  resource(): Promise<TestObject> {
    return this.real.cluster.api().get(`${this.#resourcesPath}/${GATEWAY}`);
  }

  /** A condition of the ClaudeNexus. */
  async condition(type: string): Promise<unknown> {
    const conditions = at(await this.resource(), 'status.conditions') as readonly { type: string }[];
    return conditions.find((condition) => condition.type === type);
  }

  /** Waits until something of the ClaudeNexus is as wanted, such as `status.replicas`. */
  async untilAt(place: string, isWanted: (value: unknown) => boolean, seconds = 180): Promise<void> {
    const ask = async () => isWanted(at(await this.resource(), place)) || undefined;
    await eventually(`${place} of the gateway`, ask, seconds);
  }

  /** Waits until the gateway is as its spec says. */
  async untilReady(): Promise<void> {
    await untilCondition(this.real, { namespace: this.namespace, object: `cnx/${GATEWAY}` }, 300);
  }

  /** Runs kubectl in the namespace of the gateway. @returns its standard output */
  kubectl(...args: readonly string[]): Promise<string> {
    return this.real.cluster.kubectl([...args, '-n', this.namespace]);
  }

  /** Pods of a component, also those that end. */
  async pods(component: string): Promise<readonly TestObject[]> {
    const selector = `app.kubernetes.io/instance=${GATEWAY},app.kubernetes.io/component=${component}`;
    const path = `/api/v1/namespaces/${this.namespace}/pods?labelSelector=${encodeURIComponent(selector)}`;
    return this.real.cluster.api().list(path);
  }

  /** Waits until pods have ended. */
  async untilGone(names: readonly string[]): Promise<void> {
    const path = `/api/v1/namespaces/${this.namespace}/pods`;
    for (const name of names) {
      const ask = async () =>
        (await this.real.cluster.api().find(`${path}/${name}`)) === undefined || undefined;
      await eventually(`the end of pod ${name}`, ask, GONE_SECONDS);
    }
  }

  /** Asks the database as its superuser. @returns the answer without decoration */
  async sql(query: string): Promise<string> {
    const program = `PGPASSWORD="$(cat /etc/nexus/postgres/password)" exec psql -U postgres -d nexus -At`;
    const command = ['sh', '-c', program];
    const pod = `${GATEWAY}-postgres-0`;
    return (await execute(this.real, { namespace: this.namespace, pod, command }, query)).trim();
  }

  /** Takes everything away that was made. */
  async remove(): Promise<void> {
    await this.#load?.stop();
    await this.uninstallRelease();
    await this.real.cluster.kubectl(['delete', 'crd', 'claudenexuses.claudenexus.dev', '--ignore-not-found']);
    const namespaces = [this.namespace, this.system];
    await this.real.cluster.kubectl(['delete', 'namespace', ...namespaces, `--timeout=${GONE_SECONDS}s`]);
  }
}

function podsOf(app: string): object {
  return { podSelector: { matchLabels: { app } } };
}

/** @returns a key such as the upstream's, that nobody has */
export function newApiKey(): string {
  return `sk-ant-api03-${randomUUID()}`;
}

function checkStep(seen: {
  failures: readonly string[];
  lost: readonly string[];
  extra: readonly string[];
  fewestOpen: number;
  expectedLost: number;
}): void {
  expect(seen.failures, 'failed requests').toEqual([]);
  expect(seen.lost.length, `lost, such as ${seen.lost.slice(0, 5).join(', ')}`).toBe(seen.expectedLost);
  expect(seen.extra, 'stored, but received by nobody').toEqual([]);
  expect(seen.fewestOpen, 'open streams').toBeGreaterThanOrEqual(OPEN_STREAMS);
}
