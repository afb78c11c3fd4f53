import { cp, mkdtemp, rm } from 'node:fs/promises';
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
    const image = `docker.io/claude-nexus/${target}:${tag}`;
    await store.build({ image, context, target, arguments: { NODE_IMAGE, VERSION: tag } });
    images[target] = image;
  }
  return images as ProjectImages;
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
