import { setTimeout as delay } from 'node:timers/promises';

import { at } from '../fixtures/control-plane/api.ts';
import { Random } from '../fixtures/random.ts';
import { until } from '../fixtures/program.ts';
import { resourcesPath } from '../operator/crd.ts';
import { condition, isCurrent, newResource, resourcePath } from '../operator/resource.ts';
import type { Api, TestObject } from '../fixtures/control-plane/api.ts';
import type { OperatorSite } from './operator-site.ts';

const LASTING = ['lasting-1', 'lasting-2'];
const PASSING = ['passing-1', 'passing-2'];
const LEVELS = ['debug', 'info', 'warn'];
const CHILDREN = [
  'api/v1 services lasting-1-proxy',
  'apis/apps/v1 deployments lasting-1-dashboard',
  'apis/networking.k8s.io/v1 networkpolicies lasting-2-postgres',
  'apis/batch/v1 cronjobs lasting-2-backup',
];
const REST_MS = 1500;
/** Between two deeds: people are slower than an operator. */
const DEED_MS = 400;

/** What people and clusters do to resources, over and over; repeats itself for a seed. */
export class OperatorLife {
  /** How often what was done. */
  readonly counts = new Map<string, number>();
  readonly #site: OperatorSite;
  readonly #namespace: string;
  readonly #random: Random;
  readonly #api: Api;
  #rotations = 0;

  private constructor(site: OperatorSite, namespace: string, random: Random) {
    this.#site = site;
    this.#namespace = namespace;
    this.#random = random;
    this.#api = site.plane.cluster.api();
  }

  static async begin(site: OperatorSite, seed: number): Promise<OperatorLife> {
    const life = new OperatorLife(site, await site.plane.namespace(), new Random(seed));
    for (const name of LASTING) await life.#create(name);
    await life.rest();
    return life;
  }

  /** Some deeds and cuts within so many milliseconds, then the same resources as before. */
  async round(ms: number): Promise<void> {
    const end = Date.now() + ms;
    for (const name of PASSING) await this.#create(name);
    while (Date.now() < end) {
      await this.#deed();
      if (this.#random.chance(0.25)) this.#cut();
      await delay(DEED_MS);
    }
    for (const name of PASSING) await this.#api.remove(this.#path(name));
    await this.rest();
  }

  /** Waits until all resources are ready, passing ones gone, and nothing is written any more. */
  async rest(): Promise<void> {
    let writes = -1;
    let since = 0;
    await until('the operator to be at rest', async () => {
      const now = this.#site.proxy.writes().filter(({ resource }) => resource !== 'leases').length;
      if (now !== writes) [writes, since] = [now, Date.now()];
      if (Date.now() - since < REST_MS) return undefined;
      const resources = await this.#api.list(resourcesPath(this.#namespace));
      const isDone = resources.length === LASTING.length && resources.every(isReady);
      return isDone ? true : undefined;
    });
    // All that was ever asked would be held by this process.
    this.#site.proxy.requests.length = 0;
  }

  async #deed(): Promise<void> {
    const name = this.#random.pick([...LASTING, ...PASSING]);
    const replicas = 1 + this.#random.below(3);
    switch (this.#random.below(5)) {
      case 0:
        return this.#change('scaled', name, { spec: { proxy: { replicas } } });
      case 1:
        return this.#change('configured', name, {
          spec: { proxy: { logLevel: this.#random.pick(LEVELS) } },
        });
      case 2: {
        const annotations = { 'claudenexus.dev/rotate-dashboard-key': String((this.#rotations += 1)) };
        return this.#change('key rotated', name, { metadata: { annotations } });
      }
      case 3:
        return this.#deleteChild();
      default:
        this.#count('resource deleted and made again');
        await this.#api.remove(this.#path(PASSING[0] ?? ''));
        return this.#create(PASSING[0] ?? '');
    }
  }

  async #deleteChild(): Promise<void> {
    const [version, plural, name] = this.#random.pick(CHILDREN).split(' ');
    this.#count('child deleted');
    await this.#api.remove(`/${version}/namespaces/${this.#namespace}/${plural}/${name}`);
  }

  #cut(): void {
    this.#count('watches cut');
    if (this.#random.chance(0.3)) this.#site.proxy.endWatches({}, 'expired');
    else this.#site.proxy.cutWatches();
  }

  async #change(what: string, name: string, change: unknown): Promise<void> {
    this.#count(what);
    await this.#api.patch(this.#path(name), change);
  }

  async #create(name: string): Promise<void> {
    const spec = { database: { managed: { deletionPolicy: 'Retain', backup: {} } } };
    await this.#api.create(resourcesPath(this.#namespace), newResource(name, spec));
  }

  #path(name: string): string {
    return resourcePath({ namespace: this.#namespace, name });
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

function isReady(resource: TestObject): boolean {
  const told = condition(resource, 'Ready');
  return (
    isCurrent(resource) && told?.status === 'True' && at(resource, 'metadata.deletionTimestamp') === undefined
  );
}
