import { migrate } from '@claude-nexus/database';
import { ConfigError, readConfig, redactText, runProgram } from '@claude-nexus/runtime';
import type { ConfigTable } from '@claude-nexus/runtime';

const POSTGRES = ['postgres:', 'postgresql:'];

const MIGRATE_TABLE = {
  migrationDatabaseUrl: {
    env: 'MIGRATION_DATABASE_URL',
    kind: 'url',
    protocols: POSTGRES,
    secret: true,
    description: 'Login that may change the schema.',
  },
  databaseUrl: {
    env: 'DATABASE_URL',
    kind: 'url',
    protocols: POSTGRES,
    secret: true,
    description: 'Used when MIGRATION_DATABASE_URL is unset.',
  },
} as const satisfies ConfigTable;

/** Brings the schema of the configured database up to date. */
async function main(): Promise<void> {
  if (process.argv.length > 2) throw new ConfigError(['npm run db:migrate takes no arguments']);
  const { config, warnings } = readConfig(MIGRATE_TABLE, process.env);
  for (const line of warnings) console.error(line);
  const url = config.migrationDatabaseUrl ?? config.databaseUrl;
  if (url === undefined) throw new ConfigError(['set MIGRATION_DATABASE_URL or DATABASE_URL']);
  await migrate({ url, log: (line) => console.log(redactText(line)) });
}

await runProgram('db:migrate', main);
