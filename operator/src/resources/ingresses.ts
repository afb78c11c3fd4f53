import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import { KINDS } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { dashboardPath, proxyHosts } from './addresses.ts';
import type { IngressHost } from './addresses.ts';
import { child } from './child.ts';
import { childName } from './names.ts';
import type { RenderContext } from './render-context.ts';

/** Ways in from outside: to the proxy by the hosts of its domains, to the dashboard where a host is given. */
export function ingresses({ owner }: RenderContext): KubeObject[] {
  const dashboard = owner.spec.ingress?.dashboard;
  const hosts = proxyHosts(owner);
  return [
    // Without a host there is no rule, and an Ingress without rules would take every name.
    ...(hosts.length === 0 ? [] : [ingress(owner, { component: 'proxy', hosts, path: '/' })]),
    ...(dashboard === undefined
      ? []
      : [ingress(owner, { component: 'dashboard', hosts: [dashboard], path: dashboardPath(owner) })]),
  ];
}

interface Way {
  readonly component: 'proxy' | 'dashboard';
  readonly hosts: readonly IngressHost[];
  readonly path: string;
}

function ingress(owner: ClaudeNexus, { component, hosts, path }: Way): KubeObject {
  const name = childName(owner.metadata.name, component);
  const backend = { service: { name, port: { name: 'http' } } };
  return child(
    { owner, kind: KINDS.Ingress, component, name, annotations: owner.spec.ingress?.annotations },
    {
      spec: {
        ingressClassName: owner.spec.ingress?.className,
        tls: tlsOf(hosts),
        rules: hosts.map(({ host }) => ({
          host,
          http: { paths: [{ path, pathType: 'Prefix', backend }] },
        })),
      },
    },
  );
}

/** Hosts by certificate, each certificate once. */
function tlsOf(hosts: readonly IngressHost[]): readonly unknown[] | undefined {
  const bySecret = new Map<string, string[]>();
  for (const { host, tlsSecretName } of hosts) {
    if (tlsSecretName === undefined) continue;
    bySecret.set(tlsSecretName, [...(bySecret.get(tlsSecretName) ?? []), host]);
  }
  if (bySecret.size === 0) return undefined;
  return [...bySecret].map(([secretName, names]) => ({ hosts: names, secretName }));
}
