import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import { KINDS } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import {
  DASHBOARD_METRICS_PORT,
  DASHBOARD_PORT,
  POSTGRES_PORT,
  PROXY_METRICS_PORT,
  PROXY_PORT,
} from './addresses.ts';
import { child } from './child.ts';
import { childName, selectorLabels } from './names.ts';
import type { Component } from './names.ts';
import type { RenderContext } from './render-context.ts';

interface Rules {
  readonly component: Component;
  readonly podSelector: unknown;
  readonly ingress: readonly unknown[];
  readonly egress: readonly unknown[];
}

const JOBS: readonly Component[] = ['database', 'backup', 'restore'];
/** 5353: where OpenShift's resolver listens behind its Service; policies see the port of the pod. */
const DNS_PORTS = [53, 5353];
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'https:': 443, 'http:': 80 };

/** What each component may reach and who may reach it. On unless the resource turns it off. */
export function networkPolicies(context: RenderContext): KubeObject[] {
  const { owner } = context;
  if (!owner.spec.networkPolicy.enabled) return [];
  return [
    networkPolicy(owner, proxyRules(context)),
    networkPolicy(owner, dashboardRules(context)),
    networkPolicy(owner, jobRules(context)),
    ...(owner.spec.database.managed === undefined ? [] : [networkPolicy(owner, postgresRules(owner))]),
  ];
}

function networkPolicy(owner: ClaudeNexus, { component, podSelector, ingress, egress }: Rules): KubeObject {
  return child(
    { owner, kind: KINDS.NetworkPolicy, component, name: childName(owner.metadata.name, component) },
    { spec: { podSelector, policyTypes: ['Ingress', 'Egress'], ingress, egress } },
  );
}

function proxyRules(context: RenderContext): Rules {
  const { owner } = context;
  const { from, metricsFrom } = owner.spec.networkPolicy;
  const podSelector = { matchLabels: selectorLabels(owner, 'proxy') };
  const dashboard = { podSelector: { matchLabels: selectorLabels(owner, 'dashboard') } };
  return {
    component: 'proxy',
    podSelector,
    ingress: [
      // The dashboard asks for the proxy's health.
      ...admit(from === undefined ? undefined : [...from, dashboard], PROXY_PORT),
      ...admit(metricsFrom, PROXY_METRICS_PORT),
    ],
    egress: [...dns(), ...toDatabase(context), { ports: [tcp(portOf(owner.spec.proxy.upstreamUrl))] }],
  };
}

function dashboardRules(context: RenderContext): Rules {
  const { owner } = context;
  const { from, metricsFrom } = owner.spec.networkPolicy;
  const proxy = { podSelector: { matchLabels: selectorLabels(owner, 'proxy') } };
  return {
    component: 'dashboard',
    podSelector: { matchLabels: selectorLabels(owner, 'dashboard') },
    ingress: [...admit(from, DASHBOARD_PORT), ...admit(metricsFrom, DASHBOARD_METRICS_PORT)],
    egress: [
      ...dns(),
      ...toDatabase(context),
      { to: [proxy], ports: [tcp(PROXY_PORT)] },
      // With an ingress the proxy is asked for its health by the address clients use.
      ...(owner.spec.ingress === undefined ? [] : [{ ports: [tcp(80), tcp(443)] }]),
    ],
  };
}

function jobRules(context: RenderContext): Rules {
  return {
    component: 'database',
    podSelector: oneOf(context.owner, JOBS),
    ingress: [],
    egress: [...dns(), ...toDatabase(context)],
  };
}

function postgresRules(owner: ClaudeNexus): Rules {
  const clients = { podSelector: oneOf(owner, ['proxy', 'dashboard', ...JOBS]) };
  return {
    component: 'postgres',
    podSelector: { matchLabels: selectorLabels(owner, 'postgres') },
    ingress: [{ from: [clients], ports: [tcp(POSTGRES_PORT)] }],
    egress: [],
  };
}

function oneOf(owner: ClaudeNexus, components: readonly Component[]): Record<string, unknown> {
  const { 'app.kubernetes.io/component': _, ...instance } = selectorLabels(owner, 'proxy');
  return {
    matchLabels: instance,
    matchExpressions: [{ key: 'app.kubernetes.io/component', operator: 'In', values: components }],
  };
}

/** An empty list of peers would mean everybody to the API server; here it means nobody. */
function admit(peers: readonly unknown[] | undefined, port: number): readonly unknown[] {
  return peers?.length === 0 ? [] : [{ from: peers, ports: [tcp(port)] }];
}

function dns(): readonly unknown[] {
  return [{ ports: DNS_PORTS.flatMap((port) => [{ protocol: 'UDP', port }, tcp(port)]) }];
}

function toDatabase({ owner, databasePorts }: RenderContext): readonly unknown[] {
  const { managed, cloudNativePG } = owner.spec.database;
  const ports = databasePorts.map(tcp);
  if (managed !== undefined) {
    return [{ to: [{ podSelector: { matchLabels: selectorLabels(owner, 'postgres') } }], ports }];
  }
  if (cloudNativePG !== undefined) {
    const labels = { 'cnpg.io/cluster': childName(owner.metadata.name, 'postgres') };
    return [{ to: [{ podSelector: { matchLabels: labels } }], ports }];
  }
  // No rule without a port: it would open all of them.
  return ports.length === 0 ? [] : [{ ports }];
}

function tcp(port: number): Record<string, unknown> {
  return { protocol: 'TCP', port };
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  return port === '' ? (DEFAULT_PORTS[protocol] ?? 443) : Number(port);
}
