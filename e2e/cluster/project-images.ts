import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { ROOT } from '../fixtures/program.ts';
import { NODE_IMAGE } from './base-images.ts';
import type { ImageStore } from './image-store.ts';

/** Targets of the project's Dockerfile. */
const TARGETS = ['proxy', 'dashboard', 'operator'] as const;
type Target = (typeof TARGETS)[number];

export type ProjectImages = Readonly<Record<Target, string>>;

/**
 * Builds the images of the project from its Dockerfile.
 *
 * @param tag tells several versions apart
 * @param context folder with the sources; default: this clone
 */
export async function buildProjectImages(
  store: ImageStore,
  tag: string,
  context: string = ROOT,
): Promise<ProjectImages> {
  const images: Record<string, string> = {};
  for (const target of TARGETS) {
    const image = nameOf(target, tag);
    await store.build({ image, context, target, arguments: { NODE_IMAGE, VERSION: tag } });
    images[target] = image;
  }
  return images as ProjectImages;
}

const nameOf = (target: Target, tag: string): string => `docker.io/claude-nexus/${target}:${tag}`;

/** A version of one of the project's images that differs from another in a few files. */
export interface ImageChange {
  readonly target: Target;
  /** Tag of the one it is like. */
  readonly from: string;
  readonly tag: string;
  /** Contents by path in the repository. */
  readonly files: Readonly<Record<string, string>>;
}

/** Builds it within seconds, for there is nothing to compile. @returns its name */
export async function buildChangedImage(
  store: ImageStore,
  { target, from, tag, files }: ImageChange,
): Promise<string> {
  const image = nameOf(target, tag);
  const context = await mkdtemp(path.join(tmpdir(), 'nexus-change-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(context, 'files', name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, content);
    }
    const dockerfile = `FROM ${nameOf(target, from)}\nCOPY --chmod=755 files /app/\n`;
    await writeFile(path.join(context, 'Dockerfile'), dockerfile);
    await store.build({ image, context });
    return image;
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** Builds the image that plays the Messages API and clients. @returns its name */
export async function buildTester(store: ImageStore): Promise<string> {
  const image = 'docker.io/claude-nexus-test/tester:1';
  const context = await mkdtemp(path.join(tmpdir(), 'nexus-tester-'));
  try {
    await cp(path.join(ROOT, 'e2e/cluster/images/tester/Dockerfile'), path.join(context, 'Dockerfile'));
    await cp(path.join(ROOT, 'e2e/package.json'), path.join(context, 'e2e/package.json'));
    await cp(path.join(ROOT, 'e2e/fixtures/upstream'), path.join(context, 'e2e/fixtures/upstream'), {
      recursive: true,
    });
    await cp(path.join(ROOT, 'e2e/cluster/load'), path.join(context, 'e2e/cluster/load'), {
      recursive: true,
    });
    await copyPackage('@anthropic-ai/sdk', path.join(context, 'node_modules'));
    await store.build({ image, context, arguments: { NODE_IMAGE } });
    return image;
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** Copies an installed package with everything it depends on. */
async function copyPackage(name: string, destination: string, seen = new Set<string>()): Promise<void> {
  if (seen.has(name)) return;
  seen.add(name);
  const folder = path.join(ROOT, 'node_modules', name);
  await cp(folder, path.join(destination, name), { recursive: true });
  const { dependencies = {} } = createRequire(import.meta.url)(path.join(folder, 'package.json')) as {
    dependencies?: Record<string, string>;
  };
  for (const dependency of Object.keys(dependencies)) await copyPackage(dependency, destination, seen);
}
