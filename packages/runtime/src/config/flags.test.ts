import { describe, expect, it } from 'vitest';

import { describeConfig, renderEnvExample } from './describe-config.ts';
import { readFlags } from './flags.ts';
import type { ConfigTable } from './table.ts';

const TABLE = {
  port: {
    env: 'PROXY_PORT',
    flag: '--proxy-port',
    kind: 'port',
    default: '3000',
    description: 'Port of the proxy.',
  },
  demo: {
    env: 'DEMO',
    flag: '--demo',
    kind: 'boolean',
    default: 'false',
    description: 'Fill with examples.',
  },
  level: {
    env: 'LOG_LEVEL',
    kind: 'enum',
    values: ['info', 'warn'],
    description: 'How much to log.',
    notBuiltYet: true,
  },
} as const satisfies ConfigTable;

describe('readFlags', () => {
  it.each([
    [[], { overrides: {}, help: false }],
    [['--proxy-port', '4000'], { overrides: { PROXY_PORT: '4000' }, help: false }],
    [['--proxy-port=4000', '--demo'], { overrides: { PROXY_PORT: '4000', DEMO: 'true' }, help: false }],
    [['--demo=false', '-h'], { overrides: { DEMO: 'false' }, help: true }],
  ])('reads %j', (argv, expected) => {
    expect(readFlags(TABLE, argv)).toEqual(expected);
  });

  it.each([
    [['--proxy-prot', '1'], 'unknown flag --proxy-prot; did you mean --proxy-port?'],
    [['--verbose'], 'unknown flag --verbose; see --help'],
    [['--proxy-port'], '--proxy-port needs a value: --proxy-port=VALUE'],
    [['--proxy-port', '--demo'], '--proxy-port needs a value: --proxy-port=VALUE'],
    [['sk-ant-marked-secret'], 'unexpected argument; see --help'],
  ])('refuses %j with one line', (argv, message) => {
    expect(() => readFlags(TABLE, argv)).toThrow(message);
  });

  it('points a program without flags to its environment', () => {
    expect(() => readFlags({}, ['--port'])).toThrow(
      'unknown flag --port; settings are environment variables, see --help',
    );
  });
});

describe('describeConfig', () => {
  it('lists each setting with flag, kind, default and description', () => {
    expect(describeConfig(TABLE)).toBe(
      [
        '  PROXY_PORT (--proxy-port)  port  [3000]\n      Port of the proxy.',
        '  DEMO (--demo)  boolean  [false]\n      Fill with examples.',
        '  LOG_LEVEL  info|warn  [unset]\n      How much to log. Accepted, without effect yet.',
      ].join('\n'),
    );
  });
});

describe('renderEnvExample', () => {
  it('comments everything out', () => {
    const lines = renderEnvExample(TABLE).split('\n');
    expect(lines.every((line) => line === '' || line.startsWith('# '))).toBe(true);
    expect(lines).toContain('# PROXY_PORT=3000');
  });
});
