import { isDeepStrictEqual } from 'node:util';

import { describe, expect, it } from 'vitest';

import { KINDS } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { claudeNexus } from '../testing/claude-nexus.ts';
import { podTemplateOf } from '../testing/pod-templates.ts';
import { MARKED, renderContext } from '../testing/render-context.ts';
import { SCENARIOS, scenario } from '../testing/scenarios.ts';
import { render } from './render.ts';

const NAMES = Object.keys(SCENARIOS);
const LONG = 'a-gateway-with-a-name-of-exactly-as-many-characters-as-allowed-'.slice(0, 62);
/** Longest names whose pods, revisions and jobs still get theirs. */
const MAX_NAME = 52;

const OWNER = {
  apiVersion: 'claudenexus.dev/v1alpha1',
  kind: 'ClaudeNexus',
  name: 'gateway',
  uid: 'uid-of-gateway',
  controller: true,
  blockOwnerDeletion: true,
};

const keyOf = ({ kind, metadata }: KubeObject): string => `${kind}/${metadata.name}`;
const keysFor = (name: string, owner: string): string[] =>
  render(renderContext(scenario(name, { name: owner })))
    // Named after the resource itself.
    .filter(({ kind }) => kind !== 'PrometheusRule')
    .map(keyOf);
const isOwned = ({ metadata }: KubeObject): boolean => isDeepStrictEqual(metadata.ownerReferences, [OWNER]);
const rendered = (name: string): KubeObject[] => render(renderContext(scenario(name)));

function walk(value: unknown, visit: (value: unknown, path: string) => void, path = ''): void {
  visit(value, path);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) walk(member, visit, `${path}.${key}`);
}

describe.each(NAMES)('the children of a resource: %s', (name) => {
  it('are the same, byte for byte, whenever the context is the same', () => {
    const context = renderContext(scenario(name));
    const first = JSON.stringify(render(context));
    expect(JSON.stringify(render(structuredClone(context)))).toBe(first);
    expect(JSON.stringify(render(context))).toBe(first);
  });

  it('are of kinds the operator knows, each once, in the namespace of the resource', () => {
    const objects = rendered(name);
    for (const object of objects) {
      const kind = KINDS[object.kind as keyof typeof KINDS];
      expect(object.apiVersion).toBe(kind.apiVersion);
      expect(object.metadata.namespace).toBe('team');
    }
    expect(new Set(objects.map(keyOf)).size).toBe(objects.length);
  });

  it('have our labels', () => {
    for (const { metadata } of rendered(name)) {
      expect(metadata.labels).toMatchObject({
        'app.kubernetes.io/name': 'claude-nexus',
        'app.kubernetes.io/instance': 'gateway',
        'app.kubernetes.io/component': expect.any(String),
        'app.kubernetes.io/managed-by': 'claude-nexus-operator',
      });
    }
  });

  it('are owned by the resource, but for what has to outlive it', () => {
    const others = rendered(name).filter((object) => !isOwned(object));
    expect(others.map(keyOf)).toEqual(name === 'cloudNativePG' ? ['Cluster/gateway-postgres'] : []);
    expect(others.filter(({ metadata }) => metadata.ownerReferences !== undefined)).toEqual([]);
  });

  it('hold neither null nor an empty list, which the server would not store as they are', () => {
    const wrong: string[] = [];
    walk(rendered(name), (value, path) => {
      if (value === null || value === undefined || (Array.isArray(value) && value.length === 0))
        wrong.push(path);
    });
    expect(wrong).toEqual([]);
  });

  it('hold no Secret value outside of Secrets', () => {
    const others = rendered(name).filter(({ kind }) => kind !== 'Secret');
    const encoded = Buffer.from(MARKED).toString('base64').slice(0, 16);
    expect(JSON.stringify(others)).not.toContain(MARKED);
    expect(JSON.stringify(others)).not.toContain(encoded);
  });

  it('come in an order in which nothing is needed before it is there', () => {
    const kinds = rendered(name).map(({ kind }) => kind);
    const firstPod = kinds.findIndex((kind) =>
      ['StatefulSet', 'Cluster', 'Job', 'CronJob', 'Deployment'].includes(kind),
    );
    const early = new Set(['Secret', 'ServiceAccount', 'Service', 'NetworkPolicy']);
    expect(kinds.slice(firstPod).filter((kind) => early.has(kind))).toEqual([]);
    expect(kinds.lastIndexOf('Job')).toBeLessThan(kinds.indexOf('Deployment'));
  });

  it('have names within bounds when the resource has the longest, and other names than those of a sibling', () => {
    const names = keysFor(name, `${LONG}a`);
    expect(names.filter((key) => (key.split('/')[1] ?? '').length > MAX_NAME)).toEqual([]);
    const sibling = keysFor(name, `${LONG}b`);
    expect(names.filter((key) => sibling.includes(key))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });
});

const pods = NAMES.flatMap((name) =>
  rendered(name).flatMap((object) => {
    const template = podTemplateOf(object);
    return template === undefined ? [] : [{ title: `${name}: ${keyOf(object)}`, object, template }];
  }),
);

describe.each(pods)('the pods of $title', ({ object, template }) => {
  const { spec } = template;

  it('are admitted by the restricted Pod Security profile', () => {
    expect(spec['securityContext']).toMatchObject({
      runAsNonRoot: true,
      runAsUser: expect.any(Number),
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect((spec['securityContext'] as { runAsUser: number }).runAsUser).toBeGreaterThan(0);
    for (const forbidden of ['hostNetwork', 'hostPID', 'hostIPC']) expect(spec).not.toHaveProperty(forbidden);
    for (const container of spec.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
      });
    }
    for (const volume of spec['volumes'] as object[]) expect(volume).not.toHaveProperty('hostPath');
  });

  it('get no token and no variables that look like settings, and have a /tmp', () => {
    expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
    expect(spec['serviceAccountName']).toMatch(/^gateway-(proxy|dashboard|postgres)$/);
    for (const container of spec.containers) {
      expect(container['volumeMounts']).toContainEqual({ name: 'tmp', mountPath: '/tmp' });
    }
  });

  it('mount only volumes they have', () => {
    const claims = (object['spec'] as { volumeClaimTemplates?: KubeObject[] }).volumeClaimTemplates ?? [];
    const volumes = (spec['volumes'] as { name: string }[]).map(({ name }) => name);
    const known = [...volumes, ...claims.map(({ metadata }) => metadata.name)];
    const mounts = spec.containers.flatMap((container) => container['volumeMounts'] as { name: string }[]);
    expect(mounts.map(({ name }) => name).toSorted()).toEqual(known.toSorted());
  });

  it('ask for processor and memory, and are watched while they serve', () => {
    for (const container of spec.containers) {
      const limits = (container.resources as { limits?: Record<string, string> }).limits;
      for (const name of ['cpu', 'memory']) {
        expect(container.resources?.requests?.[name] ?? limits?.[name]).toEqual(expect.any(String));
      }
      const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'];
      const isServing = object.kind === 'Deployment' || object.kind === 'StatefulSet';
      expect(probes.filter((probe) => container[probe] !== undefined)).toEqual(isServing ? probes : []);
    }
  });

  it('carry our labels, by which the operator finds them', () => {
    expect(template.metadata.labels).toEqual(object.metadata.labels);
  });
});

describe('the children of one resource', () => {
  it('are the least that runs a gateway when nothing is asked for', () => {
    expect(rendered('minimal').map((object) => keyOf(object).replace(/-[0-9a-f]{8}$/, '-HASH'))).toEqual([
      'Secret/gateway-database',
      'ServiceAccount/gateway-proxy',
      'ServiceAccount/gateway-dashboard',
      'ServiceAccount/gateway-postgres',
      'Service/gateway-proxy',
      'Service/gateway-dashboard',
      'Service/gateway-postgres',
      'NetworkPolicy/gateway-proxy',
      'NetworkPolicy/gateway-dashboard',
      'NetworkPolicy/gateway-database',
      'NetworkPolicy/gateway-postgres',
      'StatefulSet/gateway-postgres',
      'Job/gateway-database-HASH',
      'Deployment/gateway-proxy',
      'Deployment/gateway-dashboard',
    ]);
  });

  it('hold no PostgreSQL of ours, nor its Secret, for an external database', () => {
    expect(
      rendered('external')
        .map(keyOf)
        .filter((key) => /postgres|Secret\/gateway-database/.test(key)),
    ).toEqual([]);
  });

  it('leave the kinds out that the cluster does not have', () => {
    const has = { prometheusOperator: false, cloudNativePG: false };
    for (const name of ['monitoring', 'cloudNativePG', 'full']) {
      const kinds = render(renderContext(scenario(name), { has })).map(({ kind }) => kind);
      expect(kinds).not.toContain('ServiceMonitor');
      expect(kinds).not.toContain('PrometheusRule');
      expect(kinds).not.toContain('Cluster');
    }
  });

  it('have no network policies when those are turned off', () => {
    const owner = claudeNexus({ spec: { networkPolicy: { enabled: false } } });
    expect(render(renderContext(owner)).map(({ kind }) => kind)).not.toContain('NetworkPolicy');
  });
});
