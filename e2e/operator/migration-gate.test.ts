import { afterAll, describe, expect, test } from 'vitest';

import { at } from '../fixtures/control-plane/api.ts';
import { until } from '../fixtures/program.ts';
import { Gateway, oneDomain } from './gateway.ts';
import { OperatorUnderTest } from './operator-under-test.ts';
import { setUp } from './set-up.ts';

const DATABASE = { 'app.kubernetes.io/component': 'database' };
const OLD = { proxy: 'registry.example.com/proxy:1', dashboard: 'registry.example.com/dashboard:1' };
const NEW = { proxy: 'registry.example.com/proxy:2', dashboard: 'registry.example.com/dashboard:2' };

const imageOf = async (gateway: Gateway, suffix: string): Promise<unknown> =>
  at(await gateway.api.get(gateway.child('deployments', suffix)), 'spec.template.spec.containers.0.image');

const images = async (gateway: Gateway) => ({
  proxy: await imageOf(gateway, 'proxy'),
  dashboard: await imageOf(gateway, 'dashboard'),
});

const jobImages = async (gateway: Gateway) =>
  (await gateway.jobs()).map((job) => at(job, 'spec.template.spec.containers.0.image'));

const deleteJobs = async (gateway: Gateway): Promise<void> => {
  for (const { metadata } of await gateway.jobs()) {
    await gateway.api.remove(`${gateway.collection('jobs')}/${metadata.name}?propagationPolicy=Background`);
  }
};

describe('a new version', () => {
  let operator: OperatorUnderTest | undefined;
  const lab = setUp(async (lab) => {
    operator = await OperatorUnderTest.start(lab.cluster);
  });
  afterAll(() => operator?.stop());

  test('waits for its migration, and old pods go on as they are until then', async () => {
    const gateway = await Gateway.ready(lab, { ...oneDomain(), images: OLD });
    expect(await jobImages(gateway)).toEqual([OLD.proxy]);
    const pods = [...(await gateway.uids('proxy')), ...(await gateway.uids('dashboard'))];
    const finish = lab.kubelet.runJobs(DATABASE);
    await gateway.patch({ images: NEW });
    const waiting = await gateway.untilReason('Migrated', 'WaitingForMigration');
    expect(waiting).toMatchObject({ status: 'False' });
    await until('the Job of the new version', async () =>
      (await jobImages(gateway)).includes(NEW.proxy) ? true : undefined,
    );
    expect(await gateway.condition('Ready')).toMatchObject({
      status: 'False',
      reason: 'WaitingForMigration',
    });
    expect(await gateway.condition('ProxyReady')).toMatchObject({ status: 'True' });
    expect(await images(gateway)).toEqual(OLD);
    expect(at(await gateway.resource(), 'status.images')).toEqual(OLD);
    expect([...(await gateway.uids('proxy')), ...(await gateway.uids('dashboard'))]).toEqual(pods);
    // What has nothing to do with the version is not held up.
    await gateway.patch({ proxy: { replicas: 2 } });
    await gateway.untilAt(gateway.child('deployments', 'proxy'), 'status.readyReplicas', (n) => n === 2);
    expect(await images(gateway)).toEqual(OLD);
    finish();
    await gateway.untilReady();
    expect(await images(gateway)).toEqual(NEW);
    expect(at(await gateway.resource(), 'status.images')).toEqual(NEW);
    expect(await jobImages(gateway)).toEqual([NEW.proxy]);
  });

  test('whose migration fails is not rolled out, and is told', async () => {
    const gateway = await Gateway.ready(lab, { ...oneDomain(), images: OLD });
    const pods = await gateway.uids('proxy');
    const heal = lab.kubelet.failJobs(DATABASE);
    await gateway.patch({ images: NEW });
    const failed = await gateway.untilReason('Migrated', 'JobFailed');
    expect(failed.message).toContain('stay with the images they have');
    expect(await gateway.condition('Stalled')).toMatchObject({ status: 'True', reason: 'JobFailed' });
    expect(await images(gateway)).toEqual(OLD);
    expect(await gateway.uids('proxy')).toEqual(pods);

    // Back to the old version: nothing is left of the attempt.
    heal();
    await gateway.patch({ images: OLD });
    await gateway.untilReady();
    expect(await gateway.uids('proxy')).toEqual(pods);

    await deleteJobs(gateway);
    await gateway.patch({ images: NEW });
    await gateway.untilReady();
    expect(await images(gateway)).toEqual(NEW);
  });

  test('of the dashboard alone waits for the same Job, which has succeeded', async () => {
    const gateway = await Gateway.ready(lab, { ...oneDomain(), images: OLD });
    const proxies = await gateway.uids('proxy');
    await gateway.patch({ images: { dashboard: NEW.dashboard } });
    await gateway.untilReady();
    expect(await images(gateway)).toEqual({ ...OLD, dashboard: NEW.dashboard });
    expect(await gateway.uids('proxy')).toEqual(proxies);
  });

  test('is not waited for by a first install: everything is made at once', async () => {
    const finish = lab.kubelet.runJobs(DATABASE);
    const gateway = new Gateway(lab.cluster.api(), await lab.namespace());
    await gateway.create({ images: NEW });
    await gateway.untilReason('ProxyReady', 'Available');
    expect(await images(gateway)).toEqual(NEW);
    expect(await gateway.untilReason('Migrated', 'JobRunning')).toMatchObject({ status: 'False' });
    finish();
    await gateway.untilReady();
  });
});
