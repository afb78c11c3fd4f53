import { describe, expect, it } from 'vitest';

import { CredentialFileError } from '../errors.ts';
import { clientKeysOf, parseCredentialFile } from './parse-credential-file.ts';

const NAME = 'api.example.com.credentials.json';
const KEY = 'sk-ant-MARKEDSECRET';
const valid = {
  type: 'api_key',
  accountId: 'team-a',
  api_key: KEY,
  client_api_key: 'cnx-MARKEDSECRET-client',
};

function problem(content: unknown): string {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  try {
    parseCredentialFile(text, NAME);
  } catch (error) {
    if (error instanceof CredentialFileError) return error.message;
    throw error;
  }
  return 'no error';
}

describe('parseCredentialFile', () => {
  it.each([
    ['the smallest file', { type: 'api_key', api_key: KEY }],
    ['a key file', { type: 'api_key', api_key_file: 'key.txt' }],
    [
      'everything',
      {
        ...valid,
        client_keys: [{ name: 'Ada', key: 'cnx-client-ada' }],
        allowed_paths: ['/v1/files', '/v1/files/*', '/v1/messages/batches'],
        slack: { webhook_url: 'https://hooks.slack.com/services/x', channel: '#claude', enabled: true },
      },
    ],
    [
      'a stored login',
      { type: 'oauth', oauth: { accessToken: 'access-token', refreshToken: 'refresh-token', expiresAt: 1 } },
    ],
  ])('accepts %s', (_, content) => {
    expect(parseCredentialFile(`\uFEFF${JSON.stringify(content)}`, NAME)).toEqual(content);
  });

  it.each<[unknown, string]>([
    ['{"type": "api_key", "api_key": "MARKEDSECRET', 'is not valid JSON'],
    ['[]', 'must hold one JSON object'],
    [{}, 'field "type" must be "api_key" or "oauth"'],
    [{ type: 'constructor' }, 'field "type" must be "api_key" or "oauth"'],
    [{ ...valid, apikey: KEY }, 'unknown field "apikey"; remove it or correct its name'],
    [{ ...valid, slack: { chanel: 'x' } }, 'unknown field "slack.chanel"; remove it or correct its name'],
    [{ ...valid, client_keys: [{ name: 'a' }] }, 'field "client_keys[0].key" is missing'],
    [{ ...valid, client_keys: [] }, 'field "client_keys" must not have fewer than 1 items'],
    [{ ...valid, accountId: 5 }, 'field "accountId" must be string'],
    [
      { ...valid, api_key: 'MARKEDSECRET with blank' },
      'field "api_key" has a form or characters it may not have',
    ],
    [
      { ...valid, api_key: 'MARKEDSECRET\r\nx: y' },
      'field "api_key" has a form or characters it may not have',
    ],
    [{ ...valid, client_api_key: 'short' }, 'field "client_api_key" must not have fewer than 8 characters'],
    [{ type: 'api_key' }, 'one of the fields "api_key" and "api_key_file" is needed'],
    [{ ...valid, api_key_file: 'x' }, 'fields "api_key" and "api_key_file" exclude each other; keep one'],
    [{ ...valid, api_key: 'undefined' }, 'field "api_key" holds a placeholder, not a key'],
    [{ ...valid, client_api_key: '${CLIENT_KEY}' }, 'a client key is a placeholder, not a key'],
    [
      { ...valid, client_api_key: KEY },
      'a client key equals the upstream credential, which clients must never hold; generate another',
    ],
    [
      { ...valid, client_keys: [{ name: 'default', key: 'other-key' }] },
      'field "client_keys" names two keys alike ("default" is the name of "client_api_key"); rename one',
    ],
    [
      { ...valid, client_keys: [{ name: 'a', key: valid.client_api_key }] },
      'field "client_keys" holds the same key twice; give each its own',
    ],
    [
      { ...valid, allowed_paths: ['/admin'] },
      'field "allowed_paths[0]" has a form or characters it may not have',
    ],
    ...['/v1/../admin', '/v1//files', '/v1/./x', '/v1/files*', '/v1/'].map((path): [unknown, string] => [
      { ...valid, allowed_paths: [path] },
      'field "allowed_paths" takes plain paths such as "/v1/files" and folders such as "/v1/files/*"',
    ]),
    [{ type: 'oauth' }, 'field "oauth" is missing'],
  ])('refuses %j', (content, message) => {
    expect(problem(content)).toBe(`${NAME}: ${message}`);
    expect(problem(content)).not.toContain('MARKEDSECRET');
  });
});

describe('clientKeysOf', () => {
  it('puts the single key under the name default before the named ones', () => {
    const file = parseCredentialFile(
      JSON.stringify({ ...valid, client_keys: [{ name: 'Ada', key: 'cnx-client-ada' }] }),
      NAME,
    );
    expect(clientKeysOf(file).map(({ name }) => name)).toEqual(['default', 'Ada']);
  });
});
