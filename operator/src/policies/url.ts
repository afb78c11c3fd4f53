import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import type { KubeObject } from '../kube/object.ts';
import { listAt, numberAt, textAt } from './children.ts';

interface Service {
  /** As it was seen, for a load balancer's address. */
  readonly observed: KubeObject | undefined;
  readonly name: string;
  /** Used while the Service was not seen yet. */
  readonly port: number;
}

/** Where clients reach the proxy: its first Ingress host, else its Service. */
export function proxyUrl(owner: ClaudeNexus, service: Service): string {
  const { ingress, domains = [] } = owner.spec;
  const [host] = ingress?.proxy ?? domains.map((domain) => ({ host: domain.host }));
  if (ingress !== undefined && host !== undefined) return hostUrl(host);
  return serviceUrl(owner, service);
}

/** Where people reach the dashboard, base path included. */
export function dashboardUrl(owner: ClaudeNexus, service: Service): string {
  const host = owner.spec.ingress?.dashboard;
  const base = host === undefined ? serviceUrl(owner, service) : hostUrl(host);
  return `${base}${owner.spec.dashboard.basePath.replace(/\/+$/, '')}`;
}

function hostUrl(host: { readonly host: string; readonly tlsSecretName?: string | undefined }): string {
  return `${host.tlsSecretName === undefined ? 'http' : 'https'}://${host.host}`;
}

function serviceUrl(owner: ClaudeNexus, { observed, name, port }: Service): string {
  const [balancer] = listAt(observed, 'status', 'loadBalancer', 'ingress');
  const address = textAt(balancer, 'hostname') ?? textAt(balancer, 'ip');
  const number = numberAt(observed, 'spec', 'ports', 0, 'port') ?? port;
  return `http://${address ?? `${name}.${owner.metadata.namespace}.svc`}:${number}`;
}
