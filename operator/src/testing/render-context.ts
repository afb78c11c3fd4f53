import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import type { RenderContext } from '../resources/render-context.ts';
import { domainSecretName, secretNames } from '../resources/secrets.ts';
import { claudeNexus } from './claude-nexus.ts';

/** Stands in every Secret value of `renderContext`, so that a leak can be found. */
export const MARKED = 'marked-secret-value';

const CREDENTIAL = { type: 'api_key', api_key: MARKED, client_api_key: `${MARKED}-client` };

/** What the policies decide for a resource at rest: everything there, nothing under way. */
export function renderContext(
  owner: ClaudeNexus = claudeNexus(),
  overrides: Partial<RenderContext> = {},
): RenderContext {
  const { managed, external } = owner.spec.database;
  const names = secretNames(owner);
  const urls = external?.secretRef.name ?? names.database;
  return {
    owner,
    images: { proxy: 'nexus/proxy:1.0.0', dashboard: 'nexus/dashboard:1.0.0', postgres: 'postgres' },
    runbookUrl: 'https://runbooks.example/alerts',
    proxyImage: 'nexus/proxy:1.0.0',
    dashboardImage: 'nexus/dashboard:1.0.0',
    proxyDatabaseUrl: { secret: urls, key: 'proxyUrl' },
    dashboardDatabaseUrl: { secret: urls, key: 'dashboardUrl' },
    dashboardKey:
      owner.spec.dashboard.keySecretRef === undefined
        ? { secret: names.keys, key: 'dashboard-api-key' }
        : { secret: owner.spec.dashboard.keySecretRef.name, key: owner.spec.dashboard.keySecretRef.key },
    accountHashKey: { secret: names.keys, key: 'account-hash-key' },
    domainSecrets: (owner.spec.domains ?? []).map(({ host }) => ({
      host,
      name: domainSecretName(owner, host),
      content: JSON.stringify(CREDENTIAL),
    })),
    checksums: { proxy: '0123456789abcdef', dashboard: 'fedcba9876543210' },
    databaseSecret: external === undefined ? databaseSecret() : undefined,
    databaseJob: {
      revision: 'first',
      image: 'nexus/proxy:1.0.0',
      ownerUrl: { secret: urls, key: 'ownerUrl' },
      loginsSecret: external === undefined ? names.database : undefined,
      attempt: 0,
    },
    restoreAttempt: 0,
    databasePorts: [5432],
    proxyReplicas: owner.spec.proxy.replicas,
    postgresPassword: { secret: names.postgresPassword, key: 'password' },
    postgresVersion: managed?.version ?? 17,
    postgresStorage: managed?.storage.size ?? '10Gi',
    backupStorage: backupSize(owner),
    has: { prometheusOperator: true, cloudNativePG: true },
    ...overrides,
  };
}

function databaseSecret(): NonNullable<RenderContext['databaseSecret']> {
  const url = `postgresql://somebody:${MARKED}@database:5432/nexus`;
  return {
    ownerUrl: url,
    proxyUrl: url,
    dashboardUrl: url,
    'logins.json': JSON.stringify([{ name: 'nexus_proxy_a', password: MARKED }]),
  };
}

function backupSize({ spec }: ClaudeNexus): string {
  return spec.database.managed?.backup?.storage.size ?? '';
}
