import { disableLogin, ensureLogin } from '@claude-nexus/database';

import type { WantedLogin } from './logins-file.ts';

/** Creates, alters and locks logins, those in use first: whoever changes over finds the new one. */
export async function applyLogins(
  url: string,
  logins: readonly WantedLogin[],
  log: (line: string) => void,
): Promise<void> {
  for (const { name, group, password } of logins.filter(({ enabled }) => enabled)) {
    await ensureLogin({ url, name, group, password });
    log(`login ${name} is set up`);
  }
  for (const { name } of logins.filter(({ enabled }) => !enabled)) {
    const ended = await disableLogin({ url, name });
    log(`login ${name} is locked${ended === 0 ? '' : `, ${ended} sessions ended`}`);
  }
}
