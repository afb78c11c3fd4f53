import { afterAll, afterEach, beforeAll, beforeEach, inject } from 'vitest';

import { Cluster } from '../fixtures/control-plane/cluster.ts';
import { Kubelet } from '../fixtures/control-plane/kubelet.ts';
import type { Connection } from '../fixtures/control-plane/cluster.ts';

/** What the tests of one `describe` share. */
export class Lab {
  readonly #cluster: Cluster | undefined;
  readonly #namespaces: string[] = [];
  #kubelet: Kubelet | undefined;

  constructor(cluster: Cluster | undefined) {
    this.#cluster = cluster;
  }

  get cluster(): Cluster {
    if (!this.#cluster) throw new Error('there is no control plane');
    return this.#cluster;
  }

  /** False where all tests are skipped. */
  get isThere(): boolean {
    return this.#cluster !== undefined;
  }

  /** Serves the namespaces of this lab. */
  get kubelet(): Kubelet {
    if (!this.#kubelet) throw new Error('the kubelet double runs within tests and hooks only');
    return this.#kubelet;
  }

  /** Creates a namespace that is deleted after the tests, and lets the kubelet double serve it. @returns its name */
  async namespace(labels?: Readonly<Record<string, string>>): Promise<string> {
    const name = await this.cluster.createNamespace('test', labels);
    this.#namespaces.push(name);
    this.kubelet.serve(name);
    return name;
  }

  async start(): Promise<void> {
    if (this.#cluster) this.#kubelet = await Kubelet.start(this.#cluster.api('kubelet'), []);
  }

  async stop(): Promise<void> {
    for (const name of this.#namespaces) await this.cluster.abandonNamespace(name);
    await this.#kubelet?.stop();
    this.#cluster?.close();
  }
}

/**
 * To be called within `describe`. Without a control plane all its tests are skipped, with the reason.
 *
 * @param prepare done once before the tests, when there is a control plane
 */
export function setUp(prepare?: (lab: Lab) => Promise<void>): Lab {
  const shared = ownPlane();
  const lab = new Lab('missing' in shared ? undefined : new Cluster(shared));
  beforeAll(async () => {
    if ('missing' in shared) return;
    await lab.start();
    await prepare?.(lab);
  });
  beforeEach((context) => {
    if ('missing' in shared) context.skip(shared.missing);
  });
  afterEach(() => {
    if (!('missing' in shared)) lab.kubelet.reset();
  });
  afterAll(() => lab.stop());
  return lab;
}

/** The control plane of this worker: no two files that run at the same time have the same. */
function ownPlane(): Connection | { readonly missing: string } {
  const planes = inject('controlPlanes');
  if ('missing' in planes) return planes;
  // Counted from 1 by vitest.
  const worker = Number(process.env['VITEST_POOL_ID']);
  const plane = planes[worker - 1];
  if (plane === undefined) throw new Error(`there is no control plane for worker ${worker}`);
  return plane;
}
