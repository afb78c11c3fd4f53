import { describeConfig, readConfig, readFlags } from '@claude-nexus/runtime';
import type { ConfigOf, ConfigTable, Environment } from '@claude-nexus/runtime';

/** Everything `npm start` reads; the services get the rest of the environment unchanged. */
const START_TABLE = {
  proxyPort: {
    env: 'PROXY_PORT',
    flag: '--proxy-port',
    kind: 'port',
    default: '3000',
    description: 'Port of the proxy on 127.0.0.1.',
  },
  dashboardPort: {
    env: 'DASHBOARD_PORT',
    flag: '--dashboard-port',
    kind: 'port',
    default: '3001',
    description: 'Port of the dashboard on 127.0.0.1.',
  },
  dataDir: {
    env: 'DATA_DIR',
    flag: '--data-dir',
    kind: 'path',
    default: '.data',
    description: 'Where the database, the spool, the keys and the logs are kept.',
  },
  upstream: {
    env: 'CLAUDE_API_BASE_URL',
    flag: '--upstream',
    kind: 'url',
    default: 'https://api.anthropic.com',
    description: 'Messages API that requests are forwarded to.',
  },
  databaseUrl: {
    env: 'DATABASE_URL',
    kind: 'url',
    protocols: ['postgres:', 'postgresql:'],
    secret: true,
    description: 'PostgreSQL to use instead of the embedded one.',
  },
  migrationDatabaseUrl: {
    env: 'MIGRATION_DATABASE_URL',
    kind: 'url',
    protocols: ['postgres:', 'postgresql:'],
    secret: true,
    description: 'Login that may change the schema; DATABASE_URL when unset.',
  },
  dashboardKey: {
    env: 'DASHBOARD_API_KEY',
    kind: 'secret',
    description: 'Login key of the dashboard; generated and kept in the data directory when unset.',
  },
  accountHashKey: {
    env: 'ACCOUNT_HASH_KEY',
    kind: 'secret',
    description:
      'Key of the hashes that stand for accounts; generated and kept in the data directory when unset.',
  },
  passthrough: {
    env: 'PASSTHROUGH',
    kind: 'enum',
    values: ['allow', 'deny'],
    default: 'allow',
    description: "Forward a client's own credential where no credential file serves the domain.",
  },
  drainTimeout: {
    env: 'DRAIN_TIMEOUT',
    kind: 'duration',
    default: '300s',
    description: 'How long open streams may take to end after Ctrl-C.',
  },
  demo: {
    env: 'DEMO',
    flag: '--demo',
    kind: 'boolean',
    default: 'false',
    notBuiltYet: true,
    description: 'Show the dashboard with example traffic.',
  },
} as const satisfies ConfigTable;

/** The settings of `npm start`. */
export type StartSettings = ConfigOf<typeof START_TABLE>;

/** What the command line and the environment ask for. */
export interface StartRequest {
  readonly settings: StartSettings;
  readonly warnings: readonly string[];
  /** The text of `--help` when it was asked for. */
  readonly help: string | undefined;
}

/**
 * Reads the flags, then the environment.
 *
 * @param baseDir folder that relative paths are resolved against
 * @throws ConfigError one line that names every unknown flag and unusable value
 */
export function readStartSettings(argv: readonly string[], env: Environment, baseDir: string): StartRequest {
  const flags = readFlags(START_TABLE, argv);
  const { config, warnings } = readConfig(START_TABLE, { ...env, ...flags.overrides }, { baseDir });
  const help = `npm start -- [flags]\n\n${describeConfig(START_TABLE)}\n`;
  return {
    settings: config,
    warnings: warnings.map((line) => (line.startsWith('DEMO ') ? '--demo is not available yet' : line)),
    help: flags.help ? help : undefined,
  };
}
