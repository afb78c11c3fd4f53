import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';

import { at } from '../../fixtures/control-plane/api.ts';
import { installDefinition, removeDefinition } from '../../fixtures/control-plane/definitions.ts';
import { EVERYTHING, NAMESPACED, setUpHelm } from '../../fixtures/helm.ts';
import { until } from '../../fixtures/program.ts';
import { CRD_PATH, resourcesPath } from '../crd.ts';
import { Gateway } from '../gateway.ts';
import { setUp } from '../set-up.ts';
import { Release } from './release.ts';
import type { Rendered } from '../../fixtures/helm.ts';

const run = promisify(execFile);
const POLICY = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/claude-nexus-deletion';
const QUICKSTART = { enabled: true, spec: { proxy: { passthrough: 'allow' } } };

describe('a release of the chart', () => {
  const helm = setUpHelm();
  const lab = setUp();
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });
  const api = () => lab.cluster.api();

  test.for([
    ['everything', EVERYTHING],
    ['for some namespaces', NAMESPACED],
  ] as const)('(%s) consists of objects that the API server takes as they are', async ([, values]) => {
    for (const kind of ['ServiceMonitor', 'PrometheusRule'] as const) {
      await installDefinition(api(), kind);
      ends.push(() => removeDefinition(api(), kind));
    }
    const namespace = await lab.namespace();
    const names = [namespace, await lab.namespace()];
    const rendered = await helm.template(
      'watchNamespaces' in values ? { ...values, watchNamespaces: names } : values,
      ['--namespace', namespace],
    );
    const file = path.join(lab.cluster.connection.folder, `${randomUUID()}.yaml`);
    await writeFile(file, rendered);
    const flags = ['--dry-run=server', '--validate=strict'];
    const said = await lab.cluster.kubectl(['apply', '-f', file, ...flags]);
    const objects = parseAllDocuments(rendered).filter((document) => document.toJS() !== null);
    expect(said.trim().split('\n')).toHaveLength(objects.length);
    expect(said).not.toContain('arning');
  });

  test('runs a quickstart with no more rights than it has, grows, and goes without the data', async () => {
    const release = await Release.install(lab, helm, () => ({ quickstart: QUICKSTART }));
    ends.push(() => release.uninstall().catch(() => undefined));
    const { program, metricsPort } = await release.runOperator();
    ends.push(() => program.stop());
    const gateway = new Gateway(api(), release.namespace);
    await gateway.untilReady();
    const requests = await lab.cluster.auditOf(release.user);
    expect(requests.filter(({ code }) => code === 403 || code === 401)).toEqual([]);
    expect(requests.filter(({ verb }) => verb !== 'watch').length).toBeGreaterThan(0);

    expect(await tryTest(metricsPort)).toBe('the operator answers\n');

    await release.upgrade({ quickstart: QUICKSTART, replicas: 2 });
    const budget = `/apis/policy/v1/namespaces/${release.namespace}/poddisruptionbudgets/${release.operator}`;
    expect(await api().find(budget)).toBeDefined();
    expect(await api().find(POLICY)).toBeDefined();
    await gateway.untilReady();

    await release.uninstall();
    await until('the children to be gone', async () =>
      (await api().list(gateway.collection('deployments'))).length === 0 ? true : undefined,
    );
    expect(await api().find(POLICY)).toBeUndefined();
    const claims = await api().list(gateway.collection('persistentvolumeclaims'));
    expect(claims.map(({ metadata }) => metadata.name)).toEqual(['data-gateway-postgres-0']);
    expect(await api().find(CRD_PATH)).toBeDefined();
  });

  test('for some namespaces asks for nothing beyond them', async () => {
    const other = await lab.namespace();
    const unserved = await lab.namespace();
    const release = await Release.install(lab, helm, (own) => ({ watchNamespaces: [own, other] }));
    ends.push(() => release.uninstall());
    const { program } = await release.runOperator();
    ends.push(() => program.stop());
    for (const namespace of [other, unserved]) await new Gateway(api(), namespace).create({});
    await new Gateway(api(), other).untilReady();
    const requests = await lab.cluster.auditOf(release.user);
    expect(requests.filter(({ code }) => code === 403 || code === 401)).toEqual([]);
    const served = new Set([release.namespace, other]);
    const beyond = requests.filter(({ namespace, resource }) => !served.has(namespace) && resource !== '');
    expect(beyond).toEqual([]);
    const [left] = await api().list(resourcesPath(unserved));
    expect(at(left, 'status.conditions')).toBeUndefined();
  });

  /** Does what the pod of `helm test` would, at the operator that runs here. @returns what it prints */
  async function tryTest(metricsPort: number): Promise<string> {
    const rendered = await helm.objects();
    const pod = rendered.find(({ kind }) => kind === 'Pod') as Rendered;
    const command = at(pod, 'spec.containers.0.command') as string[];
    const [script = ''] = at(pod, 'spec.containers.0.args') as string[];
    const here = script.replace(/http:\/\/[^/]+/, `http://127.0.0.1:${metricsPort}`);
    const { stdout } = await run(process.execPath, [...command.slice(1), here]);
    return stdout;
  }
});
