import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { migrate, waitForDatabase } from '@claude-nexus/database';
import { ConfigError, NexusError, readConfig, redactText, runProgram } from '@claude-nexus/runtime';
import type { ConfigTable } from '@claude-nexus/runtime';

import { applyLogins } from './prepare-database/apply-logins.ts';
import { LoginsFileError, PrepareDatabaseError } from './prepare-database/errors.ts';
import { parseLogins } from './prepare-database/logins-file.ts';
import type { WantedLogin } from './prepare-database/logins-file.ts';
import { loginsOfUrls } from './prepare-database/logins-of-urls.ts';

/*
 * What prepares a database for the services, in the operator's Job, in Compose and before PM2: waits for it, migrates it, sets
 * the services' logins up. Every step may be repeated. Ends with 0 when all is as wanted, else with 1 and one line.
 */

const PREPARE_TABLE = {
  migrationDatabaseUrl: {
    env: 'MIGRATION_DATABASE_URL',
    kind: 'url',
    protocols: ['postgres:', 'postgresql:'],
    secret: true,
    required: true,
    description: 'Login that may change the schema, and create and end logins.',
  },
  loginsFile: {
    env: 'LOGINS_FILE',
    kind: 'path',
    description: 'JSON array of {name, group, password, enabled}: the logins to set up. Unset: none.',
  },
  proxyDatabaseUrl: {
    env: 'PROXY_DATABASE_URL',
    kind: 'url',
    protocols: ['postgres:', 'postgresql:'],
    secret: true,
    description: 'DATABASE_URL of the proxy, whose login is set up. Unset: none.',
  },
  dashboardDatabaseUrl: {
    env: 'DASHBOARD_DATABASE_URL',
    kind: 'url',
    protocols: ['postgres:', 'postgresql:'],
    secret: true,
    description: 'DATABASE_URL of the dashboard, whose login is set up. Unset: none.',
  },
  databaseWaitMs: {
    env: 'DATABASE_WAIT',
    kind: 'duration',
    default: '120s',
    description: 'How long to wait for a database that cannot be reached yet.',
  },
} as const satisfies ConfigTable;

function log(line: string): void {
  console.log(redactText(line));
}

async function main(): Promise<void> {
  if (process.argv.length > 2) throw new ConfigError(['prepare-database takes no arguments']);
  const { config, warnings } = readConfig(PREPARE_TABLE, process.env);
  for (const line of warnings) console.error(line);
  const url = config.migrationDatabaseUrl;
  // Read first: logins that cannot be used are better known before the schema changes.
  const fromFile = config.loginsFile === undefined ? [] : await readLogins(config.loginsFile);
  const logins = [
    ...fromFile,
    ...loginsOfUrls({
      owner: url,
      proxy: config.proxyDatabaseUrl,
      dashboard: config.dashboardDatabaseUrl,
    }),
  ];
  try {
    await waitForDatabase({
      url,
      waitMs: config.databaseWaitMs,
      log,
      now: () => performance.now(),
      sleep: (ms) => delay(ms),
    });
    await migrate({ url, log });
    await applyLogins(url, logins, log);
  } catch (error) {
    throw explained(error, logins);
  }
}

async function readLogins(file: string): Promise<readonly WantedLogin[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new LoginsFileError(`cannot be read (${error.code ?? 'unknown'}): name a file this user may read`);
  });
  return parseLogins(text);
}

/** What the server says is for people, but it might repeat what it was sent. */
function explained(error: unknown, logins: readonly WantedLogin[]): unknown {
  const isAnswer = error instanceof Error && 'code' in error && !(error instanceof NexusError);
  if (!isAnswer) return error;
  const message = logins.reduce(
    (text, { password }) => text.replaceAll(password, '[redacted]'),
    error.message,
  );
  const text = message === '' ? String(error.code) : message;
  const isRefusedLogin = /^(28|3D)/.test(String(error.code));
  return new PrepareDatabaseError(
    isRefusedLogin
      ? `the database refuses MIGRATION_DATABASE_URL: ${text}; correct its login or database`
      : text,
  );
}

await runProgram('prepare-database', main);
