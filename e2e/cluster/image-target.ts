import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { run } from './command.ts';
import type { ImageStore } from './image-store.ts';

/** Where a cluster gets its images from: straight into the containerd of its only node, or from a registry. */
export type ImageTarget = { readonly containerd: string } | { readonly registry: string };

/** Remembers which image of the store it was. */
const LABEL = 'nexus-id';

/**
 * Makes an image of the store known to a cluster. Does nothing when the node has this very one.
 *
 * @returns its name in the cluster
 */
export async function deliver(store: ImageStore, image: string, target: ImageTarget): Promise<string> {
  const id = await store.idOf(image);
  if (id === undefined) throw new Error(`there is no image ${image}: build it first`);
  if ('registry' in target) {
    const name = nameIn(target, image);
    await store.push(image, name);
    return name;
  }
  const ctr = (...args: string[]): Promise<string> =>
    run(['ctr', '--address', target.containerd, '--namespace', 'k8s.io', ...args]);
  if ((await ctr('images', 'ls', `name==${image}`)).includes(`${LABEL}=${id}`)) return image;
  const folder = await mkdtemp(path.join(tmpdir(), 'nexus-image-'));
  try {
    const archive = path.join(folder, 'image.tar');
    await store.save(image, archive);
    await ctr('images', 'import', archive);
    await ctr('images', 'label', image, `${LABEL}=${id}`);
    return image;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Name of an image in the cluster, whether it is there or not. */
export function nameIn(target: ImageTarget, image: string): string {
  return 'registry' in target ? `${target.registry}/${image.replace(/^docker\.io\//, '')}` : image;
}
