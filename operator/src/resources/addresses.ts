import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import { childName } from './names.ts';

export const PROXY_PORT = 3000;
export const DASHBOARD_PORT = 3001;
export const PROXY_METRICS_PORT = 9090;
export const DASHBOARD_METRICS_PORT = 9091;
export const POSTGRES_PORT = 5432;

export interface IngressHost {
  readonly host: string;
  readonly tlsSecretName?: string | undefined;
}

/** Hosts that lead to the proxy from outside: those the ingress names, or the domains'; none without ingress. */
export function proxyHosts(owner: ClaudeNexus): readonly IngressHost[] {
  const { ingress, domains = [] } = owner.spec;
  if (ingress === undefined) return [];
  return ingress.proxy ?? domains.map(({ host }) => ({ host }));
}

/** Where clients reach the proxy, without a slash at the end. */
export function proxyUrl(owner: ClaudeNexus): string {
  const [first] = proxyHosts(owner);
  return first === undefined
    ? `http://${serviceHost(owner, 'proxy')}:${PROXY_PORT}`
    : `${schemeOf(first)}://${first.host}`;
}

/** Where people reach the dashboard, with its base path and a slash at the end. */
export function dashboardUrl(owner: ClaudeNexus): string {
  const path = dashboardPath(owner);
  const end = path === '/' ? '/' : `${path}/`;
  const host = owner.spec.ingress?.dashboard;
  return host === undefined
    ? `http://${serviceHost(owner, 'dashboard')}:${DASHBOARD_PORT}${end}`
    : `${schemeOf(host)}://${host.host}${end}`;
}

/** `/`, or the base path without a slash at its end. */
export function dashboardPath(owner: ClaudeNexus): string {
  return `/${owner.spec.dashboard.basePath.replaceAll(/^\/+|\/+$/g, '')}`;
}

/** Host of the PostgreSQL the operator runs itself. */
export function postgresHost(owner: ClaudeNexus): string {
  return serviceHost(owner, 'postgres');
}

/** Host of the primary of the CloudNativePG cluster. */
export function cloudNativePgHost(owner: ClaudeNexus): string {
  return serviceHost(owner, 'postgres', '-rw');
}

function serviceHost(owner: ClaudeNexus, suffix: string, end = ''): string {
  return `${childName(owner.metadata.name, suffix)}${end}.${owner.metadata.namespace}.svc`;
}

function schemeOf({ tlsSecretName }: IngressHost): 'http' | 'https' {
  return tlsSecretName === undefined ? 'http' : 'https';
}
