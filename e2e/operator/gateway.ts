import { at } from '../fixtures/control-plane/api.ts';
import { until } from '../fixtures/program.ts';
import { resourcesPath } from './crd.ts';
import {
  API_KEY,
  condition,
  newResource,
  putSecret,
  resourcePath,
  untilReady,
  untilTold,
} from './resource.ts';
import type { Api, TestObject } from '../fixtures/control-plane/api.ts';
import type { TestCondition } from './resource.ts';
import type { Lab } from './set-up.ts';

export const HOST = 'claude.example.com';

/** Where objects of a kind are. */
const GROUPS = {
  secrets: 'api/v1',
  pods: 'api/v1',
  services: 'api/v1',
  serviceaccounts: 'api/v1',
  persistentvolumeclaims: 'api/v1',
  deployments: 'apis/apps/v1',
  replicasets: 'apis/apps/v1',
  statefulsets: 'apis/apps/v1',
  jobs: 'apis/batch/v1',
  cronjobs: 'apis/batch/v1',
  networkpolicies: 'apis/networking.k8s.io/v1',
  ingresses: 'apis/networking.k8s.io/v1',
  poddisruptionbudgets: 'apis/policy/v1',
  horizontalpodautoscalers: 'apis/autoscaling/v2',
  events: 'apis/events.k8s.io/v1',
  claudenexuses: 'apis/claudenexus.dev/v1alpha1',
} as const;
export type Plural = keyof typeof GROUPS;

/** A ClaudeNexus in a namespace of its own, as a person with kubectl sees it. */
export class Gateway {
  readonly api: Api;
  readonly namespace: string;
  readonly name: string;

  constructor(api: Api, namespace: string, name = 'gateway') {
    this.api = api;
    this.namespace = namespace;
    this.name = name;
  }

  /** A new namespace with a Secret `anthropic` and a resource that is ready. */
  static async ready(lab: Lab, spec: Readonly<Record<string, unknown>> = {}): Promise<Gateway> {
    const gateway = new Gateway(lab.cluster.api(), await lab.namespace());
    await gateway.secret('anthropic', { 'api-key': API_KEY });
    await gateway.create(spec);
    await gateway.untilReady();
    return gateway;
  }

  collection(plural: Plural): string {
    return `/${GROUPS[plural]}/namespaces/${this.namespace}/${plural}`;
  }

  /** Path of a child `NAME-suffix`. */
  child(plural: Plural, suffix: string): string {
    return `${this.collection(plural)}/${this.name}-${suffix}`;
  }

  create(spec: Readonly<Record<string, unknown>>): Promise<TestObject> {
    return this.api.create(resourcesPath(this.namespace), newResource(this.name, spec));
  }

  get path(): string {
    return resourcePath(this);
  }

  resource(): Promise<TestObject> {
    return this.api.get(this.path);
  }

  patch(spec: unknown): Promise<TestObject> {
    return this.api.patch(this.path, { spec });
  }

  annotate(annotations: Readonly<Record<string, string | null>>): Promise<TestObject> {
    return this.api.patch(this.path, { metadata: { annotations } });
  }

  /** Makes or replaces a Secret. */
  async secret(name: string, texts: Readonly<Record<string, string>>): Promise<void> {
    await putSecret(this.api, { namespace: this.namespace, name }, texts);
  }

  /** Texts of a Secret, by key. @throws Error when there is none */
  async texts(name: string): Promise<Readonly<Record<string, string>>> {
    const secret = await this.api.get(`${this.collection('secrets')}/${name}`);
    return Object.fromEntries(
      Object.entries((secret['data'] ?? {}) as Record<string, string>).map(([key, value]) => [
        key,
        Buffer.from(value, 'base64').toString(),
      ]),
    );
  }

  async condition(type: string): Promise<TestCondition | undefined> {
    return condition(await this.resource(), type);
  }

  /** Waits until a condition has this reason for the present generation. */
  async untilReason(type: string, reason: string): Promise<TestCondition> {
    const told = await untilTold(this.api, this, type, (candidate) => candidate.reason === reason);
    return condition(told, type) as TestCondition;
  }

  untilReady(): Promise<TestObject> {
    return untilReady(this.api, this);
  }

  /** Waits until an object has something at a place that fits. */
  untilAt(path: string, place: string, fits: (value: unknown) => boolean): Promise<TestObject> {
    return until(`${place} of ${path}`, async () => {
      const object = await this.api.find(path);
      return object !== undefined && fits(at(object, place)) ? object : undefined;
    });
  }

  /** Goes over to a database that is not managed, and waits until the set of the managed one is gone. */
  async moveDatabaseOut(): Promise<void> {
    const url = 'postgresql://somebody:a-long-password@db.example.com:5432/nexus';
    await this.secret('outside', { ownerUrl: url, proxyUrl: url, dashboardUrl: url });
    await this.patch({ database: { managed: null, external: { secretRef: { name: 'outside' } } } });
    await this.untilReady();
    await until('the set to be gone', async () =>
      (await this.api.find(this.child('statefulsets', 'postgres'))) ? undefined : true,
    );
  }

  /** Pods that run for a component, by name. */
  async pods(component: string): Promise<readonly TestObject[]> {
    const selector = `app.kubernetes.io/instance=${this.name},app.kubernetes.io/component=${component}`;
    const pods = await this.api.list(
      `${this.collection('pods')}?labelSelector=${encodeURIComponent(selector)}`,
    );
    return pods.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  async uids(component: string): Promise<readonly string[]> {
    return (await this.pods(component)).map(({ metadata }) => metadata.uid);
  }

  /** Names of the database Jobs that are there. */
  async jobs(component = 'database'): Promise<readonly TestObject[]> {
    const selector = `app.kubernetes.io/instance=${this.name},app.kubernetes.io/component=${component}`;
    return this.api.list(`${this.collection('jobs')}?labelSelector=${encodeURIComponent(selector)}`);
  }
}

/** `spec.domains` with one host whose key is in the Secret `anthropic`. */
export const oneDomain = (host = HOST, key = 'api-key') => ({
  domains: [{ host, credential: { secretRef: { name: 'anthropic', key } } }],
});
