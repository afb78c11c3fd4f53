import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { startEmbedded } from '@claude-nexus/database/embedded';
import { withClient } from '@claude-nexus/database/testing';
import type { EmbeddedServer } from '@claude-nexus/database/embedded';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { Program, ROOT } from '../fixtures/program.ts';
import { Gateway, oneDomain } from './gateway.ts';
import { LoginWatch } from './login-watch.ts';
import { OperatorUnderTest } from './operator-under-test.ts';
import { setUp } from './set-up.ts';
import type { Database } from './login-watch.ts';

const ROTATE = 'claudenexus.dev/rotate-logins';

/** A PostgreSQL as its official image sets it up, reached under another address than the cluster's. */
class RealDatabase implements Database {
  readonly #server: EmbeddedServer;
  readonly #folder: string;
  /** Output of the programs of the Jobs. */
  readonly outputs: string[] = [];

  private constructor(server: EmbeddedServer, folder: string) {
    this.#server = server;
    this.#folder = folder;
  }

  static async start(): Promise<RealDatabase> {
    const folder = await mkdtemp(path.join(tmpdir(), 'nexus-operator-database-'));
    return new RealDatabase(await startEmbedded({ dataDir: folder }), folder);
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Gives the superuser the password that the image gives it at its first start. */
  async initialise(ownerUrl: string): Promise<void> {
    const { username, password } = new URL(ownerUrl);
    await withClient(this.#server.url, async (client) => {
      const text = client.escapeLiteral(decodeURIComponent(password));
      await client.query(`alter role ${client.escapeIdentifier(username)} password ${text}`);
    });
  }

  /** Runs what the Job's container runs. */
  readonly runJob = async (loginsFile: string, ownerUrl: string): Promise<void> => {
    const file = path.join(this.#folder, 'logins.json');
    await writeFile(file, loginsFile, { mode: 0o600 });
    const program = new Program([path.join(ROOT, 'scripts/prepare-database.ts')], {
      MIGRATION_DATABASE_URL: this.#here(ownerUrl),
      LOGINS_FILE: file,
    });
    const code = await program.ended();
    this.outputs.push(program.output);
    if (code !== 0) throw new Error(`the database Job ended with ${code}: ${program.output}`);
  };

  readonly logIn = async (url: string): Promise<boolean> => {
    try {
      await withClient(this.#here(url), (client) => client.query('select 1'));
      return true;
    } catch {
      return false;
    }
  };

  /** Becomes a role as a login. @throws Error of the server when it may not */
  async become(url: string, role: string): Promise<void> {
    await withClient(this.#here(url), (client) => client.query(`set role ${role}`));
  }

  #here(url: string): string {
    const { port, pathname } = new URL(this.#server.url);
    const there = new URL(url);
    [there.hostname, there.port, there.pathname] = ['127.0.0.1', port, pathname];
    return there.href;
  }
}

describe('the database of a gateway', () => {
  let operator: OperatorUnderTest | undefined;
  let database: RealDatabase;
  const lab = setUp();
  beforeAll(async () => {
    database = await RealDatabase.start();
  });
  afterAll(async () => {
    await operator?.stop();
    await database.stop();
  });

  test(
    'is set up by the Job, and its logins are rotated while pods use them',
    { timeout: 300_000 },
    async () => {
      operator = await OperatorUnderTest.start(lab.cluster);
      const release = lab.kubelet.hold({ 'app.kubernetes.io/component': 'database' });
      const gateway = new Gateway(lab.cluster.api(), await lab.namespace());
      await gateway.secret('anthropic', { 'api-key': 'sk-ant-api03-not-a-real-key-0123456789' });
      await gateway.create(oneDomain());
      await gateway.untilReason('Migrated', 'JobRunning');
      const ownerUrl = (await gateway.texts('gateway-database'))['ownerUrl'] ?? '';
      await database.initialise(ownerUrl);
      const watch = new LoginWatch(gateway, lab.kubelet, database);
      onTestFinished(() => watch.stop());
      release();
      await gateway.untilReady();

      const before = await gateway.texts('gateway-database');
      const [proxyUrl = '', dashboardUrl = ''] = [before['proxyUrlA'], before['dashboardUrlA']];
      await database.become(proxyUrl, 'nexus_writer');
      await database.become(dashboardUrl, 'nexus_reader');
      await expect(database.become(dashboardUrl, 'nexus_writer')).rejects.toThrow(/permission/);
      await expect(database.become(proxyUrl, 'nexus_owner')).rejects.toThrow(/permission/);

      await gateway.annotate({ [ROTATE]: 'first' });
      await gateway.untilAt(gateway.path, 'status.rotations.logins', (value) => value === 'first');
      await gateway.untilReady();
      const after = await gateway.texts('gateway-database');
      expect(await database.logIn(after['proxyUrlB'] ?? '')).toBe(true);
      expect(await database.logIn(after['dashboardUrlB'] ?? '')).toBe(true);
      expect(await database.logIn(proxyUrl)).toBe(false);
      expect(await database.logIn(dashboardUrl)).toBe(false);

      await gateway.annotate({ [ROTATE]: 'second' });
      await gateway.untilAt(gateway.path, 'status.rotations.logins', (value) => value === 'second');
      await gateway.untilReady();
      const last = await gateway.texts('gateway-database');
      expect(await database.logIn(last['proxyUrlA'] ?? '')).toBe(true);
      expect(last['proxyUrlA']).not.toBe(proxyUrl);
      expect(await database.logIn(after['proxyUrlB'] ?? '')).toBe(false);

      await watch.stop();
      expect(watch.violations).toEqual([]);
      // Set up, one more login, one less; the same again.
      expect(database.outputs).toHaveLength(5);
      for (const password of passwordsIn([before, after, last])) {
        expect(database.outputs.join('')).not.toContain(password);
        expect(operator.output).not.toContain(password);
      }
    },
  );
});

function passwordsIn(secrets: readonly Readonly<Record<string, string>>[]): string[] {
  return secrets
    .flatMap((texts) => Object.entries(texts))
    .filter(([key]) => key.includes('Url'))
    .map(([, url]) => decodeURIComponent(new URL(url).password));
}
