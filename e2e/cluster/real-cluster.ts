import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { findPrograms, HELM } from '../fixtures/control-plane/binaries.ts';
import { Cluster } from '../fixtures/control-plane/cluster.ts';
import { cacheFolder, toolsOfThisMachine } from '../fixtures/control-plane/tools.ts';
import { ROOT } from '../fixtures/program.ts';
import { ensureBaseImages, POSTGRES_IMAGE, POSTGRES_VERSION } from './base-images.ts';
import { run } from './command.ts';
import { ImageStore } from './image-store.ts';
import { deliver, nameIn } from './image-target.ts';
import { borrowCluster } from './kubeconfig.ts';
import { Node } from './node.ts';
import { buildChangedImage, buildProjectImages, buildTester } from './project-images.ts';
import { whyNoNode } from './sandbox.ts';
import type { Connection } from '../fixtures/control-plane/cluster.ts';
import type { ImageTarget } from './image-target.ts';
import type { ImageChange, ProjectImages } from './project-images.ts';

/** What the cluster can run, by the names it knows. */
export interface ClusterImages extends ProjectImages {
  /** The Messages API stand-in, port 8080; holds the SDK as well. */
  readonly tester: string;
  /** Without tag, which is `postgresVersion`. */
  readonly postgres: string;
  readonly postgresVersion: number;
}

/** What another process needs to use the same cluster. */
export interface RealClusterState {
  readonly connection: Connection;
  readonly target: ImageTarget;
  readonly kubeconfig: string;
  readonly helm: string;
}

/**
 * A cluster with real pods: the one KUBECONFIG names, else a node on this machine.
 *
 *     const real = await RealCluster.up();
 *     const images = await real.buildImages('v1');
 *     await real.helm(['install', 'nexus', 'charts/claude-nexus', '--namespace', namespace]);
 *     await real.cluster.kubectl(['get', 'pods']);
 *     await real.down();
 */
export class RealCluster {
  /** The API server, kubectl and namespaces. */
  readonly cluster: Cluster;
  readonly state: RealClusterState;
  readonly #store: ImageStore;
  readonly #down: () => Promise<void>;

  private constructor(state: RealClusterState, store: ImageStore, down: () => Promise<void>) {
    this.state = state;
    this.cluster = new Cluster(state.connection);
    this.#store = store;
    this.#down = down;
  }

  /** @throws Error saying what this machine or the environment lacks */
  static async up(): Promise<RealCluster> {
    const { KUBECONFIG: kubeconfig } = process.env;
    // Before what takes half an hour.
    const reason = kubeconfig ? undefined : await whyNoNode();
    if (reason !== undefined) throw new Error(`${reason}; or set KUBECONFIG to a cluster to use`);
    const store = imageStore();
    const tools = toolsOfThisMachine();
    const helm = await findPrograms(tools, HELM);
    if ('missing' in helm) throw new Error(helm.missing);
    const control = await findPrograms(tools);
    if ('missing' in control) throw new Error(control.missing);
    const given = { helm: path.join(helm.folder, 'helm') };
    if (kubeconfig) {
      const folder = await mkdtemp(path.join(tmpdir(), 'nexus-cluster-'));
      const borrowed = await borrowCluster(
        { kubeconfig, kubectl: path.join(control.folder, 'kubectl') },
        folder,
      );
      const { connection, target } = borrowed;
      return new RealCluster({ ...given, connection, target, kubeconfig }, store, async () => {
        await borrowed.giveBack();
        await rm(folder, { recursive: true, force: true });
      });
    }
    const node = await Node.start(store);
    const { kubeconfig: own, target, cluster } = node;
    const state = { ...given, kubeconfig: own, target, connection: cluster.connection };
    return new RealCluster(state, store, async () => {
      await node.stop();
      await store.tidy();
    });
  }

  /** The cluster that another process of this machine has brought up and will take down. */
  static of(state: RealClusterState): RealCluster {
    return new RealCluster(state, imageStore(), async () => undefined);
  }

  /**
   * Builds the images of the project, of the stand-in and of PostgreSQL and makes them known to the cluster.
   *
   * @param tag of the project's images: one for each version a test needs
   * @param context folder with the sources; default: this clone
   */
  async buildImages(tag: string, context?: string): Promise<ClusterImages> {
    await ensureBaseImages(this.#store);
    const { proxy, dashboard, operator } = await buildProjectImages(this.#store, tag, context);
    const postgres = `${POSTGRES_IMAGE}:${POSTGRES_VERSION}`;
    await this.importImage(postgres);
    return {
      proxy: await this.importImage(proxy),
      dashboard: await this.importImage(dashboard),
      operator: await this.importImage(operator),
      tester: await this.importImage(await buildTester(this.#store)),
      postgres: nameIn(this.state.target, POSTGRES_IMAGE),
      postgresVersion: POSTGRES_VERSION,
    };
  }

  /** Builds another version of one of the project's images. @returns its name in the cluster */
  async buildChangedImage(change: ImageChange): Promise<string> {
    return this.importImage(await buildChangedImage(this.#store, change));
  }

  /** Makes an image that buildah has built known to the cluster. @returns its name there */
  importImage(image: string): Promise<string> {
    return deliver(this.#store, image, this.state.target);
  }

  /** Runs Helm against the cluster. @returns its standard output */
  helm(args: readonly string[]): Promise<string> {
    return run([this.state.helm, '--kubeconfig', this.state.kubeconfig, ...args], { cwd: ROOT });
  }

  /** Ends a node of ours, which leaves nothing behind but the kept images; takes back what was made elsewhere. */
  async down(): Promise<void> {
    this.cluster.close();
    await this.#down();
  }
}

function imageStore(): ImageStore {
  return new ImageStore(path.join(cacheFolder({ env: process.env }), 'cluster', 'images'));
}
