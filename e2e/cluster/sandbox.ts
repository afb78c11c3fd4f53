import { readFile } from 'node:fs/promises';

import { Children } from '../fixtures/control-plane/children.ts';
import { until } from '../fixtures/program.ts';
import { isInstalled, run } from './command.ts';

/** Ends of the cable between this machine and the node. The name also keeps a second node from starting. */
const HOST_LINK = 'nexus-node';
const NODE_LINK = 'uplink';
/** Address of the node; the API server listens there. */
export const NODE_ADDRESS = '10.245.0.1';
const HOST_ADDRESS = '10.245.0.2';
/** Folders in which containerd, the kubelet and CNI plugins leave files; the node has empty ones of its own. */
const OWN_FOLDERS = ['/run', '/var/log', '/var/lib'];

/** The process all others of the node descend from: it waits for orphans, and when it ends the kernel ends them all. */
const FIRST_PROCESS = 'while :; do sleep 3600 & wait $!; done';

/**
 * The node's own network, mounts and processes, so that nothing of it is left on the machine afterwards: no link, no
 * packet rule, no mount, no process, no setting of the kernel.
 */
export class Sandbox {
  readonly folder: string;
  readonly #children: Children;
  readonly #pid: number;

  private constructor(parts: { folder: string; children: Children; pid: number }) {
    this.folder = parts.folder;
    this.#children = parts.children;
    this.#pid = parts.pid;
  }

  /** @param folder deleted in the end, even when this process is killed */
  static async start(folder: string): Promise<Sandbox> {
    const children = new Children(folder);
    try {
      children.start('sandbox', 'unshare', [
        '--net',
        '--mount',
        '--pid',
        '--fork',
        '--kill-child',
        '--mount-proc',
        'sh',
        '-c',
        FIRST_PROCESS,
      ]);
      const pid = await until('the first process of the node', async () => {
        await children.check('sandbox');
        return firstChildOf(children.pidOf('sandbox'));
      });
      const sandbox = new Sandbox({ folder, children, pid });
      await sandbox.#setUp();
      return sandbox;
    } catch (error) {
      await children.end();
      throw error;
    }
  }

  /** Starts a program of the node; its output goes to `<folder>/<name>.log`. */
  start(name: string, program: string, args: readonly string[] = []): void {
    const [nsenter, ...enter] = this.#enter;
    this.#children.start(name, nsenter, [...enter, program, ...args]);
  }

  /** Starts a program that only shares the node's network, under its own process id. */
  startInNetwork(name: string, program: string, args: readonly string[]): void {
    const [nsenter, ...enter] = this.enterNetwork;
    this.#children.start(name, nsenter, [...enter, program, ...args]);
  }

  /** Runs a program of the node. @returns its standard output */
  run(...command: readonly [string, ...string[]]): Promise<string> {
    return run([...this.#enter, ...command]);
  }

  /** @throws Error with the end of its log when a started program does not run */
  check(name: string): Promise<void> {
    return this.#children.check(name);
  }

  /** Command that starts a program in the node's network only, under its own process id. */
  get enterNetwork(): readonly [string, ...string[]] {
    return ['nsenter', `--net=/proc/${this.#pid}/ns/net`, '--'];
  }

  async stop(): Promise<void> {
    await this.#children.end();
  }

  get #enter(): readonly [string, ...string[]] {
    return ['nsenter', `--target=${this.#pid}`, '--net', '--mount', '--pid', '--'];
  }

  async #setUp(): Promise<void> {
    await run([
      'ip',
      'link',
      'add',
      HOST_LINK,
      'type',
      'veth',
      'peer',
      NODE_LINK,
      'netns',
      String(this.#pid),
    ]);
    await run(['ip', 'address', 'add', `${HOST_ADDRESS}/30`, 'dev', HOST_LINK]);
    await run(['ip', 'link', 'set', HOST_LINK, 'up']);
    await this.run('ip', 'link', 'set', 'lo', 'up');
    await this.run('ip', 'address', 'add', `${NODE_ADDRESS}/30`, 'dev', NODE_LINK);
    await this.run('ip', 'link', 'set', NODE_LINK, 'up');
    // kube-proxy and the runtime expect a way out; there is nothing behind it.
    await this.run('ip', 'route', 'add', 'default', 'via', HOST_ADDRESS);
    await this.run('sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.bridge.bridge-nf-call-iptables=1');
    // Volumes are mounted by the kubelet and have to be seen by containers.
    await this.run('mount', '--make-rshared', '/');
    for (const folder of OWN_FOLDERS) {
      await this.run('mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', folder);
    }
    await this.run('mkdir', '-p', '/run/lock', '/var/lib/kubelet', '/var/log/pods');
  }
}

async function firstChildOf(pid: number): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return Number(children.trim().split(' ')[0]) || undefined;
}

/** Programs of the machine that a node needs, and the Debian packages that bring them. */
const REQUIRED: Readonly<Record<string, string>> = {
  buildah: 'buildah',
  busybox: 'busybox-static',
  conntrack: 'conntrack',
  containerd: 'containerd',
  ip: 'iproute2',
  iptables: 'iptables',
  mmdebstrap: 'mmdebstrap',
  nft: 'nftables',
  runc: 'runc',
  '/usr/lib/cni/bridge': 'containernetworking-plugins',
};

/** @returns why no node can run on this machine; undefined when one can */
export async function whyNoNode(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'a node needs root on Linux';
  const missing = [];
  for (const [program, debianPackage] of Object.entries(REQUIRED)) {
    if (!(await isInstalled(program))) missing.push(debianPackage);
  }
  return missing.length === 0
    ? undefined
    : `a node needs: apt-get install --no-install-recommends ${missing.join(' ')}`;
}
