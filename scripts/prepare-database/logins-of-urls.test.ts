import { ConfigError } from '@claude-nexus/runtime';
import { describe, expect, it } from 'vitest';

import { loginsOfUrls } from './logins-of-urls.ts';

const OWNER = 'postgresql://postgres:marked-owner@db:5432/nexus';
const urlOf = (login: string): string => `postgresql://${login}@db:5432/nexus`;

function problem(proxy: string, dashboard?: string): string {
  try {
    loginsOfUrls({ owner: OWNER, proxy: urlOf(proxy), dashboard });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'no error';
}

describe('loginsOfUrls', () => {
  it('gives each service the rights of its own group, with the password decoded', () => {
    const logins = loginsOfUrls({
      owner: OWNER,
      proxy: urlOf('nexus_proxy:marked%2Fpassword-of-proxy'),
      dashboard: urlOf('nexus_dashboard:marked-password-of-dashboard'),
    });
    expect(logins).toEqual([
      { name: 'nexus_proxy', group: 'nexus_writer', password: 'marked/password-of-proxy', enabled: true },
      {
        name: 'nexus_dashboard',
        group: 'nexus_reader',
        password: 'marked-password-of-dashboard',
        enabled: true,
      },
    ]);
  });

  it('sets up nothing where no address is given', () => {
    expect(loginsOfUrls({ owner: OWNER, proxy: undefined, dashboard: undefined })).toEqual([]);
  });

  it.each([
    [
      'postgres:marked-password-0123',
      'PROXY_DATABASE_URL must have another login than MIGRATION_DATABASE_URL',
    ],
    ['nexus_writer:marked-password-0123', 'the name in PROXY_DATABASE_URL must be a role name'],
    ['nexus_proxy', 'the password in PROXY_DATABASE_URL must be 16 to 200 characters'],
    ['nexus_proxy:marked', 'the password in PROXY_DATABASE_URL must be 16 to 200 characters'],
    ['nexus_proxy:marked-password-%zz', 'the password in PROXY_DATABASE_URL must be 16 to 200 characters'],
  ])('refuses %s by setting and fix, without the password', (login, message) => {
    expect(problem(login)).toContain(message);
    expect(problem(login)).not.toContain('marked');
  });

  it('refuses one login for both services', () => {
    const login = 'nexus_both:marked-password-0123';
    expect(problem(login, urlOf(login))).toBe(
      'DASHBOARD_DATABASE_URL must have another login than PROXY_DATABASE_URL',
    );
  });
});
