import { fileURLToPath } from 'node:url';

import { ConfigError, LOG_LEVELS, readConfig } from '@claude-nexus/runtime';
import type { ConfigOf, ConfigTable, Environment } from '@claude-nexus/runtime';

const MEBIBYTE = 2 ** 20;

/** Relative paths in settings start here, so that they mean the same wherever the program is started from. */
const REPOSITORY_ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Settings of the other programs, which may share an environment file with the proxy. */
const OTHER_PROGRAMS = [
  'BASE_PATH',
  'DASHBOARD_API_KEY',
  'DASHBOARD_PORT',
  'DATA_DIR',
  'MIGRATION_DATABASE_URL',
  'PROXY_API_URL',
  'PROXY_PORT',
];

/** Every setting of the proxy. Nothing else of the environment is read. */
export const PROXY_CONFIG = {
  port: { env: 'PORT', kind: 'port', default: '3000', description: 'Port for clients; 0 takes a free one.' },
  host: { env: 'HOST', kind: 'string', default: '0.0.0.0', description: 'Address to listen on.' },
  credentialsDir: {
    env: 'CREDENTIALS_DIR',
    kind: 'path',
    default: 'credentials',
    description: 'Folder of the <domain>.credentials.json files; watched for changes.',
  },
  databaseUrl: {
    env: 'DATABASE_URL',
    kind: 'url',
    protocols: ['postgres:', 'postgresql:'],
    secret: true,
    description: 'PostgreSQL that receives the recordings: postgresql://user:password@host:5432/database',
  },
  storageEnabled: {
    env: 'STORAGE_ENABLED',
    kind: 'boolean',
    default: 'true',
    description: 'Record exchanges; false relays only.',
  },
  claudeApiBaseUrl: {
    env: 'CLAUDE_API_BASE_URL',
    kind: 'url',
    default: 'https://api.anthropic.com',
    description: 'Messages API to which requests are forwarded.',
  },
  passthrough: {
    env: 'PASSTHROUGH',
    kind: 'enum',
    values: ['deny', 'allow'],
    default: 'deny',
    description:
      "Domains without a credential file: allow forwards the client's own credential, deny refuses.",
  },
  enableClientAuth: {
    env: 'ENABLE_CLIENT_AUTH',
    kind: 'boolean',
    default: 'true',
    description:
      'Ask for a client key on domains with a credential file; false lets everybody use their credential.',
  },
  allowStoredOauth: {
    env: 'ALLOW_STORED_OAUTH',
    kind: 'boolean',
    default: 'false',
    notBuiltYet: true,
    description: 'Accept stored claude.ai logins, which the terms of the vendor forbid for shared use.',
  },
  accountHashKey: {
    env: 'ACCOUNT_HASH_KEY',
    kind: 'secret',
    description:
      'Secret under which pass-through credentials are hashed into account ids; needed with PASSTHROUGH=allow, the same on every replica, at least 16 characters.',
  },
  spoolDir: {
    env: 'SPOOL_DIR',
    kind: 'path',
    default: '.data/spool',
    description: 'Folder of the journal, for this process alone.',
  },
  spoolMaxBytes: {
    env: 'SPOOL_MAX_BYTES',
    kind: 'bytes',
    min: 256 * MEBIBYTE,
    default: '2GiB',
    description:
      'Most the journal may hold while the database is away; beyond it recordings are dropped and counted.',
  },
  spoolDurable: {
    env: 'SPOOL_DURABLE',
    kind: 'boolean',
    default: 'true',
    description: 'The journal outlives this process; false ships what is left before the program ends.',
  },
  maxInflightBytes: {
    env: 'MAX_INFLIGHT_BYTES',
    kind: 'bytes',
    min: 64 * MEBIBYTE,
    default: '512MiB',
    description:
      'Most that requests under way may hold in memory together; beyond it stalled uploads are ended with 408, and new requests get 503.',
  },
  drainTimeoutMs: {
    env: 'DRAIN_TIMEOUT',
    kind: 'duration',
    max: 3_600_000,
    default: '300s',
    description: 'How long streams under way may go on after SIGTERM.',
  },
  telemetryEndpoint: {
    env: 'TELEMETRY_ENDPOINT',
    kind: 'url',
    notBuiltYet: true,
    description: 'Address that receives a summary of each exchange.',
  },
  slackWebhookUrl: {
    env: 'SLACK_WEBHOOK_URL',
    kind: 'url',
    protocols: ['https:'],
    secret: true,
    notBuiltYet: true,
    description: 'Slack webhook for notices.',
  },
  slackChannel: {
    env: 'SLACK_CHANNEL',
    kind: 'string',
    notBuiltYet: true,
    description: 'Slack channel for notices.',
  },
  metricsPort: {
    env: 'METRICS_PORT',
    kind: 'port',
    default: '9090',
    description: 'Port of GET /metrics; 0 takes a free one.',
  },
  logLevel: {
    env: 'LOG_LEVEL',
    kind: 'enum',
    values: LOG_LEVELS,
    default: 'info',
    description: 'Least severity logged.',
  },
  otel: {
    env: 'OTEL_*',
    kind: 'family',
    notBuiltYet: true,
    description: 'OpenTelemetry settings, by their standard names.',
  },
} as const satisfies ConfigTable;

export type ProxyConfig = ConfigOf<typeof PROXY_CONFIG>;

const MIN_HASH_KEY_LENGTH = 16;

/**
 * @returns the settings and one line per warning, to be logged once
 * @throws {ConfigError} in one line that names every unusable setting
 */
export function readProxyConfig(env: Environment): { config: ProxyConfig; warnings: readonly string[] } {
  const { config, warnings } = readConfig(PROXY_CONFIG, env, {
    baseDir: REPOSITORY_ROOT,
    alsoKnown: OTHER_PROGRAMS,
  });
  const problems = [...upstreamProblems(config.claudeApiBaseUrl), ...hashKeyProblems(config)];
  if (problems.length > 0) throw new ConfigError(problems);
  return { config, warnings: [...warnings, ...doubts(config)] };
}

function upstreamProblems(text: string): string[] {
  const url = new URL(text);
  // Credentials here would be a second one beside that of the domain; a query would be glued to the client's.
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return plain ? [] : ['CLAUDE_API_BASE_URL must hold only scheme, host, port and path'];
}

function hashKeyProblems(config: ProxyConfig): string[] {
  const length = config.accountHashKey?.length ?? 0;
  if (length === 0) {
    return config.passthrough === 'allow'
      ? ['ACCOUNT_HASH_KEY is not set, which PASSTHROUGH=allow needs: set it to a long random text']
      : [];
  }
  return length < MIN_HASH_KEY_LENGTH
    ? [`ACCOUNT_HASH_KEY must have at least ${MIN_HASH_KEY_LENGTH} characters`]
    : [];
}

function doubts(config: ProxyConfig): string[] {
  const result: string[] = [];
  if (config.storageEnabled && config.databaseUrl === undefined) {
    result.push('DATABASE_URL is not set: nothing is recorded; set it, or STORAGE_ENABLED=false to say so');
  }
  if (!config.enableClientAuth) {
    result.push('ENABLE_CLIENT_AUTH=false: whoever reaches this proxy uses the credentials of its domains');
  }
  return result;
}
