import { setTimeout as delay } from 'node:timers/promises';

import { at } from '../fixtures/control-plane/api.ts';
import type { TestObject } from '../fixtures/control-plane/api.ts';
import type { Kubelet } from '../fixtures/control-plane/kubelet.ts';
import type { Gateway } from './gateway.ts';

export interface Database {
  /** What the database Job does with LOGINS_FILE and the owner's address. */
  readonly runJob: (loginsFile: string, ownerUrl: string) => Promise<void>;
  /** Whether it lets somebody in with this address. */
  readonly logIn: (url: string) => Promise<boolean>;
}

/** A database that knows logins and nothing else. */
export function pretendedDatabase(): Database & { readonly enabled: () => readonly string[] } {
  const logins = new Map<string, string>();
  return {
    runJob: async (file) => {
      const wanted = JSON.parse(file) as { name: string; password: string; enabled: boolean }[];
      for (const { name, password, enabled } of wanted) {
        if (enabled) logins.set(name, password);
        else logins.delete(name);
      }
    },
    logIn: async (url) => {
      const { username, password } = new URL(url);
      return logins.get(username) === decodeURIComponent(password);
    },
    enabled: () => [...logins.keys()].toSorted(),
  };
}

/**
 * Plays the database Jobs of a gateway, one after the other, and watches its pods: each has the address its Secret held
 * when it started, as a container has, and must be able to log in with it at every moment after the first Job.
 */
export class LoginWatch {
  /** Pods that could not log in, and pods that could not even start. */
  readonly violations: string[] = [];
  readonly #gateway: Gateway;
  readonly #kubelet: Kubelet;
  readonly #database: Database;
  readonly #addresses = new Map<string, string>();
  readonly #played = new Set<string>();
  readonly #running: Promise<void>;
  #isOver = false;
  #logins = 0;

  constructor(gateway: Gateway, kubelet: Kubelet, database: Database) {
    this.#gateway = gateway;
    this.#kubelet = kubelet;
    this.#database = database;
    kubelet.runJobs((pod) => isOf(pod, gateway, ['database']) && !this.#played.has(pod.metadata.uid));
    this.#running = this.#run();
  }

  /** Logins that were tried with success. */
  get logins(): number {
    return this.#logins;
  }

  /** Ends the watch. @throws whatever went wrong with it */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      await this.#look();
      await delay(20);
    }
  }

  async #look(): Promise<void> {
    for (const pod of await this.#gateway.pods('database')) await this.#playJob(pod);
    const pods = [...(await this.#gateway.pods('proxy')), ...(await this.#gateway.pods('dashboard'))];
    for (const pod of pods) {
      if (at(pod, 'status.phase') !== 'Running') continue;
      const url = await this.#addressOf(pod);
      if (this.#played.size === 0 || url === undefined) continue;
      if (await this.#database.logIn(url)) this.#logins += 1;
      // One that has ended in the meantime no longer minds.
      else if (await this.#gateway.api.find(`${this.#gateway.collection('pods')}/${pod.metadata.name}`)) {
        this.violations.push(`${pod.metadata.name} cannot log in as ${new URL(url).username}`);
      }
    }
  }

  async #playJob(pod: TestObject): Promise<void> {
    const { uid } = pod.metadata;
    if (this.#played.has(uid) || at(pod, 'status.phase') !== 'Running') return;
    const texts = await this.#gateway.texts(`${this.#gateway.name}-database`);
    await this.#database.runJob(texts['logins.json'] ?? '[]', texts['ownerUrl'] ?? '');
    this.#played.add(uid);
    // Makes the double look at the pod once more.
    this.#kubelet.succeedJobs((candidate) => candidate.metadata.uid === uid);
  }

  async #addressOf(pod: TestObject): Promise<string | undefined> {
    const known = this.#addresses.get(pod.metadata.uid);
    if (known !== undefined) return known;
    const variables = at(pod, 'spec.containers.0.env') as { name: string; valueFrom?: unknown }[];
    const source = variables.find(({ name }) => name === 'DATABASE_URL')?.valueFrom;
    const key = String(at(source, 'secretKeyRef.key'));
    const url = (await this.#gateway.texts(String(at(source, 'secretKeyRef.name'))))[key];
    if (url === undefined) this.violations.push(`${pod.metadata.name} finds no ${key}`);
    else this.#addresses.set(pod.metadata.uid, url);
    return url;
  }
}

function isOf(pod: TestObject, gateway: Gateway, components: readonly string[]): boolean {
  const labels = pod.metadata.labels ?? {};
  return (
    pod.metadata.namespace === gateway.namespace &&
    labels['app.kubernetes.io/instance'] === gateway.name &&
    components.includes(labels['app.kubernetes.io/component'] ?? '')
  );
}
