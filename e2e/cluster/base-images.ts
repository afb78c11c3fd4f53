import { cp, link, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { ROOT } from '../fixtures/program.ts';
import { isInstalled, run } from './command.ts';
import type { ImageStore } from './image-store.ts';

const RECIPES = path.join(ROOT, 'e2e/cluster/images');
/** Debian release of the base images, and the PostgreSQL it brings. */
const SUITE = 'trixie';
export const POSTGRES_VERSION = 17;
const POSTGRES_PACKAGES = [`postgresql-${POSTGRES_VERSION}`, `postgresql-client-${POSTGRES_VERSION}`];

export const NODE_IMAGE = 'docker.io/library/node:24-trixie-slim';
/** Without tag. */
export const POSTGRES_IMAGE = 'docker.io/library/postgres';
export const BUSYBOX_IMAGE = 'docker.io/claude-nexus-test/busybox:1';
const COREDNS_IMAGE = 'docker.io/claude-nexus-test/coredns:1';
const LOCAL_PATH_IMAGE = 'docker.io/claude-nexus-test/local-path-provisioner:1';

/** Files of this machine that go into an image, by the name its Dockerfile knows. */
type Files = (folder: string) => Promise<Readonly<Record<string, string>>>;

/** What the node itself runs. @param programs folder with CoreDNS and the provisioner @returns the names of the images */
export async function makeNodeImages(store: ImageStore, programs: string): Promise<readonly string[]> {
  const at =
    (name: string): Files =>
    async () => ({ [name]: path.join(programs, name) });
  const busybox = (await run(['sh', '-c', 'command -v busybox'])).trim();
  await make(store, { image: BUSYBOX_IMAGE, recipe: 'busybox', files: async () => ({ busybox }) });
  await make(store, { image: COREDNS_IMAGE, recipe: 'coredns', files: at('coredns') });
  await make(store, {
    image: LOCAL_PATH_IMAGE,
    recipe: 'local-path-provisioner',
    files: at('local-path-provisioner'),
  });
  return [BUSYBOX_IMAGE, COREDNS_IMAGE, LOCAL_PATH_IMAGE];
}

/** The official images of Node.js and PostgreSQL; where no registry can be reached, images like them out of Debian packages. */
export async function ensureBaseImages(store: ImageStore): Promise<void> {
  await ensure(store, { image: NODE_IMAGE, recipe: 'node', files: nodeFiles });
  await ensure(store, {
    image: `${POSTGRES_IMAGE}:${POSTGRES_VERSION}`,
    recipe: 'postgres',
    files: async (folder) => ({ 'rootfs.tar': await debian(folder, POSTGRES_PACKAGES) }),
  });
}

interface Recipe {
  readonly image: string;
  /** Folder in `images` with its Dockerfile. */
  readonly recipe: string;
  readonly files: Files;
}

async function ensure(store: ImageStore, wanted: Recipe): Promise<void> {
  if (await store.idOf(wanted.image)) return;
  if (await store.pull(wanted.image)) return;
  if (!(await isInstalled('mmdebstrap'))) {
    throw new Error(`${wanted.image} can neither be pulled nor made: apt-get install mmdebstrap`);
  }
  await make(store, wanted);
}

async function make(store: ImageStore, { image, recipe, files }: Recipe): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nexus-image-'));
  try {
    const context = path.join(folder, 'context');
    await cp(path.join(RECIPES, recipe), context, { recursive: true });
    for (const [name, source] of Object.entries(await files(folder))) {
      const destination = path.join(context, name);
      await link(source, destination).catch(() => cp(source, destination, { recursive: true }));
    }
    await store.build({ image, context });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The Node.js this runs on, and the machine's npm. */
const nodeFiles: Files = async (folder) => ({
  'rootfs.tar': await debian(folder, ['ca-certificates', 'libstdc++6']),
  node: process.execPath,
  // Where its program lies: npm would look beside the Node.js it runs on, which may be one of the project's packages.
  npm: path.join(await realpath((await run(['sh', '-c', 'command -v npm'])).trim()), '../..'),
});

/** @returns an archive of a small Debian with some packages */
async function debian(folder: string, packages: readonly string[]): Promise<string> {
  const archive = path.join(folder, 'rootfs.tar');
  await run([
    'mmdebstrap',
    '--variant=minbase',
    '--quiet',
    '--aptopt=Apt::Install-Recommends "false"',
    ...['doc', 'man', 'locale'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
    `--include=${packages.join(',')}`,
    SUITE,
    archive,
  ]);
  return archive;
}
