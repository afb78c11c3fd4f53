import { ConfigError, LOG_LEVELS, readConfig } from '@claude-nexus/runtime';
import type { ConfigOf, ConfigTable, Environment } from '@claude-nexus/runtime';
import { SHORT_KEY } from './auth/authenticator.ts';

/** Every setting of the dashboard. */
export const dashboardSettings = {
  port: { env: 'PORT', kind: 'port', default: '3001', description: 'Port of the dashboard.' },
  host: { env: 'HOST', kind: 'string', default: '0.0.0.0', description: 'Address to listen on.' },
  apiKey: {
    env: 'DASHBOARD_API_KEY',
    kind: 'secret',
    required: true,
    description: 'Key that opens the dashboard and its API; choose a long random text.',
  },
  databaseUrl: {
    env: 'DATABASE_URL',
    kind: 'url',
    protocols: ['postgres:', 'postgresql:'],
    secret: true,
    required: true,
    description: 'PostgreSQL to read from.',
  },
  proxyUrl: {
    env: 'PROXY_API_URL',
    kind: 'url',
    description: 'Address of the proxy as clients reach it, for the health tile and the connect page.',
  },
  basePath: {
    env: 'BASE_PATH',
    kind: 'string',
    default: '/',
    description: 'Path under which the dashboard is published, such as /nexus/.',
  },
  metricsPort: { env: 'METRICS_PORT', kind: 'port', default: '9091', description: 'Port of /metrics.' },
  logLevel: {
    env: 'LOG_LEVEL',
    kind: 'enum',
    values: LOG_LEVELS,
    default: 'info',
    description: 'Least severe level that is logged.',
  },
} as const satisfies ConfigTable;

export type DashboardConfig = ConfigOf<typeof dashboardSettings>;

/** Settings of the other programs, which may stand in the same file: no misspelt names of ours. */
const OTHER_PROGRAMS = ['DASHBOARD_PORT', 'DATA_DIR', 'MIGRATION_DATABASE_URL', 'PROXY_PORT'];

/**
 * Reads the settings. `basePath` comes out with a slash at both ends, `proxyUrl` without credentials.
 *
 * @throws {ConfigError} one line that names every unusable setting
 */
export function readDashboardConfig(env: Environment): {
  config: DashboardConfig;
  warnings: readonly string[];
} {
  const { config, warnings } = readConfig(dashboardSettings, env, { alsoKnown: OTHER_PROGRAMS });
  const short = config.apiKey.length < SHORT_KEY;
  return {
    config: {
      ...config,
      basePath: normalBasePath(config.basePath),
      proxyUrl: config.proxyUrl === undefined ? undefined : withoutCredentials(config.proxyUrl),
    },
    warnings: short
      ? [...warnings, `DASHBOARD_API_KEY is shorter than ${SHORT_KEY} characters: choose a longer one`]
      : warnings,
  };
}

function normalBasePath(text: string): string {
  const inner = text.replaceAll(/^\/+|\/+$/g, '');
  if (inner === '') return '/';
  const segment = /^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$/;
  if (inner.split('/').every((part) => segment.test(part))) return `/${inner}/`;
  throw new ConfigError(['BASE_PATH must be a path of letters, digits and ._~- such as /nexus/']);
}

function withoutCredentials(text: string): string {
  const url = new URL(text);
  url.username = '';
  url.password = '';
  return url.href;
}
