import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';

import { withDashboard } from '../books.ts';
import { execute, untilCondition } from '../pods.ts';
import { GATEWAY, KEPT_STREAMS } from '../site.ts';
import type { RequestSummary } from '@claude-nexus/api-contract';
import type { DashboardClient } from '../../fixtures/dashboard-client.ts';
import type { ClusterSite } from '../site.ts';

const RESTORED = 'restored';
/** Holds a claim open, so that files can be copied. */
const KEEPER = 'keeper';
const CLAIM = 'dumps';
/** User `postgres` of the database images: dumps are readable to it alone. */
const POSTGRES_USER = 999;
const BODIES = 20;
const JOB = `${GATEWAY}-backup-now`;

/** A dump made under load, carried into an empty namespace, is there what it was. */
export async function backUpAndRestore(site: ClusterSite): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nexus-dump-'));
  const elsewhere = await site.real.cluster.createNamespace(RESTORED);
  try {
    const until = new Date();
    await site.disturb('back up', async () => {
      // So many have ended that everything is over that had begun before.
      await site.load.moreStreams(2 * KEPT_STREAMS);
      await site.patch({ spec: { database: { managed: { backup: { storage: { size: '1Gi' } } } } } });
      await site.kubectl('wait', '--for=create', `cronjob/${GATEWAY}-backup`, '--timeout=60s');
      await site.kubectl('create', 'job', `--from=cronjob/${GATEWAY}-backup`, JOB);
      await site.kubectl('wait', `job/${JOB}`, '--for=condition=Complete', '--timeout=300s');
    });
    await site.disturb('restore elsewhere', async () => {
      await carryDump(site, elsewhere, folder);
      await restore(site, elsewhere);
      await compare(site, elsewhere, until);
    });
    await deleteWithData(site, elsewhere);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await site.real.cluster.kubectl(['delete', 'namespace', elsewhere, '--timeout=180s']);
  }
}

async function carryDump(site: ClusterSite, elsewhere: string, folder: string): Promise<void> {
  const { cluster } = site.real;
  await cluster.api().create(`/api/v1/namespaces/${elsewhere}/persistentvolumeclaims`, {
    metadata: { name: CLAIM },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });
  await startKeeper(site, site.namespace, `${GATEWAY}-backup`);
  await startKeeper(site, elsewhere, CLAIM);
  const where = { namespace: site.namespace, pod: KEEPER, command: ['ls', '/dumps'] };
  const [dump = ''] = (await execute(site.real, where)).trim().split('\n');
  const file = path.join(folder, dump);
  await cluster.kubectl(['cp', `${site.namespace}/${KEEPER}:/dumps/${dump}`, file]);
  await cluster.kubectl(['cp', file, `${elsewhere}/${KEEPER}:/dumps/${dump}`]);
  for (const namespace of [site.namespace, elsewhere]) {
    await cluster.kubectl(['delete', `pod/${KEEPER}`, '-n', namespace, '--grace-period=1']);
  }
}

async function startKeeper(site: ClusterSite, namespace: string, claimName: string): Promise<void> {
  await site.real.cluster.api().create(`/api/v1/namespaces/${namespace}/pods`, {
    metadata: { name: KEEPER },
    spec: {
      automountServiceAccountToken: false,
      securityContext: { runAsUser: POSTGRES_USER, fsGroup: POSTGRES_USER },
      volumes: [{ name: 'dumps', persistentVolumeClaim: { claimName } }],
      containers: [
        {
          name: 'main',
          image: site.images.tester,
          command: ['sleep', 'infinity'],
          volumeMounts: [{ name: 'dumps', mountPath: '/dumps' }],
        },
      ],
    },
  });
  await untilCondition(site.real, { namespace, object: `pod/${KEEPER}` });
}

async function restore(site: ClusterSite, namespace: string): Promise<void> {
  const managed = {
    version: site.images.postgresVersion,
    storage: { size: '1Gi' },
    deletionPolicy: 'Delete',
    restore: { claimName: CLAIM, file: 'latest' },
  };
  await site.real.cluster.api().create(pathOf(namespace), {
    apiVersion: 'claudenexus.dev/v1alpha1',
    kind: 'ClaudeNexus',
    metadata: { name: RESTORED },
    // The images of the gateway: a database is never older than what its schema was made by.
    spec: { database: { managed }, proxy: { upstreamUrl: site.tester.url, drainTimeoutSeconds: 5 } },
  });
  await untilCondition(site.real, { namespace, object: `cnx/${RESTORED}` }, 300);
}

/** Everything that began before a moment, summaries and bodies. */
async function compare(site: ClusterSite, namespace: string, until: Date): Promise<void> {
  const filter = `&to=${until.toISOString()}`;
  const here = await site.dashboard((dashboard) => readAll(dashboard, filter));
  const there = await withDashboard(site.real, { namespace, name: RESTORED }, (dashboard) =>
    readAll(dashboard, filter, here.picked),
  );
  expect(here.rows.length).toBeGreaterThan(BODIES);
  expect(there.rows.length).toBe(here.rows.length);
  expect(there.rows).toEqual(here.rows);
  expect(here.hashes).toHaveLength(2 * BODIES);
  expect(there.hashes).toEqual(here.hashes);
  site.note(`restored: ${there.rows.length} exchanges, ${there.hashes.length} bodies equal`);
}

interface Recordings {
  readonly rows: readonly RequestSummary[];
  /** Those whose bodies were read. */
  readonly picked: readonly string[];
  readonly hashes: readonly string[];
}

async function readAll(
  dashboard: DashboardClient,
  filter: string,
  wanted?: readonly string[],
): Promise<Recordings> {
  const rows = await dashboard.allRows(filter);
  const step = Math.floor(rows.length / BODIES);
  const picked = wanted ?? Array.from({ length: BODIES }, (_, index) => rows[index * step]?.id ?? '');
  const hashes: string[] = [];
  for (const id of picked) {
    hashes.push((await dashboard.body(id, 'request-body')).sha256);
    hashes.push((await dashboard.body(id, 'response-body')).sha256);
  }
  return { rows, picked, hashes };
}

/** A database goes with its ClaudeNexus only once that is confirmed. */
async function deleteWithData(site: ClusterSite, namespace: string): Promise<void> {
  const { cluster } = site.real;
  const kubectl = (...args: readonly string[]): Promise<string> =>
    cluster.kubectl([...args, '-n', namespace]);
  const remove = (): Promise<string> => kubectl('delete', `cnx/${RESTORED}`);
  const confirmation = 'claudenexus.dev/confirm-delete-data=true';
  await expect(remove()).rejects.toThrow(confirmation);
  await kubectl('annotate', `cnx/${RESTORED}`, confirmation);
  await remove();
  const claim = `pvc/data-${RESTORED}-postgres-0`;
  await expect(kubectl('wait', claim, '--for=delete', '--timeout=180s')).resolves.toBeDefined();
}

function pathOf(namespace: string): string {
  return `/apis/claudenexus.dev/v1alpha1/namespaces/${namespace}/claudenexuses`;
}
