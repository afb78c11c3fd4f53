import type { ClaudeNexus, ClaudeNexusStatus } from '../api/v1alpha1/claude-nexus.ts';
import type { ClaudeNexusSpec, ManagedDatabaseSpec } from '../api/v1alpha1/spec.ts';

/** What differs from the smallest resource. Sections of the spec are merged member by member, `database` is replaced. */
export interface ClaudeNexusOptions {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly generation?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly deletionTimestamp?: string;
  readonly spec?: { readonly [Section in keyof ClaudeNexusSpec]?: Partial<ClaudeNexusSpec[Section]> };
  readonly status?: ClaudeNexusStatus;
}

const PROXY: ClaudeNexusSpec['proxy'] = {
  replicas: 1,
  upstreamUrl: 'https://api.anthropic.com',
  passthrough: 'deny',
  clientAuth: true,
  drainTimeoutSeconds: 300,
  maxInflight: '512Mi',
  logLevel: 'info',
  spool: { max: '2Gi', sizeLimit: '3Gi' },
};

const DASHBOARD: ClaudeNexusSpec['dashboard'] = { replicas: 1, basePath: '/', logLevel: 'info' };

/** A managed database with every default filled in. */
export function managedDatabase(overrides: Partial<ManagedDatabaseSpec> = {}): ClaudeNexusSpec['database'] {
  return { managed: { version: 17, storage: { size: '10Gi' }, deletionPolicy: 'Retain', ...overrides } };
}

/** A resource as the API server hands it out: one replica each, a managed database, no domain. */
export function claudeNexus(options: ClaudeNexusOptions = {}): ClaudeNexus {
  const { name = 'gateway', namespace = 'team', uid = `uid-of-${name}`, generation = 1, spec = {} } = options;
  const { proxy, dashboard, database, networkPolicy, domains, ...rest } = spec;
  return {
    apiVersion: 'claudenexus.dev/v1alpha1',
    kind: 'ClaudeNexus',
    metadata: {
      name,
      namespace,
      uid,
      generation,
      ...(options.annotations === undefined ? {} : { annotations: options.annotations }),
      ...(options.deletionTimestamp === undefined ? {} : { deletionTimestamp: options.deletionTimestamp }),
    },
    spec: {
      ...(rest as Partial<ClaudeNexusSpec>),
      ...(domains === undefined ? {} : { domains: domains as NonNullable<ClaudeNexusSpec['domains']> }),
      proxy: { ...PROXY, ...proxy },
      dashboard: { ...DASHBOARD, ...dashboard },
      database: database ?? managedDatabase(),
      networkPolicy: { enabled: true, ...networkPolicy },
    },
    ...(options.status === undefined ? {} : { status: options.status }),
  };
}
