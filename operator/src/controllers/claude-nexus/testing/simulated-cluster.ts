import { createHash } from 'node:crypto';

import type { ClaudeNexus, ClaudeNexusStatus } from '../../../api/v1alpha1/claude-nexus.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { at, listAt, numberAt, textAt } from '../../../policies/children.ts';
import { childKey, prunable } from '../../../policies/prune.ts';
import { secretText } from '../../../policies/secret.ts';
import type { Action, Observed, Plan } from '../plan.ts';
import { planChanges } from '../plan-changes.ts';

/** Thrown where the operator is to die. */
class Killed extends Error {}

interface Login {
  password: string;
  enabled: boolean;
}

/** Steps a Job takes, and those a pod takes to end, which may be longer. */
const JOB_STEPS = 1;
const DRAIN_STEPS = 5;

const copy = <T>(value: T): T => structuredClone(value);
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/**
 * A cluster and a database small enough to think about: it carries plans out, and its controllers advance one step at a
 * time. Pods take their DATABASE_URL when they start and end some steps later than
 * they are told to.
 */
export class SimulatedCluster {
  owner: ClaudeNexus;
  readonly objects = new Map<string, KubeObject>();
  readonly logins = new Map<string, Login>();
  /** Images whose database Job fails. */
  readonly failingImages = new Set<string>();
  readonly expandable = new Map([['standard', true]]);
  readonly has = { prometheusOperator: false, cloudNativePG: true };
  now = Date.parse('2026-01-01T00:00:00Z');
  /** Writes of the operator so far. */
  writes = 0;
  killAfter = Number.POSITIVE_INFINITY;
  /** Called after every change of anything. */
  onChange: () => void = () => {};
  readonly seenEvents: Plan['events'][number][] = [];
  #applied = new Map<string, string>();
  #random = 0;
  #changes = 0;
  #uid = 0;

  constructor(owner: ClaudeNexus) {
    this.owner = owner;
  }

  /** Another cluster in the same state. */
  clone(): SimulatedCluster {
    const twin = new SimulatedCluster(this.owner);
    for (const [key, object] of this.objects) twin.objects.set(key, object);
    for (const [name, login] of this.logins) twin.logins.set(name, login);
    for (const [key, text] of this.#applied) twin.#applied.set(key, text);
    twin.writes = this.writes;
    twin.#random = this.#random;
    twin.#uid = this.#uid;
    return twin;
  }

  readonly random = (bytes: number): Buffer => {
    this.#random += 1;
    const digest = createHash('sha256').update(`random ${this.#random}`).digest();
    return Buffer.concat([digest, digest]).subarray(0, bytes);
  };

  observe(): Observed {
    const all = [...this.objects.values()];
    return {
      owner: this.owner,
      children: all,
      secrets: new Map(
        all.filter(({ kind }) => kind === 'Secret').map((secret) => [secret.metadata.name, secret]),
      ),
      has: this.has,
      expandable: this.expandable,
    };
  }

  plan(): Plan {
    return planChanges(this.observe(), {
      random: this.random,
      now: () => this.now,
      images: { proxy: 'proxy:1', dashboard: 'dashboard:1', postgres: 'postgres' },
      runbookUrl: 'https://runbooks.example/alerts',
    });
  }

  /** One reconcile. @throws {Killed} after the write it is to die after */
  reconcile(): Plan {
    const plan = this.plan();
    for (const action of plan.actions) this.#act(action);
    for (const object of plan.desired) this.#apply(object);
    if (plan.prune) {
      const children = [...this.objects.values()];
      for (const child of prunable({ ...plan, owner: this.owner, children })) {
        this.#write(() => {
          this.remove(childKey(child));
          this.#collect(child);
        });
      }
    }
    const { conditions: _, ...before } = this.owner.status ?? {};
    const status = { ...plan.status, conditions: plan.conditions } as ClaudeNexusStatus;
    const { conditions: __, ...rest } = status;
    if (!same(before, rest) || !same(this.owner.status?.conditions, plan.conditions)) {
      this.#write(() => {
        this.#changes += 1;
        this.owner = { ...this.owner, status };
      });
    }
    this.seenEvents.push(...plan.events);
    return plan;
  }

  /** Until neither the operator nor the controllers have anything left to do. */
  settle(): Plan {
    for (let round = 0; round < 80; round += 1) {
      const before = this.#changes;
      let plan: Plan | undefined;
      try {
        plan = this.reconcile();
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
      }
      this.tick();
      if (plan !== undefined && before === this.#changes) return plan;
    }
    throw new Error('the cluster does not come to rest');
  }

  edit(change: (owner: ClaudeNexus) => ClaudeNexus): void {
    const changed = change(copy(this.owner));
    const generation = (this.owner.metadata.generation ?? 0) + (same(changed.spec, this.owner.spec) ? 0 : 1);
    this.owner = { ...changed, metadata: { ...changed.metadata, generation } };
  }

  put(object: KubeObject): void {
    const key = childKey(object);
    if (same(this.objects.get(key), object)) return;
    this.#changes += 1;
    this.objects.set(key, object);
  }

  remove(key: string): void {
    this.#changes += this.objects.delete(key) ? 1 : 0;
    this.#applied.delete(key);
  }

  get(key: string): KubeObject | undefined {
    return this.objects.get(key);
  }

  of(kind: string): KubeObject[] {
    return [...this.objects.values()].filter((object) => object.kind === kind);
  }

  /** Addresses in use by running pods. */
  usedUrls(): string[] {
    return this.of('Pod').flatMap((pod) => textAt(pod, 'url') ?? []);
  }

  #write(change: () => void): void {
    change();
    this.writes += 1;
    this.onChange();
    if (this.writes === this.killAfter) throw new Killed();
  }

  #act(action: Action): void {
    switch (action.type) {
      case 'create': {
        const key = childKey(action.object);
        if (this.objects.has(key)) throw new Error(`${key} exists`);
        this.#write(() => this.#store(action.object));
        break;
      }
      case 'update-secret':
        this.#write(() => this.#store(action.object));
        break;
      case 'expand-claim':
        this.#write(() => {
          const claim = copy(this.objects.get(`PersistentVolumeClaim/${action.name}`)) as never as {
            spec: { resources: { requests: { storage: string } } };
          };
          claim.spec.resources.requests.storage = action.size;
          this.put(claim as never);
        });
        break;
      case 'retain-claims':
        this.#write(() => {
          const spec = { ...(action.set['spec'] as object) };
          const policy = { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain' } };
          this.#store({ ...action.set, spec: { ...spec, ...policy } });
        });
        break;
      case 'orphan-set':
        this.#write(() => this.remove(childKey(action.set)));
        break;
      case 'delete':
        this.#write(() => this.remove(childKey(action.object)));
        break;
    }
  }

  /** The garbage collector takes claims whose set is gone. */
  #collect({ metadata }: KubeObject): void {
    for (const claim of this.of('PersistentVolumeClaim')) {
      const owned = (claim.metadata.ownerReferences ?? []).some(({ uid }) => uid === metadata.uid);
      if (owned) this.remove(childKey(claim));
    }
  }

  #apply(object: KubeObject): void {
    const key = childKey(object);
    const live = this.objects.get(key);
    const text = JSON.stringify(object);
    if (live !== undefined && this.#applied.get(key) === text) return;
    if (live !== undefined) refuseImmutable(live, object);
    this.#write(() => {
      this.#applied.set(key, text);
      this.#store(object);
    });
  }

  #store(object: KubeObject): void {
    const key = childKey(object);
    const live = this.objects.get(key);
    const changed = live === undefined || !same(live['spec'], object['spec']);
    this.#uid += live === undefined ? 1 : 0;
    this.put({
      ...object,
      metadata: {
        ...object.metadata,
        uid: live?.metadata.uid ?? `uid-${this.#uid}`,
        generation: (live?.metadata.generation ?? 0) + (changed ? 1 : 0),
      },
      ...(live?.['status'] === undefined ? {} : { status: live['status'] }),
    });
  }

  /** Every controller of the cluster does one step. */
  tick(): void {
    for (const set of this.of('StatefulSet')) this.#volume(set);
    for (const claim of this.of('PersistentVolumeClaim')) {
      const storage = textAt(claim, 'spec', 'resources', 'requests', 'storage');
      this.put({ ...claim, status: { phase: 'Bound', capacity: { storage } } });
    }
    for (const workload of [...this.of('Deployment'), ...this.of('StatefulSet')]) this.#rollOut(workload);
    for (const job of this.of('Job')) this.#runJob(job);
    this.onChange();
  }

  #volume(set: KubeObject): void {
    const template = at(set, 'spec', 'volumeClaimTemplates', 0) as KubeObject;
    const name = `${template.metadata.name}-${set.metadata.name}-0`;
    const takesAlong =
      textAt(set, 'spec', 'persistentVolumeClaimRetentionPolicy', 'whenDeleted') === 'Delete';
    const { uid = '' } = set.metadata;
    const ownerReferences = takesAlong
      ? [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: set.metadata.name, uid }]
      : [];
    const live = this.objects.get(`PersistentVolumeClaim/${name}`);
    if (live !== undefined) {
      this.put({ ...live, metadata: { ...live.metadata, ownerReferences } });
      return;
    }
    const spec = { ...(template['spec'] as object), storageClassName: 'standard' };
    this.put({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { ...template.metadata, name, ownerReferences },
      spec,
    });
  }

  #rollOut(workload: KubeObject): void {
    const template = at(workload, 'spec', 'template') as { metadata: KubeObject['metadata']; spec: unknown };
    const wanted = numberAt(workload, 'spec', 'replicas') ?? 1;
    const hash = createHash('sha256').update(JSON.stringify(template)).digest('hex').slice(0, 8);
    const pods = this.of('Pod').filter((pod) => textAt(pod, 'of') === childKey(workload));
    for (const pod of pods) {
      if (pod.metadata.deletionTimestamp !== undefined) this.#drain(pod);
      else if (textAt(pod, 'hash') !== hash) this.#end(pod);
      else if (textAt(pod, 'url') === undefined) this.#start(pod);
    }
    const current = pods.filter(
      (pod) => textAt(pod, 'hash') === hash && pod.metadata.deletionTimestamp === undefined,
    );
    for (const pod of current.slice(wanted)) this.#end(pod);
    for (let index = current.length; index < wanted; index += 1) {
      this.#uid += 1;
      this.#start({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...template.metadata, name: `${workload.metadata.name}-${this.#uid}` },
        spec: template.spec,
        of: childKey(workload),
        hash,
      });
    }
    const replicas = Math.min(wanted, Math.max(current.length, wanted));
    const old = pods.filter(
      (pod) => textAt(pod, 'hash') !== hash && pod.metadata.deletionTimestamp === undefined,
    ).length;
    this.put({
      ...workload,
      status: {
        observedGeneration: workload.metadata.generation,
        replicas: replicas + old,
        updatedReplicas: replicas,
        availableReplicas: current.length,
        readyReplicas: current.length,
      },
    });
  }

  #end(pod: KubeObject): void {
    this.put({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
  }

  #drain(pod: KubeObject): void {
    const steps = numberAt(pod, 'steps') ?? DRAIN_STEPS;
    if (steps === 0) this.remove(childKey(pod));
    else this.put({ ...pod, steps: steps - 1 });
  }

  /** The container starts when the key it refers to is there, and keeps what it read. */
  #start(pod: KubeObject): void {
    const env = listAt(pod, 'spec', 'containers', 0, 'env');
    const variable = env.find((variable) => textAt(variable, 'name') === 'DATABASE_URL');
    const ref = at(variable, 'valueFrom', 'secretKeyRef') as { name: string; key: string } | undefined;
    const url = ref === undefined ? 'none' : secretText(this.objects.get(`Secret/${ref.name}`), ref.key);
    this.put({ ...pod, ...(url === undefined ? {} : { url }) });
  }

  #runJob(job: KubeObject): void {
    if (listAt(job, 'status', 'conditions').length > 0) return;
    const steps = numberAt(job, 'status', 'steps') ?? JOB_STEPS;
    if (steps > 0) {
      this.put({ ...job, status: { steps: steps - 1 } });
      return;
    }
    const image = textAt(job, 'spec', 'template', 'spec', 'containers', 0, 'image') ?? '';
    const type = this.failingImages.has(image) ? 'Failed' : 'Complete';
    if (type === 'Complete' && job.metadata.name.includes('-database-')) this.#setLogins();
    const lastTransitionTime = new Date(this.now).toISOString();
    this.put({ ...job, status: { conditions: [{ type, status: 'True', lastTransitionTime }] } });
  }

  #setLogins(): void {
    const name = `${this.owner.metadata.name}-database`;
    const text = secretText(this.objects.get(`Secret/${name}`), 'logins.json');
    const logins = JSON.parse(text ?? '[]') as ({ name: string } & Login)[];
    for (const { name, password, enabled } of logins) this.logins.set(name, { password, enabled });
  }

  /** What two runs are compared by: names that hold digests, secret values and identities are left out. */
  canonical(): unknown {
    const objects = [...this.objects.values()]
      .filter(({ kind }) => kind !== 'Pod')
      .map((object) => canonicalObject(object))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const { conditions, ...status } = this.owner.status ?? {};
    const told = (conditions ?? []).map(({ type, status, reason }) => [type, status, reason]);
    return { objects, status, told };
  }
}

function refuseImmutable(live: KubeObject, object: KubeObject): void {
  if (object.kind === 'Job' && !same(at(live, 'spec', 'template'), at(object, 'spec', 'template'))) {
    throw new Error(`template of Job ${object.metadata.name} is immutable`);
  }
  const claims = ['spec', 'volumeClaimTemplates'] as const;
  if (object.kind === 'StatefulSet' && !same(at(live, ...claims), at(object, ...claims))) {
    throw new Error('volumeClaimTemplates are immutable');
  }
}

function canonicalObject(object: KubeObject): { key: string; object: unknown } {
  const { uid: _, generation: __, ...metadata } = object.metadata;
  const isSecret = object.kind === 'Secret';
  const plain = {
    ...object,
    metadata,
    status: undefined,
    ...(isSecret ? { data: Object.keys((object['data'] as object | undefined) ?? {}) } : {}),
  };
  const text = JSON.stringify(plain)
    .replaceAll(/(database|restore)-[0-9a-f]{8}/g, '$1-#')
    .replaceAll(/"claudenexus\.dev\/checksum":"[0-9a-f]{16}"/g, '"checksum":"#"');
  const parsed = JSON.parse(text) as KubeObject;
  return { key: childKey(parsed), object: parsed };
}
