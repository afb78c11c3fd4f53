import { describe, expect, it } from 'vitest';

import { LoginsFileError } from './errors.ts';
import { parseLogins } from './logins-file.ts';

const PASSWORD = 'marked-password-0123';
const valid = { name: 'nexus_proxy_a', group: 'nexus_writer', password: PASSWORD, enabled: true };

function problem(content: unknown): string {
  try {
    parseLogins(typeof content === 'string' ? content : JSON.stringify(content));
  } catch (error) {
    if (error instanceof LoginsFileError) return error.message;
    throw error;
  }
  return 'no error';
}

describe('parseLogins', () => {
  it('reads logins of both groups, in use and locked', () => {
    const logins = [valid, { ...valid, name: 'nexus_dashboard_b', group: 'nexus_reader', enabled: false }];
    expect(parseLogins(JSON.stringify(logins))).toEqual(logins);
    expect(parseLogins('[]')).toEqual([]);
  });

  const { enabled: _, ...withoutEnabled } = valid;
  it.each([
    [`[{"password": "${PASSWORD}`, 'is not valid JSON'],
    [valid, 'must hold an array'],
    [['text'], 'entry [0] must be an object'],
    [[valid, { ...valid, passwrd: PASSWORD }], 'entry [1] has a field that is none of name, group'],
    [[{ ...valid, name: 'Robert"; drop' }], 'field "[0].name" must be a role name'],
    [[{ ...valid, name: 'nexus_owner' }], 'field "[0].name" must be a role name'],
    [[{ ...valid, group: 'nexus_owner' }], 'field "[0].group" must be nexus_writer or nexus_reader'],
    [[{ ...valid, password: 'marked-password 0123' }], 'field "[0].password" must be 16 to 200 characters'],
    [[{ ...valid, password: 'marked' }], 'field "[0].password" must be 16 to 200 characters'],
    [[{ ...valid, enabled: 'true' }], 'field "[0].enabled" must be true or false'],
    [[withoutEnabled], 'field "[0].enabled" must be true or false'],
    [[valid, valid], 'names nexus_proxy_a twice'],
  ])('refuses %j by field and fix, without the password', (content, message) => {
    expect(problem(content)).toContain(`LOGINS_FILE ${message}`);
    expect(problem(content)).not.toContain('marked');
  });
});
