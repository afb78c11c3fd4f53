import { describe, expect, it } from 'vitest';

import { readStartSettings } from './settings.ts';

const read = (argv: string[], env: Record<string, string> = {}) => readStartSettings(argv, env, '/clone');

describe('readStartSettings', () => {
  it('serves on 3000 and 3001 and keeps its data in the clone when nothing is asked for', () => {
    expect(read([]).settings).toMatchObject({
      proxyPort: 3000,
      dashboardPort: 3001,
      dataDir: '/clone/.data',
      upstream: 'https://api.anthropic.com',
      passthrough: 'allow',
      databaseUrl: undefined,
    });
  });

  it('takes flags over the environment', () => {
    const { settings } = read(
      ['--proxy-port', '4000', '--data-dir=/tmp/x', '--upstream=http://127.0.0.1:9'],
      {
        PROXY_PORT: '5000',
        DASHBOARD_PORT: '5001',
      },
    );
    expect(settings).toMatchObject({
      proxyPort: 4000,
      dashboardPort: 5001,
      dataDir: '/tmp/x',
      upstream: 'http://127.0.0.1:9',
    });
  });

  it.each([
    [['--proxy-prot', '1'], 'unknown flag --proxy-prot; did you mean --proxy-port?'],
    [['--proxy-port'], '--proxy-port needs a value: --proxy-port=VALUE'],
    [['--proxy-port', 'x'], /^PROXY_PORT must be /],
    [['sk-secret'], /^unexpected argument/],
  ])('refuses %j in one line', (argv, message) => {
    expect(() => read(argv)).toThrow(message);
  });

  it('says in one line that --demo is not available yet', () => {
    expect(read(['--demo']).warnings).toEqual(['--demo is not available yet']);
  });

  it('describes every flag on --help', () => {
    const { help } = read(['--help']);
    for (const flag of ['--proxy-port', '--dashboard-port', '--data-dir', '--upstream', '--demo']) {
      expect(help).toContain(flag);
    }
  });
});
