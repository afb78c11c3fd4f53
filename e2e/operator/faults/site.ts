import { afterEach } from 'vitest';

import { FaultProxy } from '../../fixtures/control-plane/fault-proxy.ts';
import { until } from '../../fixtures/program.ts';
import { resourcesPath } from '../crd.ts';
import { OperatorProcess, runOperator } from '../operator-process.ts';
import { condition, newResource, putSecret, resourcePath } from '../resource.ts';
import type { Api, TestObject } from '../../fixtures/control-plane/api.ts';
import type { ApiRequest } from '../../fixtures/control-plane/api-request.ts';
import type { Cluster } from '../../fixtures/control-plane/cluster.ts';
import type { ResourceRef } from '../resource.ts';

const NAME = 'nexus';
/** Times of the operator that are minutes by default. */
export const SHORT_TIMES = {
  RESYNC_INTERVAL: '4s',
  WATCH_TIMEOUT: '2s',
  REQUEST_TIMEOUT: '2s',
  LIVENESS_TIMEOUT: '6s',
};
const QUIET_MS = 1500;
/** Of which it is not told how they are to be counted: both come from time, not from a change of the resource. */
const UNCOUNTED = new Set(['leases', 'events']);

/** The namespaces a test made, by a lab or a control plane of its own. */
export interface Namespaces {
  readonly cluster: Cluster;
  namespace(): Promise<string>;
}

/** Writes of the operator that belong to its work. */
export function isWork({ method, resource }: Pick<ApiRequest, 'method' | 'resource'>): boolean {
  return method !== 'GET' && !UNCOUNTED.has(resource);
}

/** One resource in a namespace of its own, and an operator for it alone behind a fault proxy. */
export class Site {
  readonly cluster: Cluster;
  readonly api: Api;
  readonly namespace: string;
  readonly proxy: FaultProxy;
  operator: OperatorProcess;
  readonly #env: Readonly<Record<string, string>>;
  /** Writes when it was last looked, and since when there are not more. */
  #writes = 0;
  #since = 0;

  private constructor(parts: {
    cluster: Cluster;
    namespace: string;
    proxy: FaultProxy;
    operator: OperatorProcess;
    env: Readonly<Record<string, string>>;
  }) {
    this.cluster = parts.cluster;
    this.api = parts.cluster.api();
    this.namespace = parts.namespace;
    this.proxy = parts.proxy;
    this.operator = parts.operator;
    this.#env = parts.env;
  }

  static async start(lab: Namespaces, env: Readonly<Record<string, string>> = {}): Promise<Site> {
    const namespace = await lab.namespace();
    const proxy = await FaultProxy.start(lab.cluster.connection);
    // A killed leader is waited for: what leadership is for has tests of its own.
    const all = { WATCH_NAMESPACES: namespace, LEADER_ELECTION: 'false', ...env };
    const operator = await runOperator(lab.cluster, { env: all, server: proxy.url });
    const site = new Site({ cluster: lab.cluster, namespace, proxy, operator, env: all });
    await putSecret(site.api, { namespace, name: 'credentials' }, { key: 'sk-ant-api03-of-a-test-00' });
    return site;
  }

  get ref(): ResourceRef {
    return { namespace: this.namespace, name: NAME };
  }

  get path(): string {
    return resourcePath(this.ref);
  }

  async create(spec: unknown): Promise<void> {
    await this.api.create(resourcesPath(this.namespace), newResource(NAME, spec));
  }

  /** Waits until the resource says that what it declares now is there, and perhaps more. */
  async ready(isDone: (resource: TestObject) => boolean = () => true): Promise<TestObject> {
    return until(`${NAME} to be ready in ${this.namespace}`, () => this.readyNow(isDone));
  }

  /** @returns the resource if it is ready now */
  async readyNow(isDone: (resource: TestObject) => boolean = () => true): Promise<TestObject | undefined> {
    const resource = await this.api.get(this.path);
    const told = condition(resource, 'Ready');
    const isReady = told?.status === 'True' && told.observedGeneration === resource.metadata.generation;
    return isReady && isDone(resource) ? resource : undefined;
  }

  /** Waits until the operator has had nothing to write for a while. */
  async quiet(): Promise<void> {
    this.#since = Date.now();
    await until('the operator to be at rest', async () => (this.isQuiet() ? true : undefined));
  }

  /** Whether it has written nothing for a while, as far as this is asked often. */
  isQuiet(): boolean {
    const now = this.proxy.requests.filter((request) => isWork(request)).length;
    if (now !== this.#writes) [this.#writes, this.#since] = [now, Date.now()];
    return Date.now() - this.#since >= QUIET_MS;
  }

  /** Starts the operator again after it has ended. */
  async restart(): Promise<void> {
    await this.operator.stop('SIGKILL');
    this.operator = await this.startOperator();
    await this.operator.ready();
  }

  /** One more operator, or a new one, that need not be ready yet. */
  startOperator(): Promise<OperatorProcess> {
    return OperatorProcess.start(this.cluster, { env: this.#env, server: this.proxy.url });
  }

  async stop(): Promise<void> {
    await this.operator.stop();
    await this.proxy.stop();
  }

  child(group: string, plural: string, name: string): string {
    return `/${group}/namespaces/${this.namespace}/${plural}/${name}`;
  }
}

/** Sites that are stopped after each test. To be called within `describe`. */
export function sitesOf(lab: Namespaces): (env?: Readonly<Record<string, string>>) => Promise<Site> {
  const sites: Site[] = [];
  afterEach(async () => {
    await Promise.all(sites.splice(0).map((site) => site.stop()));
  });
  return async (env) => {
    const site = await Site.start(lab, env);
    sites.push(site);
    return site;
  };
}
