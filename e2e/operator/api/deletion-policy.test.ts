import path from 'node:path';

import { afterAll, describe, expect, test } from 'vitest';

import { installCrd, resourcesPath } from '../crd.ts';
import { setUp } from '../set-up.ts';
import { ROOT, until } from '../../fixtures/program.ts';
import { resource } from './sample.ts';
import type { Spec } from './sample.ts';

const POLICY_FILE = path.join(ROOT, 'charts/claude-nexus/files/deletion-policy.yaml');
const POLICY_PATH = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/claude-nexus-deletion';
const DELETE: Spec = { database: { managed: { deletionPolicy: 'Delete' } } };
const CONFIRM = 'claudenexus.dev/confirm-delete-data';

describe('the policy on deletion', () => {
  let namespace = '';
  const lab = setUp(async (lab) => {
    await installCrd(lab.cluster);
    namespace = await lab.namespace();
    await lab.cluster.kubectl(['apply', '-f', POLICY_FILE]);
    // The API server takes a moment until it asks a new policy.
    await create(DELETE, 'probe');
    await until('the policy', async () => {
      const answer = await lab.cluster.api().request('DELETE', `${pathOf('probe')}?dryRun=All`);
      return answer.status === 403 ? true : undefined;
    });
  });
  const pathOf = (name: string) => `${resourcesPath(namespace)}/${name}`;
  const create = (spec: Spec, name: string) =>
    lab.cluster.api().create(resourcesPath(namespace), resource(spec, name));
  const tryDelete = (name: string) => lab.cluster.api().request('DELETE', pathOf(name));

  afterAll(async () => {
    if (namespace !== '') await lab.cluster.kubectl(['delete', '-f', POLICY_FILE]);
  });

  test('has expressions that fit the resource', async () => {
    const status = await until('the type check', async () => {
      const policy = await lab.cluster.api().get(POLICY_PATH);
      return (policy['status'] as { typeChecking?: unknown } | undefined)?.typeChecking;
    });
    expect(status).toEqual({});
  });

  test.each([
    ['managed database', 'unconfirmed-managed', DELETE],
    ['CloudNativePG', 'unconfirmed-cluster', { database: { cloudNativePG: { deletionPolicy: 'Delete' } } }],
  ])('refuses to delete a %s with its volumes, and tells the command', async (_, name, spec) => {
    await create(spec, name);
    const answer = await tryDelete(name);
    expect(answer.status).toBe(403);
    const { message } = answer.body as { message: string };
    const command = /kubectl (annotate cnx .*=true)/.exec(message)?.[1];
    expect(command).toBe(`annotate cnx ${name} -n ${namespace} ${CONFIRM}=true`);
    await lab.cluster.kubectl(command?.split(' ') ?? []);
    expect(await tryDelete(name)).toMatchObject({ status: 200 });
  });

  test('takes no other value for a confirmation', async () => {
    await create(DELETE, 'half-confirmed');
    for (const value of ['', 'false', 'True', 'yes']) {
      await lab.cluster
        .api()
        .patch(pathOf('half-confirmed'), { metadata: { annotations: { [CONFIRM]: value } } });
      expect(await tryDelete('half-confirmed')).toMatchObject({ status: 403 });
    }
  });

  test.each([
    ['keeps its volumes', 'kept', {}],
    ['has an external database', 'external', { database: { external: { secretRef: { name: 'a' } } } }],
  ])('asks nothing about a resource that %s', async (_, name, spec) => {
    await create(spec, name);
    expect(await tryDelete(name)).toMatchObject({ status: 200 });
  });

  test('also guards the deletion of all at once', async () => {
    await create(DELETE, 'one-of-many');
    const answer = await lab.cluster.api().request('DELETE', resourcesPath(namespace));
    expect(answer.status).toBe(403);
    expect(await lab.cluster.api().find(pathOf('one-of-many'))).toBeDefined();
  });

  test.each([
    ['lets the namespace controller delete', 200, 'system:serviceaccount:kube-system:namespace-controller'],
    ['lets the garbage collector delete', 200, 'system:serviceaccount:kube-system:generic-garbage-collector'],
    ['lets controllers without accounts delete', 200, 'system:kube-controller-manager'],
    ['asks others of these names as well', 403, 'system:serviceaccount:default:namespace-controller'],
    ['asks the operator as well', 403, 'system:serviceaccount:kube-system:claude-nexus-operator'],
  ])('%s', async (title, status, user) => {
    const name = title.replaceAll(' ', '-');
    await create(DELETE, name);
    const answer = await lab.cluster.api().request('DELETE', `${pathOf(name)}?dryRun=All`, undefined, {
      'impersonate-user': user,
      'impersonate-group': 'system:masters',
    });
    expect(answer.status).toBe(status);
  });

  test('does not keep a namespace from being deleted', async () => {
    const doomed = await lab.namespace();
    await lab.cluster.api().create(resourcesPath(doomed), resource(DELETE));
    await lab.cluster.deleteNamespace(doomed);
    expect(await lab.cluster.api().find(`${resourcesPath(doomed)}/sample`)).toBeUndefined();
  });

  test('does not keep the garbage collector from deleting what belonged to something', async () => {
    const configMaps = `/api/v1/namespaces/${namespace}/configmaps`;
    const owner = await lab.cluster.api().create(configMaps, { metadata: { name: 'owner' } });
    await create(DELETE, 'owned');
    const { name, uid } = owner.metadata;
    await lab.cluster.api().patch(pathOf('owned'), {
      metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name, uid }] },
    });
    await lab.cluster.api().remove(`${configMaps}/owner`);
    const gone = await until('the garbage collector', async () =>
      (await lab.cluster.api().find(pathOf('owned'))) ? undefined : true,
    );
    expect(gone).toBe(true);
  });
});
