import { glob, mkdir, mkdtemp, readFile, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { findPrograms, NODE } from '../fixtures/control-plane/binaries.ts';
import { ControlPlane } from '../fixtures/control-plane/control-plane.ts';
import { cacheFolder, toolsOfThisMachine } from '../fixtures/control-plane/tools.ts';
import { until } from '../fixtures/program.ts';
import { BUSYBOX_IMAGE, makeNodeImages } from './base-images.ts';
import { run } from './command.ts';
import { deliver } from './image-target.ts';
import { CNI_NETWORK, containerdConfig, kubeletConfig, kubeProxyConfig } from './node-files.ts';
import { NODE_ADDRESS, Sandbox } from './sandbox.ts';
import type { Cluster } from '../fixtures/control-plane/cluster.ts';
import type { ImageStore } from './image-store.ts';
import type { ImageTarget } from './image-target.ts';

const NAME = 'node';
const ADDONS = fileURLToPath(new URL('addons.yaml', import.meta.url));
const ENFORCER = fileURLToPath(new URL('network-policies/main.ts', import.meta.url));
const NODE_USER = `system:node:${NAME}`;
/** Users of the node's programs; Kubernetes has a role for each. */
const USERS = {
  [NODE_USER]: ['system:nodes'],
  'system:kube-proxy': [],
  'system:kube-scheduler': [],
};

interface Parts {
  readonly sandbox: Sandbox;
  readonly plane: ControlPlane;
  readonly programs: string;
}

/** A control plane and one real node on this machine, which run real pods. */
export class Node {
  readonly #sandbox: Sandbox;
  readonly #plane: ControlPlane;
  readonly #programs: string;

  private constructor({ sandbox, plane, programs }: Parts) {
    this.#sandbox = sandbox;
    this.#plane = plane;
    this.#programs = programs;
  }

  /** Takes 20 to 60 seconds. @throws Error saying what is missing, or with the log of what does not start */
  static async start(store: ImageStore): Promise<Node> {
    const tools = toolsOfThisMachine();
    const [control, own] = [await findPrograms(tools), await findPrograms(tools, NODE)];
    for (const found of [control, own]) if ('missing' in found) throw new Error(found.missing);
    const folderOf = (found: typeof own): string => ('folder' in found ? found.folder : '');
    const images = await makeNodeImages(store, folderOf(own));

    const sandbox = await Sandbox.start(await mkdtemp(path.join(tmpdir(), 'nexus-node-')));
    let plane: ControlPlane | undefined;
    try {
      plane = await ControlPlane.start({
        programs: folderOf(control),
        users: USERS,
        node: { address: NODE_ADDRESS, enter: sandbox.enterNetwork },
      });
      const node = new Node({ sandbox, plane, programs: folderOf(own) });
      await node.#write('kubeconfig', node.cluster.kubeconfig());
      await node.#startContainerd();
      for (const image of images) await deliver(store, image, node.target);
      await node.#startKubernetes();
      await node.#installAddons();
      return node;
    } catch (error) {
      await plane?.stop();
      await sandbox.stop();
      throw error;
    }
  }

  get cluster(): Cluster {
    return this.#plane.cluster;
  }

  /** File that opens the cluster for kubectl; beside it is the socket of containerd. */
  get kubeconfig(): string {
    return this.#file('kubeconfig');
  }

  get target(): ImageTarget {
    return { containerd: this.#file('containerd.sock') };
  }

  /** Ends everything at once and leaves nothing behind but the images. */
  async stop(): Promise<void> {
    await this.#plane.stop();
    await this.#sandbox.stop();
    await removeControlGroups();
  }

  #file(name: string): string {
    return path.join(this.#sandbox.folder, name);
  }

  async #write(name: string, content: unknown): Promise<string> {
    const file = this.#file(name);
    const written = typeof content === 'string' ? content : JSON.stringify(content);
    await writeFile(file, written, { mode: 0o600 });
    return file;
  }

  async #startContainerd(): Promise<void> {
    const socket = this.#file('containerd.sock');
    await mkdir(this.#file('cni'));
    await this.#write('cni/pods.conflist', CNI_NETWORK);
    const config = await this.#write(
      'containerd.toml',
      containerdConfig({
        root: path.join(cacheFolder({ env: process.env }), 'cluster', 'containerd'),
        socket,
        cni: this.#file('cni'),
        pauseImage: BUSYBOX_IMAGE,
      }),
    );
    this.#sandbox.start('containerd', 'containerd', ['--config', config]);
    await until('containerd', async () => {
      await this.#sandbox.check('containerd');
      return run(['ctr', '--address', socket, 'version']).catch(() => undefined);
    });
  }

  async #startKubernetes(): Promise<void> {
    const { cluster } = this.#plane;
    const kubeconfig = (user: string): Promise<string> => cluster.kubeconfigFile(user);
    const resolvers = await this.#write('resolv.conf', 'nameserver 127.0.0.1\n');
    const kubelet = await this.#write(
      'kubelet.json',
      kubeletConfig({ socket: this.#file('containerd.sock'), resolvers }),
    );
    this.#start('kubelet', {
      config: kubelet,
      kubeconfig: await kubeconfig(NODE_USER),
      'root-dir': this.#file('kubelet'),
      'cert-dir': this.#file('kubelet-certificates'),
      'hostname-override': NAME,
      'node-ip': NODE_ADDRESS,
    });
    const proxy = await this.#write(
      'kube-proxy.json',
      kubeProxyConfig(await kubeconfig('system:kube-proxy')),
    );
    this.#start('kube-proxy', { config: proxy });
    const scheduler = await kubeconfig('system:kube-scheduler');
    this.#start('kube-scheduler', {
      kubeconfig: scheduler,
      'authentication-kubeconfig': scheduler,
      'authorization-kubeconfig': scheduler,
      'cert-dir': this.#file('scheduler-certificates'),
      'leader-elect': 'false',
    });
    const connection = await this.#write('connection.json', cluster.connection);
    this.#sandbox.startInNetwork('network-policies', process.execPath, [ENFORCER, connection]);
    await cluster.kubectl(['wait', '--for=create', `node/${NAME}`, '--timeout=60s']).catch((error) => {
      return this.#explain(error, 'kubelet');
    });
    await cluster.kubectl(['wait', '--for=condition=Ready', `node/${NAME}`, '--timeout=60s']);
    for (const name of ['kubelet', 'kube-proxy', 'kube-scheduler', 'network-policies']) {
      await this.#sandbox.check(name);
    }
  }

  async #explain(error: unknown, name: string): Promise<never> {
    await this.#sandbox.check(name);
    throw error;
  }

  #start(name: string, flags: Readonly<Record<string, string>>): void {
    const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
    this.#sandbox.start(name, path.join(this.#programs, name), args);
  }

  async #installAddons(): Promise<void> {
    const volumes = this.#file('volumes');
    const text = (await readFile(ADDONS, 'utf8')).replaceAll('@VOLUMES@', volumes);
    const { cluster } = this.#plane;
    await cluster.kubectl(['apply', '--server-side', '-f', await this.#write('addons.yaml', text)]);
    for (const [namespace, name] of [
      ['kube-system', 'coredns'],
      ['local-path-storage', 'local-path-provisioner'],
    ]) {
      await cluster.kubectl([
        'rollout',
        'status',
        `deployment/${name}`,
        '-n',
        `${namespace}`,
        '--timeout=60s',
      ]);
    }
  }
}

/** The kubelet's, which outlive their processes. */
async function removeControlGroups(): Promise<void> {
  const groups: string[] = [];
  for await (const folder of glob('/sys/fs/cgroup/{*/,}{kubepods,k8s.io}{,/**/}')) groups.push(folder);
  // The innermost first. One that still has a process stays.
  for (const folder of groups.toSorted((a, b) => b.length - a.length))
    await rmdir(folder).catch(() => undefined);
}
