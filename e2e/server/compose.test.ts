import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { withClient } from '@claude-nexus/database/testing';

import { prompt, sessionClient } from '../fixtures/client.ts';
import { DashboardClient } from '../fixtures/dashboard-client.ts';
import { freePort, Program, ROOT } from '../fixtures/program.ts';
import { startUpstream } from '../fixtures/upstream/server.ts';
import type { Upstream } from '../fixtures/upstream/server.ts';
import { composeText, composeVariables, readCompose, seconds } from './compose-file.ts';
import type { ComposeFile, ComposeService } from './compose-file.ts';
import { startEmptyDatabase } from './database.ts';
import type { EmptyDatabase } from './database.ts';
import { loginRights } from './login-rights.ts';

const PASSWORDS = {
  PROXY_DATABASE_PASSWORD: 'marked-password-of-the-proxy',
  DASHBOARD_DATABASE_PASSWORD: 'marked-password-of-the-dashboard',
  DASHBOARD_API_KEY: 'marked-key-of-the-dashboard-0123',
};
const CLIENT_KEY = 'cnp-a-client-key-for-tests';
const OUR_SERVICES = ['migrate', 'proxy', 'dashboard'];

/** `.env` as a person makes it: a copy of `.env.example` with some lines changed. */
async function envFile(
  changes: Readonly<Record<string, string>>,
): Promise<Record<string, string | undefined>> {
  let text = await readFile(path.join(ROOT, '.env.example'), 'utf8');
  for (const [name, value] of Object.entries(changes)) {
    const line = new RegExp(`^# ${name}=.*$`, 'm');
    expect(text).toMatch(line);
    text = text.replace(line, () => `${name}=${value}`);
  }
  return parseEnv(text);
}

const required = { POSTGRES_PASSWORD: 'marked-password-of-the-owner', ...PASSWORDS };

function serviceOf(file: ComposeFile, name: string): ComposeService {
  const service = file.services[name];
  if (service === undefined) throw new Error(`compose.yaml has no service ${name}`);
  return service;
}

describe('compose.yaml', () => {
  it('holds no secret, and asks by name for each one it needs', async () => {
    const needed = (await composeVariables()).filter((variable) => variable.required);
    expect(needed.map(({ name }) => name).toSorted()).toEqual(Object.keys(required).toSorted());
    for (const { name } of needed) {
      const env = await envFile({ ...required, [name]: '' });
      await expect(readCompose(env)).rejects.toThrow(
        `required variable ${name} is missing a value: set it in .env`,
      );
    }
    const text = await composeText();
    for (const [, value] of text.matchAll(/(?:PASSWORD|KEY): (.*)$/gm))
      expect(value).toMatch(/^\$\{\w+:[?-]/);
    for (const [, login] of text.matchAll(/\/\/(\S+)@/g)) expect(login).toMatch(/^\w+:\$\{\w+:\?/);
  });

  it('has every variable in .env.example, with the same default', async () => {
    const example = await readFile(path.join(ROOT, '.env.example'), 'utf8');
    for (const { name, fallback = '' } of await composeVariables()) {
      const documented = new RegExp(`^# ${name}=(.*)$`, 'm').exec(example)?.[1];
      expect([name, [fallback, '']]).toEqual([name, expect.arrayContaining([documented])]);
    }
  });

  it('gives containers nothing they do not need', async () => {
    const file = await readCompose(await envFile(required));
    for (const [name, service] of Object.entries(file.services)) {
      const seen = { name, cap_drop: service.cap_drop, security_opt: service.security_opt };
      expect(seen).toEqual({ name, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
      for (const port of service.ports ?? [])
        expect([name, port]).toEqual([name, expect.stringMatching(/^127\.0\.0\.1:/)]);
    }
    for (const name of [...OUR_SERVICES, 'postgres']) {
      const { read_only, tmpfs = [], user = 'root' } = serviceOf(file, name);
      expect([name, read_only, tmpfs[0]]).toEqual([name, true, '/tmp']);
      expect(user).toMatch(/^(?:postgres|[1-9]\d*:[1-9]\d*)$/);
    }
    // Root only to give a folder away: it reaches nothing else.
    expect(serviceOf(file, 'spool')).toMatchObject({
      read_only: true,
      cap_add: ['CHOWN', 'DAC_READ_SEARCH'],
      network_mode: 'none',
      volumes: ['proxy-spool:/var/spool/nexus'],
      command: ['chown', '-R', serviceOf(file, 'proxy').user, '/var/spool/nexus'],
    });
    expect(file.networks['database']).toEqual({ internal: true });
    expect(serviceOf(file, 'postgres').networks).toEqual(['database']);
    expect(serviceOf(file, 'postgres').ports).toBeUndefined();
    expect(serviceOf(file, 'pgadmin').profiles).toEqual(['pgadmin']);
  });

  it('starts the services after the migration, restarts them, and waits for their streams', async () => {
    const file = await readCompose(await envFile(required));
    expect(serviceOf(file, 'migrate').depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
    expect(serviceOf(file, 'migrate').restart).toBe('no');
    for (const name of ['proxy', 'dashboard']) {
      const service = serviceOf(file, name);
      expect(service.depends_on).toMatchObject({ migrate: { condition: 'service_completed_successfully' } });
      expect(service.build?.target).toBe(name);
    }
    for (const name of ['proxy', 'dashboard', 'postgres'])
      expect(serviceOf(file, name).restart).toBe('unless-stopped');
    expect(serviceOf(file, 'proxy').depends_on).toHaveProperty(
      'spool.condition',
      'service_completed_successfully',
    );
    const { environment = {}, stop_grace_period: grace = '10s' } = serviceOf(file, 'proxy');
    expect(seconds(grace)).toBeGreaterThanOrEqual(seconds(environment['DRAIN_TIMEOUT'] ?? '') + 30);
    for (const name of [...OUR_SERVICES, 'spool']) expect(serviceOf(file, name).pull_policy).toBe('never');
    const version = (
      JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as { version: string }
    ).version;
    expect(OUR_SERVICES.map((name) => serviceOf(file, name).image)).toEqual([
      `claude-nexus/proxy:${version}`,
      `claude-nexus/proxy:${version}`,
      `claude-nexus/dashboard:${version}`,
    ]);
  });

  it('keeps data and spool in volumes that the file declares', async () => {
    const file = await readCompose(await envFile(required));
    const named = Object.values(file.services)
      .flatMap(({ volumes = [] }) => volumes)
      .map((volume) => volume.replace(/:.*/, ''))
      .filter((source) => !source.startsWith('./'));
    expect([...new Set(named)].toSorted()).toEqual(Object.keys(file.volumes).toSorted());
    expect(serviceOf(file, 'proxy').volumes).toContain('proxy-spool:/var/spool/nexus');
  });
});

describe('the commands of compose.yaml, run as local processes', () => {
  let upstream: Upstream;
  let database: EmptyDatabase;
  let folder: string;
  let file: ComposeFile;
  let proxy: Program;
  let ports: { proxy: string; dashboard: string };

  /** What differs outside of containers: names of machines, paths, ports. */
  function localEnv(name: string): Record<string, string> {
    const moves: readonly (readonly [string, string])[] = [
      ['@postgres:5432/', `@${database.address}/`],
      ['http://proxy:3000', `http://127.0.0.1:${ports.proxy}`],
      ['/var/spool/nexus', path.join(folder, 'spool')],
      ['/etc/nexus/credentials', path.join(folder, 'credentials')],
    ];
    const env = Object.entries(serviceOf(file, name).environment ?? {}).map(
      ([variable, value]): [string, string] => [
        variable,
        moves.reduce((text, [from, to]) => text.replace(from, to), value),
      ],
    );
    const port = name === 'dashboard' ? ports.dashboard : ports.proxy;
    const changed = name === 'migrate' ? {} : { HOST: '127.0.0.1', PORT: port, METRICS_PORT: '0' };
    return { ...Object.fromEntries(env), ...changed };
  }

  function run(name: string): Program {
    const [node, ...args] = serviceOf(file, name).command ?? [];
    expect(node).toBe('node');
    return new Program(args, localEnv(name));
  }

  async function migrated(): Promise<void> {
    const program = run('migrate');
    const ended = await program.ended();
    expect([ended, program.output]).toEqual([0, expect.stringContaining('login nexus_dashboard is set up')]);
    expect(program.output).not.toContain('marked');
  }

  /** @returns the exit code of the service's health check */
  async function health(name: string, port: string): Promise<unknown> {
    const [, node = '', ...args] = serviceOf(file, name).healthcheck?.test ?? [];
    expect(node).toBe('node');
    const here = args.map((text) => text.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`));
    const [code] = (await once(spawn(process.execPath, here), 'exit')) as [number];
    return code;
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'nexus-compose-'));
    upstream = await startUpstream();
    database = await startEmptyDatabase();
    ports = { proxy: String(await freePort()), dashboard: String(await freePort()) };
    await mkdir(path.join(folder, 'credentials'));
    const credential = {
      type: 'api_key',
      accountId: 'team',
      api_key: 'sk-ant-of-the-server',
      client_api_key: CLIENT_KEY,
    };
    const name = path.join(folder, 'credentials', '127.0.0.1.credentials.json');
    await writeFile(name, JSON.stringify(credential), { mode: 0o600 });
    const env = { ...required, POSTGRES_PASSWORD: database.password, CLAUDE_API_BASE_URL: upstream.url };
    file = await readCompose(await envFile(env));
    await migrated();
    proxy = run('proxy');
    started.push(proxy, run('dashboard'));
    await proxy.ready(`http://127.0.0.1:${ports.proxy}/health/ready`);
    await started[1]?.ready(`http://127.0.0.1:${ports.dashboard}/health/ready`);
  });
  const started: Program[] = [];
  afterAll(async () => {
    await Promise.all(started.map(async (program) => program.stop()));
    await Promise.all([upstream.close(), database.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  it("serves a client with the server's credential, and shows what it recorded", async () => {
    const { sdk, session } = sessionClient(`http://127.0.0.1:${ports.proxy}`, { apiKey: CLIENT_KEY });
    await sdk.messages.create(prompt('hi'));
    expect(upstream.requests.at(-1)?.header('x-api-key')).toBe('sk-ant-of-the-server');
    const dashboard = new DashboardClient(`http://127.0.0.1:${ports.dashboard}`, PASSWORDS.DASHBOARD_API_KEY);
    const [row] = await dashboard.settledRows(session, 1);
    expect(row).toMatchObject({ accountId: 'team', outcome: 'completed', status: 200 });
    const stored = await dashboard.body(row?.id ?? '', 'request-body');
    expect(stored.bytes).toEqual(upstream.requests.at(-1)?.body);
    expect(await (await dashboard.fetch('/api/proxy')).json()).toMatchObject({ status: 'up' });
    const logs = started.map(({ output }) => output).join('');
    expect(logs).not.toMatch(/marked|sk-ant-of/);
    // Nothing that compose.yaml sets is unknown to the programs, or misspelt.
    expect(logs).not.toMatch(/"level":"(?:warn|error|fatal)"/);
  });

  it('lets the proxy read no content and the dashboard change nothing', async () => {
    const writer = await loginRights(localEnv('proxy')['DATABASE_URL'] ?? '');
    expect(writer.tables).toContain('nexus.frame');
    expect({ reads: writer.reads, changes: writer.changes }).toEqual({ reads: [], changes: [] });
    expect(writer.executes).toContain('commit_exchanges');
    const reader = await loginRights(localEnv('dashboard')['DATABASE_URL'] ?? '');
    expect(reader).toMatchObject({ reads: reader.tables, changes: [], executes: [] });
  });

  it('takes a changed password over without touching what runs', async () => {
    const env = {
      ...required,
      POSTGRES_PASSWORD: database.password,
      PROXY_DATABASE_PASSWORD: 'marked-changed-password',
    };
    file = await readCompose(await envFile(env));
    await migrated();
    const user = await withClient(localEnv('proxy')['DATABASE_URL'] ?? '', (client) =>
      client.query('select current_user'),
    );
    expect(user.rows).toEqual([{ current_user: 'nexus_proxy' }]);
    expect(await health('proxy', ports.proxy)).toBe(0);
    expect(await health('dashboard', ports.dashboard)).toBe(0);
  });

  it('reports a proxy that has ended as unhealthy', async () => {
    expect(await proxy.stop()).toBe(0);
    expect(await health('proxy', ports.proxy)).toBe(1);
  });
});
