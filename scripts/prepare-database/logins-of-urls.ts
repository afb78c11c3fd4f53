import { ConfigError } from '@claude-nexus/runtime';

import { LOGIN_RULES } from './logins-file.ts';
import type { WantedLogin } from './logins-file.ts';

/** The database addresses of one gateway. */
export interface DatabaseUrls {
  /** MIGRATION_DATABASE_URL. */
  readonly owner: string;
  /** PROXY_DATABASE_URL. */
  readonly proxy: string | undefined;
  /** DASHBOARD_DATABASE_URL. */
  readonly dashboard: string | undefined;
}

/**
 * The logins that the services' addresses name.
 *
 * @throws {ConfigError} names every address whose login cannot be set up, never a password
 */
export function loginsOfUrls({ owner, proxy, dashboard }: DatabaseUrls): readonly WantedLogin[] {
  const problems: string[] = [];
  const logins: WantedLogin[] = [];
  const taken = new Map([[userOf(owner), 'MIGRATION_DATABASE_URL']]);
  const add = (setting: string, url: string | undefined, group: WantedLogin['group']): void => {
    if (url === undefined) return;
    const login = { name: userOf(url), group, password: decoded(new URL(url).password), enabled: true };
    const broken = LOGIN_RULES.find(([field, isRight]) => !isRight(login[field as keyof WantedLogin]));
    // Set up all the same, the login of the migration would lose its password, or one service get the rights of both.
    const other = taken.get(login.name);
    if (broken !== undefined) {
      problems.push(`the ${broken[0]} in ${setting} must be ${broken[2]}, percent-encoded as URLs need it`);
    } else if (other !== undefined) {
      problems.push(`${setting} must have another login than ${other}`);
    }
    taken.set(login.name, setting);
    logins.push(login);
  };
  add('PROXY_DATABASE_URL', proxy, 'nexus_writer');
  add('DASHBOARD_DATABASE_URL', dashboard, 'nexus_reader');
  if (problems.length > 0) throw new ConfigError(problems);
  return logins;
}

function userOf(url: string): string {
  return decoded(new URL(url).username);
}

/** Nothing when it is not encoded right: the driver refuses that too. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
