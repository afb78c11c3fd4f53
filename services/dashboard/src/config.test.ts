import { describe, expect, it } from 'vitest';
import { readDashboardConfig } from './config.ts';

const ENV = { DASHBOARD_API_KEY: 'a-key-that-is-long-enough', DATABASE_URL: 'postgres://u:p@db/nexus' };

describe('readDashboardConfig', () => {
  it('has defaults for everything but the key and the database', () => {
    const { config, warnings } = readDashboardConfig(ENV);
    expect(config).toMatchObject({
      port: 3001,
      host: '0.0.0.0',
      metricsPort: 9091,
      basePath: '/',
      logLevel: 'info',
    });
    expect(warnings).toEqual([]);
  });

  it.each([
    [{ ...ENV, DASHBOARD_API_KEY: undefined }, /DASHBOARD_API_KEY is not set/],
    [{ ...ENV, DASHBOARD_API_KEY: '  ' }, /DASHBOARD_API_KEY is not set/],
    [{ ...ENV, DATABASE_URL: 'mysql://secret' }, /^DATABASE_URL must be .*postgres:\/\/(?!.*secret)/],
    [{ ...ENV, BASE_PATH: '/a"b' }, /BASE_PATH must be/],
    [{ ...ENV, BASE_PATH: '/a/../b' }, /BASE_PATH must be/],
  ])('refuses %j', (env, message) => {
    expect(() => readDashboardConfig(env)).toThrow(message);
  });

  it.each([
    ['/', '/'],
    ['nexus', '/nexus/'],
    ['/a/b.c/', '/a/b.c/'],
    ['//evil.example', '/evil.example/'],
  ])('turns the base path %s into %s', (given, expected) => {
    expect(readDashboardConfig({ ...ENV, BASE_PATH: given }).config.basePath).toBe(expected);
  });

  it('warns about a key that can be guessed', () => {
    expect(readDashboardConfig({ ...ENV, DASHBOARD_API_KEY: 'short' }).warnings.join()).toMatch(
      /choose a longer one/,
    );
  });

  it('keeps credentials out of the address it shows', () => {
    const { config } = readDashboardConfig({ ...ENV, PROXY_API_URL: 'https://u:p@proxy.example/x' });
    expect(config.proxyUrl).toBe('https://proxy.example/x');
  });
});
