import { resolve } from 'node:path';

import { describe, expect, it } from 'vitest';

import { ConfigError } from '../errors.ts';
import { readConfig } from './read-config.ts';
import type { ConfigTable, Setting } from './table.ts';

const description = 'What it is for.';

const TABLE = {
  port: { env: 'PORT', kind: 'port', default: '3000', description },
  databaseUrl: {
    env: 'DATABASE_URL',
    kind: 'url',
    protocols: ['postgres:', 'postgresql:'],
    secret: true,
    description,
  },
  mode: { env: 'PASSTHROUGH', kind: 'enum', values: ['allow', 'deny'], default: 'deny', description },
  hashKey: { env: 'ACCOUNT_HASH_KEY', kind: 'secret', description },
  drainMs: { env: 'DRAIN_TIMEOUT', kind: 'duration', default: '300s', description },
  telemetry: { env: 'TELEMETRY_ENDPOINT', kind: 'url', notBuiltYet: true, description },
  otel: { env: 'OTEL_*', kind: 'family', notBuiltYet: true, description },
} as const satisfies ConfigTable;

function read(setting: Setting, text: string): unknown {
  return readConfig({ value: setting }, { [setting.env]: text }, { baseDir: '/base' }).config.value;
}

function problem(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'no error';
}

describe('readConfig', () => {
  it('returns defaults for what is unset or empty', () => {
    expect(readConfig(TABLE, { PORT: '', PASSTHROUGH: '  ' })).toEqual({
      config: {
        port: 3000,
        databaseUrl: undefined,
        mode: 'deny',
        hashKey: undefined,
        drainMs: 300_000,
        telemetry: undefined,
        otel: {},
      },
      warnings: [],
    });
  });

  it('has typed values', () => {
    const { config } = readConfig(TABLE, {});
    const port: number = config.port;
    const mode: 'allow' | 'deny' = config.mode;
    const url: string | undefined = config.databaseUrl;
    expect([port, mode, url]).toEqual([3000, 'deny', undefined]);
  });

  it.each<[Setting, string, unknown]>([
    [{ env: 'A', kind: 'string', description }, ' text ', 'text'],
    [{ env: 'A', kind: 'secret', description }, 'sk-1', 'sk-1'],
    [{ env: 'A', kind: 'path', description }, 'spool', resolve('/base/spool')],
    [{ env: 'A', kind: 'path', description }, '/var/spool', resolve('/var/spool')],
    [{ env: 'A', kind: 'url', description }, 'https://api.example.com/base', 'https://api.example.com/base'],
    [{ env: 'A', kind: 'integer', description }, '12', 12],
    [{ env: 'A', kind: 'integer', min: -5, description }, '-5', -5],
    [{ env: 'A', kind: 'port', description }, '0', 0],
    [{ env: 'A', kind: 'boolean', description }, 'TRUE', true],
    [{ env: 'A', kind: 'boolean', description }, '0', false],
    [{ env: 'A', kind: 'enum', values: ['allow', 'deny'], description }, 'Allow', 'allow'],
    [{ env: 'A', kind: 'duration', description }, '5m', 300_000],
    [{ env: 'A', kind: 'duration', description }, '1.5s', 1500],
    [{ env: 'A', kind: 'duration', description }, '250ms', 250],
    [{ env: 'A', kind: 'duration', description }, '0', 0],
    [{ env: 'A', kind: 'bytes', description }, '2GiB', 2 ** 31],
    [{ env: 'A', kind: 'bytes', description }, '2Gi', 2 ** 31],
    [{ env: 'A', kind: 'bytes', description }, '64 KiB', 65_536],
    [{ env: 'A', kind: 'bytes', description }, '1GB', 1e9],
    [{ env: 'A', kind: 'bytes', description }, '1024', 1024],
  ])('reads %j from %j', (setting, text, value) => {
    expect(read(setting, text)).toBe(value);
  });

  it.each<[Setting, string, string]>([
    [
      { env: 'A', kind: 'integer', min: 1, max: 9, description },
      '10',
      'A must be a whole number from 1 to 9, not "10"',
    ],
    [{ env: 'A', kind: 'integer', description }, '1e3', 'A must be a whole number of at least 0, not "1e3"'],
    [{ env: 'A', kind: 'port', description }, '65536', 'A must be a port from 0 to 65535, not "65536"'],
    [{ env: 'A', kind: 'boolean', description }, 'maybe', 'A must be true or false, not "maybe"'],
    [{ env: 'A', kind: 'enum', values: ['a', 'b'], description }, 'c', 'A must be one of a, b, not "c"'],
    [
      { env: 'A', kind: 'duration', description },
      '300',
      'A must be a duration with its unit, such as 300s or 5m, not "300"',
    ],
    [
      { env: 'A', kind: 'bytes', description },
      '2 GX',
      'A must be a size, such as 512MiB or 2GiB, not "2 GX"',
    ],
    [
      { env: 'A', kind: 'bytes', min: 10, description },
      '9',
      'A must be a size, such as 512MiB or 2GiB (at least 10B), not "9"',
    ],
    [
      { env: 'A', kind: 'url', description },
      'api.example.com',
      'A must be a URL that starts with http:// or https://, not "api.example.com"',
    ],
    [
      { env: 'A', kind: 'url', secret: true, description },
      'hunter2',
      'A must be a URL that starts with http:// or https://',
    ],
    [{ env: 'A', kind: 'string', required: true, description }, '', 'A is not set: What it is for.'],
  ])('refuses %j from %j', (setting, text, message) => {
    expect(problem(() => read(setting, text))).toBe(message);
  });

  it('names every problem in one line', () => {
    const message = problem(() => readConfig(TABLE, { PORT: 'x', DRAIN_TIMEOUT: 'y' }));
    expect(message).toMatch(/^PORT must be .*; DRAIN_TIMEOUT must be .*$/);
  });

  it.each([
    ['DATABSE_URL', 'DATABASE_URL'],
    ['database_url', 'DATABASE_URL'],
    ['DATABASE-URL', 'DATABASE_URL'],
    ['DRAIN_TIMEOUTS', 'DRAIN_TIMEOUT'],
    ['PASSTHRUOGH', 'PASSTHROUGH'],
  ])('warns about %s as a near miss of %s, without its value', (present, declared) => {
    expect(readConfig(TABLE, { [present]: 'hidden' }).warnings).toEqual([
      `${present} is not a setting and was ignored; did you mean ${declared}?`,
    ]);
  });

  it.each(['SORT', 'POST', 'PATH', 'HOSTNAME', 'MIGRATION_DATABASE_URL', 'TERM'])(
    'stays silent about %s',
    (name) => {
      expect(readConfig(TABLE, { [name]: 'x' }).warnings).toEqual([]);
    },
  );

  it('stays silent about the names of other programs of ours', () => {
    expect(readConfig(TABLE, { DATABASE_URI: 'x' }, { alsoKnown: ['DATABASE_URI'] }).warnings).toEqual([]);
  });

  it('reports settings without effect, but still validates them', () => {
    const env = { TELEMETRY_ENDPOINT: 'https://t.example.com', OTEL_SERVICE_NAME: 'x', OTEL_EMPTY: '' };
    expect(readConfig(TABLE, env).warnings).toEqual([
      'TELEMETRY_ENDPOINT is accepted but has no effect yet',
      'OTEL_SERVICE_NAME is accepted but has no effect yet',
    ]);
    expect(problem(() => readConfig(TABLE, { TELEMETRY_ENDPOINT: 'nowhere' }))).toContain(
      'TELEMETRY_ENDPOINT',
    );
  });

  it('stays silent about a setting without effect that is set to its default', () => {
    const oauth: Setting = { env: 'A', kind: 'boolean', default: 'false', notBuiltYet: true, description };
    expect(readConfig({ oauth }, { A: 'false' }).warnings).toEqual([]);
    expect(readConfig({ oauth }, { A: 'true' }).warnings).toHaveLength(1);
  });

  it.each(['htp://user:hidden@host', 'user:hidden@host', 'host?key=hidden'])(
    'does not show %s where a URL is expected: it may hold a credential',
    (text) => {
      const url: Setting = { env: 'A', kind: 'url', description };
      expect(() => readConfig({ url }, { A: text })).toThrow(/^A must be a URL that starts with [^,]+$/);
    },
  );

  it('never shows a secret, whatever is wrong', () => {
    const message = problem(() => readConfig(TABLE, { DATABASE_URL: 'marked-secret', PORT: 'x' }));
    expect(message).toContain('DATABASE_URL must be');
    expect(message).not.toContain('marked-secret');
  });
});
