import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';

import { CHART, EVERYTHING, NAMESPACED, setUpHelm } from '../fixtures/helm.ts';
import { CLUSTER_RULES, NAMESPACE_RULES, leaseRules } from '../../operator/src/rbac.ts';
import type { Rendered, Values } from '../fixtures/helm.ts';

const OPERATOR = 'nexus-claude-nexus-operator';
const MODES: readonly (readonly [string, Values])[] = [
  ['default', {}],
  ['namespaced', NAMESPACED],
  ['everything', EVERYTHING],
];

function only(objects: readonly Rendered[], kind: string): Rendered {
  const [object, ...others] = objects.filter((candidate) => candidate.kind === kind);
  if (object === undefined || others.length > 0)
    throw new Error(`${others.length + 1} objects of kind ${kind}`);
  return object;
}

/** What a person reads in a review; what is taken from files that are compared elsewhere is left out. */
function golden(objects: readonly Rendered[]): string {
  const shown = objects.map(({ rules, data, ...object }) => ({
    ...object,
    ...(rules === undefined ? {} : { rules: 'of the operator' }),
    ...(data === undefined ? {} : { data: Object.keys(data as object) }),
  }));
  return shown
    .map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }))
    .join('---\n');
}

describe('the chart', () => {
  const helm = setUpHelm();

  it.each(MODES)('passes lint --strict (%s)', async (_, values) => {
    const said = await helm.run(['lint', '--strict', CHART], { values });
    expect(said).toContain('1 chart(s) linted, 0 chart(s) failed');
    expect(said).not.toMatch(/\[(ERROR|WARNING)\]/);
  });

  it.each(MODES)('makes the objects of golden/%s.yaml; look at every difference', async (name, values) => {
    await expect(golden(await helm.objects(values))).toMatchFileSnapshot(`golden/${name}.yaml`);
  });

  it('brings the CRD', async () => {
    const objects = await helm.objects({}, ['--include-crds']);
    expect(only(objects, 'CustomResourceDefinition').metadata.name).toBe('claudenexuses.claudenexus.dev');
  });

  it('gives the operator exactly the rights it asks for, in all namespaces', async () => {
    const objects = await helm.objects();
    expect(only(objects, 'ClusterRole')['rules']).toEqual([...NAMESPACE_RULES, ...CLUSTER_RULES]);
    expect(only(objects, 'Role')['rules']).toEqual(leaseRules(OPERATOR));
  });

  it('gives it in namespaced mode exactly those of a namespace, there, and nothing of the cluster', async () => {
    const objects = await helm.objects(NAMESPACED);
    const roles = objects.filter(({ kind }) => kind === 'Role');
    expect(roles.map(({ metadata, ...role }) => [metadata.namespace, role['rules']])).toEqual([
      ['team-a', NAMESPACE_RULES],
      ['team-b', NAMESPACE_RULES],
      ['nexus-system', leaseRules(OPERATOR)],
    ]);
    expect(objects.filter(({ metadata }) => metadata.namespace === undefined)).toEqual([]);
  });

  it.each([
    ['as they are', {}, 'claude-nexus/operator:0.1.0'],
    ['with another tag', { tag: '2' }, 'claude-nexus/operator:2'],
    ['in a registry', { registry: 'r.example:5000/a' }, 'r.example:5000/a/claude-nexus/operator:0.1.0'],
    [
      'in a registry that ends in a slash',
      { registry: 'r.example/' },
      'r.example/claude-nexus/operator:0.1.0',
    ],
    ['of another registry', { registry: 'r.example', operator: 'localhost/mine:3' }, 'localhost/mine:3'],
    ['with a tag of its own', { operator: 'mine:3', tag: '2' }, 'mine:3'],
    ['at a port, without tag', { operator: 'r.example:5000/mine' }, 'r.example:5000/mine:0.1.0'],
    ['with a digest', { operator: `mine@sha256:${'0'.repeat(64)}` }, `mine@sha256:${'0'.repeat(64)}`],
  ])('takes images %s', async (_, images, operator) => {
    expect(await helm.template({ images })).toContain(`image: "${operator}"`);
  });

  it.each([
    [
      'where it is published, whatever the registry of our own',
      { registry: 'r.example' },
      'docker.io/library/postgres',
    ],
    ['from the same registry', { registry: 'r.example', postgres: 'postgres' }, 'r.example/postgres'],
    ['by a name alone', { postgres: 'postgres' }, 'postgres'],
  ])('takes PostgreSQL %s', async (_, images, postgres) => {
    expect(await helm.template({ images })).toMatch(
      new RegExp(`name: POSTGRES_IMAGE\\n\\s+value: "${postgres}"`),
    );
  });

  it.each([
    [
      'two operators that do not agree',
      { replicas: 2, leaderElection: { enabled: false } },
      'leaderElection.enabled=true',
    ],
    [
      'a quickstart nobody serves',
      { ...NAMESPACED, quickstart: { enabled: true } },
      'watchNamespaces: add nexus-system',
    ],
    [
      'alerts without metrics',
      { monitoring: { prometheusRule: { enabled: true } } },
      'monitoring.serviceMonitor.enabled=true',
    ],
    ['an unknown value', { replica: 2 }, 'replica'],
    ['an unknown setting', { settings: { LOGLEVEL: 'info' } }, 'LOGLEVEL'],
    ['a setting the chart sets itself', { settings: { PROXY_IMAGE: 'mine' } }, 'PROXY_IMAGE'],
    ['a tag on PostgreSQL', { images: { postgres: 'postgres:17' } }, 'postgres'],
    ['root', { runAsUser: 0 }, 'runAsUser'],
    ['something that is no namespace', { watchNamespaces: ['Team A'] }, 'watchNamespaces'],
    ['a duration without unit', { leaderElection: { leaseDuration: '15' } }, 'leaseDuration'],
  ])('refuses %s', async (_, values, names) => {
    await expect(helm.template(values)).rejects.toThrow(names);
  });

  it('needs no budget for a single operator', async () => {
    expect((await helm.objects()).map(({ kind }) => kind)).not.toContain('PodDisruptionBudget');
  });

  it('replaces an operator that cannot agree with another one only when it is gone', async () => {
    const objects = await helm.objects({ leaderElection: { enabled: false } });
    expect(only(objects, 'Deployment')['spec']).toMatchObject({ strategy: { type: 'Recreate' } });
    expect(objects.map(({ kind }) => kind)).not.toContain('Role');
  });

  it('lets Grafana find a dashboard for each file', async () => {
    const objects = await helm.objects(EVERYTHING);
    const maps = objects.filter(({ kind }) => kind === 'ConfigMap');
    expect(maps).toHaveLength(4);
    for (const { metadata, ...map } of maps) {
      expect(metadata.labels).toMatchObject({ grafana_dashboard: '1' });
      for (const [name, content] of Object.entries(map['data'] as Record<string, string>)) {
        const file = path.join(CHART, 'files/dashboards', name.replace('claude-nexus-', ''));
        expect(JSON.parse(content)).toEqual(JSON.parse(await readFile(file, 'utf8')));
      }
    }
  });

  it.each([
    ['without anything else', {}, 'create secret generic anthropic'],
    ['for the namespaces it serves', NAMESPACED, 'kubectl -n team-a apply'],
    [
      'for a quickstart that refuses all',
      { quickstart: { enabled: true } },
      'It refuses every request as yet',
    ],
    [
      'for a quickstart with a domain',
      { quickstart: { enabled: true, name: 'q', spec: { domains: [{ host: 'a.example.com' }] } } },
      String.raw`get secret q-client-keys -o jsonpath='{.data.a\.example\.com}'`,
    ],
  ])('tells the next three commands %s', async (_, values, command) => {
    const args = ['install', 'nexus', CHART, '--namespace', 'nexus-system', '--dry-run=client'];
    const said = await helm.run(args, { values });
    const notes = said.slice(said.indexOf('NOTES:'));
    expect(notes).toContain(command);
    expect([...notes.matchAll(/^ {2}\d\. /gm)]).toHaveLength(3);
  });

  it('can be packed', async () => {
    expect(await helm.run(['show', 'all', CHART])).toContain('kind: CustomResourceDefinition');
  });
});
