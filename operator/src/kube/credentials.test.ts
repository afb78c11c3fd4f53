import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { KubeconfigError } from './errors.ts';
import { readKubeconfig } from './kubeconfig-credentials.ts';
import { readPodCredentials } from './pod-credentials.ts';

const PLUGIN = 'console.log(JSON.stringify({ kind: "ExecCredential", status: { token: "from-plugin" } }))';
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'credentials-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

describe('readPodCredentials', () => {
  it('sends the token of the moment and keeps connections until the CA changes', async () => {
    write('namespace', 'operators\n');
    write('ca.crt', 'one');
    write('token', 'first\n');
    const pod = readPodCredentials({ host: 'fd00::1', port: 443 }, folder);
    expect([pod?.server.href, pod?.namespace]).toEqual(['https://[fd00::1]/', 'operators']);
    const before = await pod?.connection();
    write('token', 'second');
    const after = await pod?.connection();
    expect([before?.headers, after?.headers]).toEqual([
      { authorization: 'Bearer first' },
      { authorization: 'Bearer second' },
    ]);
    expect(after?.agent).toBe(before?.agent);
    write('ca.crt', 'two');
    expect((await pod?.connection())?.agent).not.toBe(before?.agent);
    pod?.close();
  });

  it('finds nothing outside a pod', () => {
    expect(readPodCredentials({ host: 'h', port: 443 }, folder)).toBeUndefined();
  });
});

function config(user: object): string {
  return JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: 'https://api.example:6443/k8s' } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'team' } }],
    'current-context': 'x',
  });
}

describe('readKubeconfig', () => {
  it.each<[string, object, object]>([
    ['a token', { token: 'MARKED' }, { headers: { Authorization: 'Bearer MARKED' } }],
    ['user and password', { username: 'u', password: 'p' }, { auth: 'u:p' }],
    [
      'a program',
      {
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: process.execPath,
          args: ['-e', PLUGIN],
        },
      },
      { headers: { Authorization: 'Bearer from-plugin' } },
    ],
  ])('authenticates by %s and keeps connections', async (_, user, expected) => {
    const credentials = readKubeconfig(write('config', config(user)));
    expect([credentials.server.href, credentials.namespace]).toEqual([
      'https://api.example:6443/k8s',
      'team',
    ]);
    const connection = await credentials.connection();
    expect(connection).toMatchObject(expected);
    expect((await credentials.connection()).agent).toBe(connection.agent);
    credentials.close();
  });

  it.each([
    ['is missing', undefined],
    ['is no YAML', '{ token: MARKED'],
    ['has no current context', '{}'],
  ])('says what to check when the file %s, and quotes nothing of it', (_, content) => {
    const file = content === undefined ? join(folder, 'none') : write('config', content);
    expect(() => readKubeconfig(file)).toThrow(KubeconfigError);
    expect(() => readKubeconfig(file)).toThrow(/^(?!.*MARKED).*check KUBECONFIG$/);
  });
});
