import { afterAll, describe, expect, onTestFinished, test } from 'vitest';

import { at } from '../fixtures/control-plane/api.ts';
import { until } from '../fixtures/program.ts';
import { Gateway, oneDomain } from './gateway.ts';
import { OperatorUnderTest } from './operator-under-test.ts';
import { setUp } from './set-up.ts';
import type { TestObject } from '../fixtures/control-plane/api.ts';

const managed = (fields: Readonly<Record<string, unknown>>) => ({ database: { managed: fields } });
const sized = (size: string, storageClassName?: string) =>
  managed({ storage: { size, ...(storageClassName === undefined ? {} : { storageClassName }) } });
const CLAIM = 'data-gateway-postgres-0';

const claimOf = (gateway: Gateway): Promise<TestObject> =>
  gateway.api.get(`${gateway.collection('persistentvolumeclaims')}/${CLAIM}`);

const setOf = (gateway: Gateway): Promise<TestObject> =>
  gateway.api.get(gateway.child('statefulsets', 'postgres'));

const templateSize = (set: TestObject) =>
  at(set, 'spec.volumeClaimTemplates.0.spec.resources.requests.storage');

describe('the data of a gateway', () => {
  let operator: OperatorUnderTest | undefined;
  const lab = setUp(async (lab) => {
    operator = await OperatorUnderTest.start(lab.cluster);
  });
  afterAll(() => operator?.stop());

  test('gets more room: the claim grows, the set is made anew, the pod goes on', async () => {
    const volumes = { storage: { size: '10Gi' }, deletionPolicy: 'Delete' };
    const gateway = await Gateway.ready(lab, managed(volumes));
    const [pod] = await gateway.uids('postgres');
    const [set, claim] = [await setOf(gateway), await claimOf(gateway)];
    const grow = lab.kubelet.volumes.holdResizing();
    await gateway.patch(sized('20Gi'));
    expect(await gateway.untilReason('DatabaseReady', 'Resizing')).toMatchObject({ status: 'False' });
    grow();
    await gateway.untilReady();
    const [newSet, newClaim] = [await setOf(gateway), await claimOf(gateway)];
    expect(newSet.metadata.uid).not.toBe(set.metadata.uid);
    expect(templateSize(newSet)).toBe('20Gi');
    expect(newClaim.metadata.uid).toBe(claim.metadata.uid);
    expect(at(newClaim, 'status.capacity.storage')).toBe('20Gi');
    expect(await gateway.uids('postgres')).toEqual([pod]);
    // The new set has taken the pod over.
    const owners = (await gateway.pods('postgres'))[0]?.metadata.ownerReferences;
    expect(owners?.map(({ uid }) => uid)).toEqual([newSet.metadata.uid]);
  });

  test('never gets less room', async () => {
    const gateway = await Gateway.ready(lab, sized('10Gi'));
    const answer = await gateway.api.request(
      'PATCH',
      gateway.path,
      { spec: sized('5Gi') },
      {
        'content-type': 'application/merge-patch+json',
      },
    );
    expect(answer.status).toBe(422);
    expect(JSON.stringify(answer.body)).toContain('may grow but not shrink');
  });

  test('cannot grow on a class that cannot: it is told, and nothing is touched until the class can', async () => {
    const gateway = await Gateway.ready(lab, sized('10Gi', 'fixed'));
    const [set, claim] = [await setOf(gateway), await claimOf(gateway)];
    await gateway.patch(sized('20Gi', 'fixed'));
    const condition = await gateway.untilReason('DatabaseReady', 'StorageExpansionUnsupported');
    expect(condition.message).toContain('StorageClass fixed');
    expect((await claimOf(gateway)).metadata.resourceVersion).toBe(claim.metadata.resourceVersion);
    expect((await setOf(gateway)).metadata.uid).toBe(set.metadata.uid);
    expect(templateSize(await setOf(gateway))).toBe('10Gi');
    expect(await gateway.condition('Stalled')).toMatchObject({ status: 'True' });
    const storageClass = '/apis/storage.k8s.io/v1/storageclasses/fixed';
    onTestFinished(async () => {
      await gateway.api.patch(storageClass, { allowVolumeExpansion: false });
    });
    await gateway.api.patch(storageClass, { allowVolumeExpansion: true });
    await gateway.untilReady();
    expect(templateSize(await setOf(gateway))).toBe('20Gi');
  });

  test('stays with the version that wrote it', async () => {
    const gateway = await Gateway.ready(lab, managed({ version: 17 }));
    const [set, pods] = [await setOf(gateway), await gateway.uids('postgres')];
    expect(at(set, 'spec.template.spec.containers.0.image')).toBe('postgres:17');
    await gateway.patch(managed({ version: 18 }));
    const condition = await gateway.untilReason('DatabaseReady', 'MajorVersionChange');
    expect(condition.message).toContain('PostgreSQL 17');
    expect((await setOf(gateway)).metadata).toMatchObject({
      uid: set.metadata.uid,
      generation: set.metadata.generation,
    });
    expect(await gateway.uids('postgres')).toEqual(pods);
    await gateway.patch(managed({ version: 17 }));
    await gateway.untilReady();
    expect(await gateway.uids('postgres')).toEqual(pods);
  });

  test('is kept when the database moves out and in again', async () => {
    const gateway = await Gateway.ready(lab, { ...oneDomain(), ...managed({ deletionPolicy: 'Delete' }) });
    const claim = await claimOf(gateway);
    const password = await gateway.texts('gateway-postgres-password');
    await gateway.moveDatabaseOut();
    await until('the pod to be gone', async () =>
      (await gateway.pods('postgres')).length === 0 ? true : undefined,
    );
    const left = await claimOf(gateway);
    expect(left.metadata).toMatchObject({ uid: claim.metadata.uid });
    expect(left.metadata.deletionTimestamp).toBeUndefined();

    await gateway.patch({ database: { external: null, managed: { deletionPolicy: 'Delete' } } });
    await gateway.untilReady();
    expect((await claimOf(gateway)).metadata.uid).toBe(claim.metadata.uid);
    expect(await gateway.texts('gateway-postgres-password')).toEqual(password);
  });

  test('is dumped by a CronJob into a claim that outlives it', async () => {
    const backup = { schedule: '30 2 * * *', keep: 3, storage: { size: '5Gi' } };
    const gateway = await Gateway.ready(lab, managed({ backup }));
    const job = await gateway.api.get(gateway.child('cronjobs', 'backup'));
    expect(job['spec']).toMatchObject({
      schedule: '30 2 * * *',
      timeZone: 'Etc/UTC',
      concurrencyPolicy: 'Forbid',
      suspend: false,
    });
    const claim = await gateway.api.get(gateway.child('persistentvolumeclaims', 'backup'));
    expect(claim.metadata.ownerReferences).toBeUndefined();
    // What a person does for a dump at once.
    const create = ['create', 'job', '--from=cronjob/gateway-backup', 'now'];
    await lab.cluster.kubectl(['-n', gateway.namespace, ...create]);
    await gateway.untilAt(`${gateway.collection('jobs')}/now`, 'status.succeeded', (count) => count === 1);
    await gateway.patch({ database: { managed: { backup: null } } });
    await gateway.untilReady();
    await until('the CronJob to be gone', async () =>
      (await gateway.api.find(gateway.child('cronjobs', 'backup'))) ? undefined : true,
    );
    const left = await gateway.api.get(gateway.child('persistentvolumeclaims', 'backup'));
    expect(left.metadata.deletionTimestamp).toBeUndefined();
  });

  test('is restored before anything else uses the database', async () => {
    const finish = lab.kubelet.runJobs({ 'app.kubernetes.io/component': 'restore' });
    const gateway = new Gateway(lab.cluster.api(), await lab.namespace());
    await gateway.create(managed({ restore: { claimName: 'old-backup', file: 'latest' } }));
    expect(await gateway.untilReason('DatabaseReady', 'RestoreRunning')).toMatchObject({ status: 'False' });
    expect(await gateway.jobs('database')).toEqual([]);
    const [restore] = await gateway.jobs('restore');
    const volumes = JSON.stringify(at(restore, 'spec.template.spec.volumes'));
    expect(volumes).toContain('"claimName":"old-backup"');
    finish();
    await gateway.untilReady();
    expect(await gateway.jobs('database')).toHaveLength(1);
    const [again] = await gateway.jobs('restore');
    expect(again?.metadata.uid).toBe(restore?.metadata.uid);
  });
});
