import { randomUUID } from 'node:crypto';
import { access } from 'node:fs/promises';
import path from 'node:path';

import { run } from './command.ts';
import type { Connection } from '../fixtures/control-plane/cluster.ts';
import type { ImageTarget } from './image-target.ts';

const NAMESPACE = 'kube-system';

interface View {
  readonly clusters: readonly { cluster: { server: string; 'certificate-authority-data'?: string } }[];
  readonly users?: readonly { user: { token?: string } }[];
}

/** A cluster that somebody else keeps. */
export interface Borrowed {
  readonly connection: Connection;
  readonly target: ImageTarget;
  /** Takes back what was made to get in. */
  readonly giveBack: () => Promise<void>;
}

/**
 * Gets into the cluster of a kubeconfig file, by its token or by a service account that may do everything.
 *
 * @param folder for files that go with the connection
 * @throws Error naming what is missing
 */
export async function borrowCluster(
  { kubeconfig, kubectl }: { kubeconfig: string; kubectl: string },
  folder: string,
): Promise<Borrowed> {
  const target = await targetOf(kubeconfig);
  const ask = (...args: string[]): Promise<string> => run([kubectl, '--kubeconfig', kubeconfig, ...args]);
  const view = JSON.parse(
    await ask('config', 'view', '--raw', '--minify', '--flatten', '-o', 'json'),
  ) as View;
  const { server = '', 'certificate-authority-data': authority = '' } = view.clusters[0]?.cluster ?? {};
  const known = view.users?.[0]?.user.token;
  const account = `claude-nexus-test-${randomUUID().slice(0, 8)}`;
  const giveBack = async (): Promise<void> => {
    if (known !== undefined) return;
    await ask('delete', 'clusterrolebinding', account, '--ignore-not-found');
    await ask('delete', 'serviceaccount', account, '-n', NAMESPACE, '--ignore-not-found');
  };
  const connection: Connection = {
    server,
    ca: Buffer.from(authority, 'base64').toString(),
    certificate: { cert: '', key: '' },
    tokens: { admin: known ?? (await tokenOf(ask, account)) },
    kubectl,
    auditLog: '',
    folder,
  };
  return { connection, target, giveBack };
}

async function tokenOf(ask: (...args: string[]) => Promise<string>, account: string): Promise<string> {
  await ask('create', 'serviceaccount', account, '-n', NAMESPACE);
  const subject = `--serviceaccount=${NAMESPACE}:${account}`;
  await ask('create', 'clusterrolebinding', account, '--clusterrole=cluster-admin', subject);
  return (await ask('create', 'token', account, '-n', NAMESPACE, '--duration=12h')).trim();
}

/** Beside the kubeconfig of a node that `node e2e/cluster/main.ts` keeps is the socket of its containerd. */
async function targetOf(kubeconfig: string): Promise<ImageTarget> {
  const containerd = path.join(path.dirname(kubeconfig), 'containerd.sock');
  const isOurs = await access(containerd).then(
    () => true,
    () => false,
  );
  if (isOurs) return { containerd };
  const registry = process.env['IMAGE_REGISTRY'];
  if (registry) return { registry };
  throw new Error(
    'with KUBECONFIG set IMAGE_REGISTRY as well, such as registry.example.com/test: the images are pushed there',
  );
}
