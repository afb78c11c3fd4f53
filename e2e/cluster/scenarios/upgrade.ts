import { rm } from 'node:fs/promises';
import { expect } from 'vitest';

import { at } from '../../fixtures/control-plane/api.ts';
import { copyAsNextVersion, migrationFile } from '../next-version.ts';
import { GATEWAY } from '../site.ts';
import type { ClusterImages } from '../real-cluster.ts';
import type { ClusterSite } from '../site.ts';

const JOBS = 'app.kubernetes.io/component=database';
/** As many streams as show that the old version goes on. */
const STREAMS = 20;

/** The migration of the new version first, then the pods, while old and new serve. */
export async function upgrade(site: ClusterSite): Promise<void> {
  const { next, schema } = await buildNextVersion(site);
  await site.disturb('a rolling upgrade with a schema change', async () => {
    const old = [...(await site.pods('proxy')), ...(await site.pods('dashboard'))];
    await site.helm('upgrade', next);
    await site.untilAt('status.images.proxy', (image) => image === next.proxy);
    await site.untilAt('status.images.dashboard', (image) => image === next.dashboard);
    await site.untilGone(old.map(({ metadata }) => metadata.name));
    await site.untilReady();
  });

  expect(await schemaOf(site)).toBe(schema);
  const [migrated = '', ...others] = await finishedJobs(site);
  expect(others).toEqual([]);
  for (const { metadata } of [...(await site.pods('proxy')), ...(await site.pods('dashboard'))]) {
    expect(metadata.creationTimestamp >= migrated, `${metadata.name} after the migration`).toBe(true);
  }
}

async function buildNextVersion(site: ClusterSite): Promise<{ next: ClusterImages; schema: number }> {
  const { folder, schema } = await copyAsNextVersion(
    `alter table nexus.open_request add column next_version_note text;
     alter table nexus.request add column next_version_note text;`,
  );
  try {
    return { next: await site.real.buildImages('next', folder), schema };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** It is told, the old version goes on answering and recording, and going back leaves nothing of it. */
export async function failMigration(site: ClusterSite): Promise<void> {
  const schema = await schemaOf(site);
  const images = at(await site.resource(), 'status.images');
  const { path, sql } = migrationFile(schema + 1, 'broken', 'alter table nexus.request drop column nowhere;');
  const broken = await site.real.buildChangedImage({
    target: 'proxy',
    from: String(at(images, 'proxy')).split(':').at(-1) ?? '',
    tag: 'broken',
    files: { [path]: sql },
  });
  const pods = await uids(site);
  await site.disturb('a migration fails', async () => {
    await site.patch({ spec: { images: { proxy: broken } } });
    await site.kubectl('wait', `cnx/${GATEWAY}`, '--for=condition=Stalled', '--timeout=180s');
    expect(await site.condition('Migrated')).toMatchObject({ status: 'False', reason: 'JobFailed' });
    expect(at(await site.resource(), 'status.images')).toEqual(images);
    await site.load.moreStreams(STREAMS);
  });
  expect(await uids(site)).toEqual(pods);
  expect(await schemaOf(site)).toBe(schema);

  await site.disturb('going back from it', async () => {
    await site.patch({ spec: { images: null } });
    await site.untilReady();
  });
  expect(await uids(site)).toEqual(pods);
  expect(await finishedJobs(site)).toHaveLength(1);
}

async function schemaOf(site: ClusterSite): Promise<number> {
  return Number(await site.sql('select max(version) from nexus.migration'));
}

/** When the Jobs of the database that are there have succeeded. */
async function finishedJobs(site: ClusterSite): Promise<readonly string[]> {
  const path = `/apis/batch/v1/namespaces/${site.namespace}/jobs?labelSelector=${encodeURIComponent(JOBS)}`;
  return (await site.real.cluster.api().list(path)).map((job) => String(at(job, 'status.completionTime')));
}

async function uids(site: ClusterSite): Promise<readonly string[]> {
  const pods = [...(await site.pods('proxy')), ...(await site.pods('dashboard'))];
  return pods.map(({ metadata }) => metadata.uid).toSorted();
}
