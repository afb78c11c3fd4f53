import { at } from '../../fixtures/control-plane/api.ts';
import { until } from '../../fixtures/program.ts';
import { creationsAndDeletions, stateOf } from '../oracles.ts';
import { isWork } from './site.ts';
import type { Site } from './site.ts';
import type { TestObject } from '../../fixtures/control-plane/api.ts';
import type { ApiRequest } from '../../fixtures/control-plane/api-request.ts';

/** `answered`: between a write's answer and the next write. `unanswered`: the API server took it, the answer is not read. */
export type Moment = 'answered' | 'unanswered';

export interface Crash {
  /** The operator is killed with the so-manieth write of a step. */
  readonly write: number;
  readonly moment: Moment;
}

export interface Step {
  readonly name: string;
  /** About how many writes it takes; one killed at a later write is killed at rest. */
  readonly writes: number;
  readonly begin: (site: Site) => Promise<unknown>;
  /** What there is to see at the end, beside that the resource is ready. */
  readonly isDone?: (resource: TestObject) => boolean;
}

const GROWN = '30Gi';
const DOMAIN = { host: 'api.example.com', credential: { secretRef: { name: 'credentials', key: 'key' } } };

/** A life of a resource in steps. Each ends ready and at rest. */
export const STEPS: readonly Step[] = [
  {
    name: 'install',
    writes: 24,
    begin: (site) =>
      site.create({
        proxy: { replicas: 2 },
        database: { managed: { storage: { size: '20Gi' }, backup: {} } },
        domains: [DOMAIN],
      }),
  },
  {
    name: 'update',
    writes: 8,
    begin: (site) =>
      site.api.patch(site.path, {
        spec: { images: { proxy: 'registry.test/proxy:2' }, proxy: { replicas: 3, logLevel: 'debug' } },
      }),
  },
  {
    name: 'rotation of logins',
    writes: 14,
    begin: (site) =>
      site.api.patch(site.path, { metadata: { annotations: { 'claudenexus.dev/rotate-logins': 'one' } } }),
    isDone: (resource) => at(resource, 'status.rotations.logins') === 'one',
  },
  {
    name: 'resize',
    writes: 5,
    begin: (site) =>
      site.api.patch(site.path, { spec: { database: { managed: { storage: { size: GROWN } } } } }),
  },
  {
    name: 'removal of parts',
    writes: 8,
    begin: (site) =>
      site.api.patch(site.path, {
        spec: { proxy: { replicas: 1 }, domains: null, database: { managed: { backup: null } } },
      }),
  },
];

/** What a step came to. */
export interface StepResult {
  readonly step: string;
  /** The write at which the operator was killed, and when; undefined when there were not so many. */
  readonly crash: string | undefined;
  readonly state: Readonly<Record<string, unknown>>;
  readonly counts: Readonly<Record<string, number>>;
}

/** Takes a site through all steps; with a crash for a step it is killed there and started again. */
export async function walk(site: Site, crashes: readonly (Crash | undefined)[] = []): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const [index, step] of STEPS.entries()) results.push(await takeStep(site, step, crashes[index]));
  return results;
}

async function takeStep(site: Site, step: Step, crash: Crash | undefined): Promise<StepResult> {
  const mark = await site.cluster.auditMark();
  const trap = crash === undefined ? undefined : new Trap(site, crash);
  await step.begin(site);
  if (trap !== undefined) {
    await until(`the crash in ${step.name}`, async () => {
      // Where there are fewer writes it is killed at rest.
      const isOver = (await site.readyNow(step.isDone)) !== undefined && site.isQuiet();
      return isOver || trap.killedAt !== undefined ? true : undefined;
    });
    trap.release();
    await site.restart();
  }
  await site.ready(step.isDone);
  await site.quiet();
  return {
    step: step.name,
    crash: trap?.killedAt,
    state: await stateOf(site.api, site.ref),
    counts: await creationsAndDeletions(site.cluster, mark, site.namespace),
  };
}

/** Kills the operator of a site at a write of its work. */
class Trap {
  killedAt: string | undefined;
  readonly #site: Site;
  readonly #crash: Crash;
  readonly #rule: { release(): void };
  #writes = 0;

  constructor(site: Site, crash: Crash) {
    this.#site = site;
    this.#crash = crash;
    this.#rule = site.proxy.on(isWork, {
      kind: 'call',
      before: (request) => this.#before(request),
      after: (request) => this.#after(request),
    });
  }

  release(): void {
    this.#rule.release();
  }

  /** @throws Error for a write of a process that is dead: it never left it */
  async #before(request: ApiRequest): Promise<void> {
    if (this.#crash.moment === 'answered' && this.#writes === this.#crash.write) await this.#kill(request);
    if (this.killedAt !== undefined) throw new Error('the operator is dead');
  }

  async #after(request: ApiRequest): Promise<void> {
    this.#writes += 1;
    if (this.#crash.moment === 'unanswered' && this.#writes === this.#crash.write) await this.#kill(request);
  }

  async #kill(request: ApiRequest): Promise<void> {
    const { verb, path } = request;
    this.killedAt = `${verb} ${path}, write ${this.#crash.write}, ${this.#crash.moment}`;
    await this.#site.operator.stop('SIGKILL');
  }
}
