import { describe, expect, it } from 'vitest';

import { claudeNexus } from '../testing/claude-nexus.ts';
import type { ClaudeNexusOptions } from '../testing/claude-nexus.ts';
import { find } from '../testing/pod-templates.ts';
import { renderContext } from '../testing/render-context.ts';
import { scenario } from '../testing/scenarios.ts';
import type { RenderContext } from './render-context.ts';
import { render } from './render.ts';

interface Rule {
  readonly from?: readonly unknown[];
  readonly to?: readonly unknown[];
  readonly ports: readonly { readonly protocol: string; readonly port: number }[];
}
interface Policy {
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
}
type Spec = NonNullable<ClaudeNexusOptions['spec']>;

function policy(component: string, spec: Spec = {}, overrides: Partial<RenderContext> = {}): Policy {
  const objects = render(renderContext(claudeNexus({ spec }), overrides));
  return find(objects, 'NetworkPolicy', `gateway-${component}`)['spec'] as Policy;
}

/** TCP ports of rules, apart from those for names. */
const portsOf = (rules: readonly Rule[] = []): number[] =>
  rules.flatMap(({ ports }) =>
    ports.some(({ protocol }) => protocol === 'UDP') ? [] : ports.map(({ port }) => port),
  );

const MONITORING = { namespaceSelector: { matchLabels: { team: 'monitoring' } } };

describe('network policies', () => {
  it('admit everybody to proxy and dashboard unless the resource says whom', () => {
    expect(policy('proxy').ingress).toEqual([
      { ports: [{ protocol: 'TCP', port: 3000 }] },
      { ports: [{ protocol: 'TCP', port: 9090 }] },
    ]);
    expect(portsOf(policy('dashboard').ingress)).toEqual([3001, 9091]);
  });

  it('admit who is named, and the dashboard to the proxy', () => {
    const networkPolicy = { enabled: true, from: [MONITORING] };
    const [clients] = policy('proxy', { networkPolicy }).ingress ?? [];
    expect(clients?.from).toMatchObject([
      MONITORING,
      { podSelector: { matchLabels: { 'app.kubernetes.io/component': 'dashboard' } } },
    ]);
  });

  it('admit nobody when the list of peers is empty, which to the API server would be everybody', () => {
    const { ingress } = policy('dashboard', { networkPolicy: { enabled: true, from: [], metricsFrom: [] } });
    expect(ingress).toBeUndefined();
  });

  it('admit to PostgreSQL only the pods of the same gateway', () => {
    expect(policy('postgres')).toMatchObject({
      ingress: [
        {
          from: [
            {
              podSelector: {
                matchLabels: { 'app.kubernetes.io/instance': 'gateway' },
                matchExpressions: [{ values: ['proxy', 'dashboard', 'database', 'backup', 'restore'] }],
              },
            },
          ],
          ports: [{ port: 5432 }],
        },
      ],
    });
    expect(policy('postgres').egress).toBeUndefined();
  });

  it.each<[string, Spec, number[]]>([
    ['443 for the usual upstream', {}, [5432, 443]],
    ['the port of the upstream', { proxy: { upstreamUrl: 'http://upstream.test:8080/x' } }, [5432, 8080]],
    ['80 for a plain upstream', { proxy: { upstreamUrl: 'http://upstream.test' } }, [5432, 80]],
  ])('let the proxy out to the database and to %s', (_, spec, ports) => {
    expect(portsOf(policy('proxy', spec).egress)).toEqual(ports);
  });

  it.each([
    ['managed', 'minimal', { 'app.kubernetes.io/component': 'postgres' }],
    ['CloudNativePG', 'cloudNativePG', { 'cnpg.io/cluster': 'gateway-postgres' }],
  ])('let the Job out to the pods of the %s database only', (_, name, matchLabels) => {
    const objects = render(renderContext(scenario(name)));
    const { egress = [] } = find(objects, 'NetworkPolicy', 'gateway-database')['spec'] as Policy;
    expect(egress.slice(1)).toMatchObject([
      { to: [{ podSelector: { matchLabels } }], ports: [{ port: 5432 }] },
    ]);
  });

  it('let an external database be reached on its ports, and open nothing while those are not known', () => {
    const spec = { database: { external: { secretRef: { name: 'urls' } } } };
    expect(portsOf(policy('database', spec, { databasePorts: [6432, 5433] }).egress)).toEqual([6432, 5433]);
    expect(policy('database', spec, { databasePorts: [] }).egress).toHaveLength(1);
  });
});
