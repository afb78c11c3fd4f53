import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { CRD_FILE, CRD_PATH, installCrd, resourcesPath } from '../crd.ts';
import { setUp } from '../set-up.ts';
import { at } from '../../fixtures/control-plane/api.ts';
import { ROOT } from '../../fixtures/program.ts';
import { resource } from './sample.ts';

/** What all annotations of an object may have together. */
const MAX_ANNOTATIONS = 256 * 1024;
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const EXAMPLES = path.join(ROOT, 'crds/examples');

const condition = (type: string, status: string, reason: string, message: string) => ({
  type,
  status,
  reason,
  message,
  observedGeneration: 1,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

const READY = {
  observedGeneration: 1,
  replicas: 2,
  selector: 'app.kubernetes.io/instance=shown',
  url: 'http://shown-proxy.test:3000',
  dashboardUrl: 'http://shown-dashboard.test:3001',
  images: { proxy: 'proxy:1', dashboard: 'dashboard:1' },
  conditions: [
    condition('Ready', 'True', 'AllReady', 'Everything runs.'),
    condition('DatabaseReady', 'True', 'Available', 'The database answers.'),
  ],
};

describe('the resource in kubectl', () => {
  let namespace = '';
  const lab = setUp(async (lab) => {
    await installCrd(lab.cluster);
    namespace = await lab.namespace();
    await lab.cluster.api().create(resourcesPath(namespace), resource({ proxy: { replicas: 2 } }, 'shown'));
    await lab.cluster.api().patch(`${resourcesPath(namespace)}/shown/status`, { status: READY });
  });
  const kubectl = (...args: string[]) => lab.cluster.kubectl(['-n', namespace, ...args]);

  const table = async (...args: string[]) =>
    (await kubectl('get', ...args))
      .trim()
      .split('\n')
      .map((line) => line.split(/\s{2,}/));

  test('get shows whether it is ready, why, where and since when', async () => {
    expect(await table('cnx')).toEqual([
      ['NAME', 'READY', 'REASON', 'URL', 'AGE'],
      ['shown', 'True', 'AllReady', READY.url, expect.stringMatching(/^\d+[sm]/)],
    ]);
  });

  test('get -o wide shows replicas, image, database, dashboard and the message as well', async () => {
    const [head, row] = await table('cnx', '-o', 'wide');
    expect(head?.slice(5)).toEqual(['PROXIES', 'IMAGE', 'DATABASE', 'DASHBOARD', 'MESSAGE']);
    expect(row?.slice(5)).toEqual(['2', 'proxy:1', 'Available', READY.dashboardUrl, 'Everything runs.']);
  });

  test.each(['cnx', 'claudenexus', 'claudenexuses', 'claude-nexus', 'ClaudeNexus'])(
    'get knows it as %s',
    async (name) => {
      expect(await kubectl('get', name, '-o', 'name')).toContain('claudenexus.claudenexus.dev/shown');
    },
  );

  test('get all does not show it', async () => {
    expect(await kubectl('get', 'all', '-o', 'name')).not.toContain('claudenexus');
  });

  test('scale changes the replicas of the proxy, within their bounds', async () => {
    const scaled = `${resourcesPath(namespace)}/shown`;
    await kubectl('scale', 'cnx/shown', '--replicas=4');
    expect(at(await lab.cluster.api().get(scaled), 'spec.proxy.replicas')).toBe(4);
    const scale = await lab.cluster.api().get(`${scaled}/scale`);
    expect(scale).toMatchObject({
      spec: { replicas: 4 },
      status: { replicas: READY.replicas, selector: READY.selector },
    });
    await expect(kubectl('scale', 'cnx/shown', '--replicas=101')).rejects.toThrow(/proxy\.replicas/);
  });

  test('wait returns when Ready becomes True, and fails while it is not', async () => {
    const status = `${resourcesPath(namespace)}/waited`;
    await lab.cluster.api().create(resourcesPath(namespace), resource({}, 'waited'));
    const wait = ['wait', '--for=condition=Ready', 'cnx/waited'];
    await expect(kubectl(...wait, '--timeout=0s')).rejects.toThrow(/condition/);
    const waiting = kubectl(...wait, '--timeout=60s');
    await lab.cluster.api().patch(`${status}/status`, {
      status: { conditions: [condition('Ready', 'False', 'Progressing', 'Pods start.')] },
    });
    await lab.cluster.api().patch(`${status}/status`, {
      status: { conditions: [condition('Ready', 'True', 'AllReady', 'Everything runs.')] },
    });
    expect(await waiting).toContain('condition met');
  });

  test.each([
    ['cnx', 'A gateway for Claude Code'],
    ['cnx.spec', 'Every field has a default, or may be left out.'],
    ['cnx.spec.proxy.passthrough', 'ENUM: deny allow'],
    ['cnx.spec.proxy.spool', 'Must be above `max`. Default: "3Gi".'],
    ['cnx.spec.database', 'exactly one of managed, external and cloudNativePG'],
    ['cnx.spec.domains.credential.secretRef', 'Secret and key that hold the API key.'],
    ['cnx.status.conditions', 'What is well and what is not.'],
  ])('explain %s says: %s', async (field, text) => {
    const explained = await kubectl('explain', field);
    expect(explained.replaceAll(/\s+/g, ' ')).toContain(text);
  });

  test('explain marks as required only what has to be given', async () => {
    expect(await kubectl('explain', 'cnx.spec')).not.toContain('-required-');
    expect(await kubectl('explain', 'cnx.spec.domains')).toMatch(/host\t<string> -required-/);
  });

  test('client-side apply can keep the whole CRD in its annotation, and finds nothing to do again', async () => {
    const crd = await lab.cluster.api().get(CRD_PATH);
    const applied = crd.metadata.annotations?.[LAST_APPLIED] ?? '';
    expect(applied).toContain('openAPIV3Schema');
    expect(Buffer.byteLength(applied)).toBeLessThan(MAX_ANNOTATIONS / 4);
    expect(await kubectl('apply', '-f', CRD_FILE)).toContain('unchanged');
  });

  test.each(['minimal.yaml', 'full.yaml'])(
    'the example %s can be applied, by client and by server',
    async (file) => {
      const example = path.join(EXAMPLES, file);
      const own = await lab.namespace();
      await lab.cluster.kubectl(['-n', own, 'apply', '--validate=strict', '-f', example]);
      const again = await lab.cluster.kubectl(['-n', own, 'apply', '-f', example]);
      const resources = again.split('\n').filter((line) => line.startsWith('claudenexus'));
      expect(resources.filter((line) => !line.endsWith(' unchanged'))).toEqual([]);
      const other = await lab.namespace();
      const output = await lab.cluster.kubectl(['-n', other, 'apply', '--server-side', '-f', example]);
      expect(output).toContain('claudenexus.claudenexus.dev');
    },
  );

  test.each(['minimal.yaml', 'full.yaml'])(
    'the example %s holds every Secret that it refers to',
    async (file) => {
      const own = await lab.namespace();
      await lab.cluster.kubectl(['-n', own, 'apply', '-f', path.join(EXAMPLES, file)]);
      const secrets = await lab.cluster.api().list(`/api/v1/namespaces/${own}/secrets`);
      const present = new Set(
        secrets.flatMap(({ metadata: { name }, data }) => [
          name,
          ...Object.keys(data ?? {}).map((key) => `${name}/${key}`),
        ]),
      );
      const referred = [...secretRefs(await lab.cluster.api().list(resourcesPath(own)))].map(
        ({ name, key }) => (key === undefined ? name : `${name}/${key}`),
      );
      expect(referred.length).toBeGreaterThan(0);
      expect(referred.filter((reference) => !present.has(reference))).toEqual([]);
    },
  );

  test.each([
    ['client', []],
    ['server', ['--server-side']],
  ])('the minimal example gets another database by apply on the %s side', async (_, options) => {
    const own = await lab.namespace();
    const minimal = path.join(EXAMPLES, 'minimal.yaml');
    await lab.cluster.kubectl(['-n', own, 'apply', ...options, '-f', minimal]);
    const file = path.join(lab.cluster.connection.folder, `${own}.json`);
    const spec = { database: { external: { secretRef: { name: 'database' } } } };
    await writeFile(file, JSON.stringify(resource(spec, 'gateway')));
    await lab.cluster.kubectl(['-n', own, 'apply', ...options, '-f', file]);
    const changed = await lab.cluster.api().get(`${resourcesPath(own)}/gateway`);
    expect(at(changed, 'spec.database')).toEqual(spec.database);
  });
});

/** Every `secretRef` and `keySecretRef` below a value. */
function* secretRefs(value: unknown): Generator<{ name: string; key?: string }> {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (name === 'secretRef' || name === 'keySecretRef') yield inner as { name: string; key?: string };
    else yield* secretRefs(inner);
  }
}
