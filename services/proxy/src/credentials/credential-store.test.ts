import { chmod, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createLogger } from '@claude-nexus/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { CredentialStore } from './credential-store.ts';
import type { CredentialStoreHost } from './credential-store.ts';
import type { DomainCredential } from './domain-credential.ts';
import type { LoadRules } from './load-credential.ts';
import { watchFolders } from './watch-folders.ts';

const RULES: LoadRules = { enableClientAuth: true, allowStoredOauth: false };
const KEY = 'sk-ant-MARKEDSECRET-1';
const CLIENT_KEY = 'cnx-MARKEDSECRET-client';
const DOMAIN = 'a.example.com';
const FILE = `${DOMAIN}.credentials.json`;

let folder = '';
let log: string[] = [];
let failures = 0;
let stores: CredentialStore[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'credentials-'));
  log = [];
  failures = 0;
});

afterEach(async () => {
  for (const store of stores) store.close();
  stores = [];
  await rm(folder, { recursive: true });
});

/** Time that stands still until it is moved; timers run when it passes them. */
class ManualHost implements CredentialStoreHost {
  #now = 0;
  #timers: { at: number; call: () => void }[] = [];
  watched: readonly string[] = [];
  sets = 0;
  changed: () => void = () => undefined;

  now(): number {
    return this.#now;
  }

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.#now + ms, call };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((other) => other !== timer));
  }

  watch(onChange: () => void): { set(folders: readonly string[]): void; close(): void } {
    this.changed = onChange;
    return {
      set: (folders) => {
        this.watched = folders;
        this.sets += 1;
      },
      close: () => undefined,
    };
  }

  /** Moves time and waits for the reload that this may have started. */
  async advance(ms: number, store: CredentialStore): Promise<void> {
    this.#now += ms;
    const due = this.#timers.filter((timer) => timer.at <= this.#now);
    this.#timers = this.#timers.filter((timer) => timer.at > this.#now);
    for (const timer of due) timer.call();
    await store.idle();
  }
}

async function open(
  options: { rules?: Partial<LoadRules>; host?: CredentialStoreHost; folder?: string } = {},
): Promise<CredentialStore> {
  const store = await CredentialStore.open({
    folder: options.folder ?? folder,
    rules: { ...RULES, ...options.rules },
    logger: createLogger({
      name: 't',
      level: 'debug',
      destination: { write: (line) => void log.push(line) },
    }),
    onReloadFailure: () => void (failures += 1),
    host: options.host ?? new ManualHost(),
  });
  stores.push(store);
  return store;
}

function content(changes: object = {}): string {
  return JSON.stringify({ type: 'api_key', api_key: KEY, client_api_key: CLIENT_KEY, ...changes });
}

async function put(name: string, text: string): Promise<void> {
  await writeFile(join(folder, name), text, { mode: 0o600 });
}

function keyOf(store: CredentialStore, domain = DOMAIN): string | undefined {
  const found = store.find(domain);
  return typeof found === 'object' ? found.outboundHeader[1] : found;
}

describe('CredentialStore at start', () => {
  it('finds each domain with what its file says', async () => {
    await put(FILE, content({ accountId: 'team-a', allowed_paths: ['/v1/files'] }));
    await put('[::1].credentials.json', content({ client_keys: [{ name: 'Ada', key: 'cnx-key-of-ada' }] }));
    const store = await open();
    const found = store.find(DOMAIN) as DomainCredential;
    expect(found).toMatchObject({ domain: DOMAIN, accountId: 'team-a', allowedPaths: ['/v1/files'] });
    expect(found.outboundHeader).toEqual(['x-api-key', KEY]);
    expect(found.clientKeys.match([CLIENT_KEY])).toBe('default');
    expect((store.find('[::1]') as DomainCredential).accountId).toBe('[::1]');
    expect(store.find('b.example.com')).toBeUndefined();
    expect(store.counts()).toEqual({ current: 2, stale: 0, unusable: 0 });
  });

  it('reads the key from a file beside it, without its line end', async () => {
    await put(FILE, content({ api_key: undefined, api_key_file: 'key.txt' }));
    await put('key.txt', `${KEY}\r\n`);
    expect(keyOf(await open())).toBe(KEY);
  });

  it('passes over the example, hidden files and everything else, and names likely mistakes', async () => {
    await put('example.credentials.json', 'not JSON');
    await put('.x.credentials.json', 'not JSON');
    await put('README.md', 'text');
    await put('b.example.com.credential.json', 'not JSON');
    expect((await open()).counts()).toEqual({ current: 0, stale: 0, unusable: 0 });
    expect(log.join('')).toContain('b.example.com.credential.json: ignored');
    expect(log).toHaveLength(1);
  });

  it('warns about a missing folder and serves no domain', async () => {
    const store = await open({ folder: join(folder, 'absent') });
    expect(store.counts().current).toBe(0);
    expect(log.join('')).toContain('cannot be read');
  });

  it.each<[string, string, string, Partial<LoadRules>]>([
    ['an unknown field', FILE, content({ apikey: KEY }), {}],
    ['no JSON', FILE, `{"api_key": "${KEY}"`, {}],
    ['no client keys', FILE, content({ client_api_key: undefined }), {}],
    ['a client key that is the upstream key', FILE, content({ client_api_key: KEY }), {}],
    ['a missing key file', FILE, content({ api_key: undefined, api_key_file: 'absent' }), {}],
    ['a key file that is a folder', FILE, content({ api_key: undefined, api_key_file: '.' }), {}],
    ['a name in capitals', 'A.example.com.credentials.json', content(), {}],
    ['a name with a port', 'a.example.com:80.credentials.json', content(), {}],
    ['a name that is no host', 'a b.credentials.json', content(), {}],
    ['a stored login', FILE, oauth(), {}],
    ['a stored login that is allowed', FILE, oauth(), { allowStoredOauth: true }],
  ])('stops with one line about %s', async (_, name, text, rules) => {
    await put(name, text);
    const failure = open({ rules }).then(
      () => 'no error',
      (error: Error) => error.message,
    );
    const [file, ...lines] = (await failure).split(/: |\n/);
    expect([file, lines.length > 0, (await failure).includes('\n')]).toEqual([name, true, false]);
    expect(await failure).not.toContain('MARKEDSECRET');
  });

  it('tells a stored login that is off from one that is not built yet', async () => {
    await put(FILE, oauth());
    await expect(open()).rejects.toThrow('against the terms of the vendor');
    await expect(open({ rules: { allowStoredOauth: true } })).rejects.toThrow('not built yet');
  });

  it('stops when the folder is a file', async () => {
    await put('file', '');
    await expect(open({ folder: join(folder, 'file') })).rejects.toMatchObject({
      code: 'NEXUS_CREDENTIALS_DIR_UNREADABLE',
    });
  });

  it('refuses a key file that holds more than one key', async () => {
    await put(FILE, content({ api_key: undefined, api_key_file: 'key.txt' }));
    await put('key.txt', 'MARKEDSECRET-1\nMARKEDSECRET-2');
    await expect(open()).rejects.toThrow('field "api_key_file" names a file that does not hold one key');
  });

  it('does without client keys under ENABLE_CLIENT_AUTH=false', async () => {
    await put(FILE, content({ client_api_key: undefined }));
    expect(keyOf(await open({ rules: { enableClientAuth: false } }))).toBe(KEY);
  });

  it('hints at files others can read and at slack, once', async () => {
    await put(FILE, content({ slack: { channel: '#x' } }));
    await chmod(join(folder, FILE), 0o644);
    const store = await open();
    await store.reload();
    expect(log.filter((line) => line.includes('chmod 600'))).toHaveLength(1);
    expect(log.filter((line) => line.includes('no effect yet'))).toHaveLength(1);
  });
});

function oauth(): string {
  const login = { accessToken: 'MARKEDSECRET-access', refreshToken: 'MARKEDSECRET-refresh', expiresAt: 1 };
  return JSON.stringify({ type: 'oauth', oauth: login });
}

describe('CredentialStore later on', () => {
  it('takes a new version, a new file and a new key', async () => {
    await put(FILE, content());
    const store = await open();
    await put(FILE, content({ api_key: 'sk-ant-second' }));
    await put('b.example.com.credentials.json', content({ api_key: undefined, api_key_file: 'key.txt' }));
    await put('key.txt', 'sk-ant-of-b-1');
    await store.reload();
    expect([keyOf(store), keyOf(store, 'b.example.com')]).toEqual(['sk-ant-second', 'sk-ant-of-b-1']);
    await put('key.txt', 'sk-ant-of-b-2');
    await store.reload();
    expect(keyOf(store, 'b.example.com')).toBe('sk-ant-of-b-2');
    expect(failures).toBe(0);
  });

  it('keeps the last good version of a file that went bad, and reports each bad version once', async () => {
    await put(FILE, content());
    const store = await open();
    await put(FILE, content({ apikey: 'MARKEDSECRET' }));
    await store.reload();
    await store.reload();
    expect(keyOf(store)).toBe(KEY);
    expect(store.counts()).toEqual({ current: 0, stale: 1, unusable: 0 });
    expect(failures).toBe(1);
    expect(log.filter((line) => line.includes('the last good version stays in force'))).toHaveLength(1);
    await put(FILE, 'not JSON');
    await store.reload();
    expect(failures).toBe(2);
    await put(FILE, content({ api_key: 'sk-ant-second' }));
    await store.reload();
    expect(keyOf(store)).toBe('sk-ant-second');
    expect(store.counts()).toEqual({ current: 1, stale: 0, unusable: 0 });
  });

  it('keeps the last good version when the key file disappears', async () => {
    await put(FILE, content({ api_key: undefined, api_key_file: 'key.txt' }));
    await put('key.txt', KEY);
    const store = await open();
    await rm(join(folder, 'key.txt'));
    await store.reload();
    expect([keyOf(store), failures]).toEqual([KEY, 1]);
  });

  it('marks a domain whose first version is bad as unusable, not as unmanaged', async () => {
    const store = await open();
    await put(FILE, 'not JSON');
    await store.reload();
    expect(store.find(DOMAIN)).toBe('unusable');
    expect(store.counts()).toEqual({ current: 0, stale: 0, unusable: 1 });
  });

  it('keeps a domain through the moment in which an editor replaces its file, and drops it after that', async () => {
    await put(FILE, content());
    const host = new ManualHost();
    const store = await open({ host });
    await rm(join(folder, FILE));
    await store.reload();
    expect(keyOf(store)).toBe(KEY);
    await host.advance(999, store);
    await store.reload();
    expect(keyOf(store)).toBe(KEY);
    await host.advance(1, store);
    expect(keyOf(store)).toBe(KEY);
    await host.advance(1000, store);
    expect(store.find(DOMAIN)).toBeUndefined();
  });

  it('forgets that a file was missing when it is back', async () => {
    await put(FILE, content());
    const host = new ManualHost();
    const store = await open({ host });
    await rm(join(folder, FILE));
    await store.reload();
    await put(FILE, content());
    await host.advance(1000, store);
    await rm(join(folder, FILE));
    await store.reload();
    expect(keyOf(store)).toBe(KEY);
  });

  it('keeps everything when the folder cannot be read for a while, and reports that once', async () => {
    await put(FILE, content());
    const store = await open();
    await rename(folder, `${folder}-away`);
    await store.reload();
    await store.reload();
    expect(keyOf(store)).toBe(KEY);
    expect([failures, log.filter((line) => line.includes('cannot be read')).length]).toEqual([1, 1]);
    await rename(`${folder}-away`, folder);
  });

  it('reloads shortly after a file event, once for a burst of them', async () => {
    await put(FILE, content());
    const host = new ManualHost();
    const store = await open({ host });
    await put(FILE, content({ api_key: 'sk-ant-second' }));
    host.changed();
    host.changed();
    await host.advance(49, store);
    expect(keyOf(store)).toBe(KEY);
    await host.advance(1, store);
    expect(keyOf(store)).toBe('sk-ant-second');
  });

  it('reloads every 30 seconds without any event, and watches anew', async () => {
    await put(FILE, content());
    const host = new ManualHost();
    const store = await open({ host });
    for (const key of ['sk-ant-second', 'sk-ant-third']) {
      await put(FILE, content({ api_key: key }));
      await host.advance(30_000, store);
      expect(keyOf(store)).toBe(key);
    }
    expect(host.sets).toBe(3);
  });

  it('watches the folders of key files too', async () => {
    await mkdir(join(folder, 'keys'));
    await put('keys/key.txt', KEY);
    await put(FILE, content({ api_key: undefined, api_key_file: 'keys/key.txt' }));
    const host = new ManualHost();
    await open({ host });
    expect(host.watched).toEqual([folder, join(folder, 'keys')]);
  });

  it('does nothing more once it is closed', async () => {
    await put(FILE, content());
    const host = new ManualHost();
    const store = await open({ host });
    store.close();
    await put(FILE, content({ api_key: 'sk-ant-second' }));
    host.changed();
    await host.advance(60_000, store);
    expect(keyOf(store)).toBe(KEY);
  });

  it('logs no secret in all of this', async () => {
    await put(FILE, content());
    const store = await open();
    for (const bad of [
      '{"api_key": "MARKEDSECRET',
      content({ x: KEY }),
      content({ client_api_key: KEY }),
      oauth(),
    ]) {
      await put(FILE, bad);
      await store.reload();
    }
    expect(failures).toBe(4);
    expect(log.join('')).not.toContain('MARKEDSECRET');
  });
});

describe('CredentialStore on a mounted Secret', () => {
  it('follows the swap of the link, by file events alone', async () => {
    // The layout of the kubelet: file -> ..data/file, ..data -> a folder per version, swapped by one rename.
    const version = async (name: string, key: string): Promise<void> => {
      await mkdir(join(folder, name));
      await put(`${name}/${FILE}`, content({ api_key: key }));
      await symlink(name, join(folder, `..${name}-link`));
      await rename(join(folder, `..${name}-link`), join(folder, '..data'));
    };
    await version('..v1', 'sk-ant-of-v1');
    await symlink(`..data/${FILE}`, join(folder, FILE));
    const reloaded = Promise.withResolvers<void>();
    const host: CredentialStoreHost = {
      now: Date.now,
      after: (ms, call) => {
        if (ms === 50) reloaded.resolve();
        const timer = setTimeout(call, ms === 50 ? 0 : ms).unref();
        return () => clearTimeout(timer);
      },
      watch: watchFolders,
    };
    const store = await open({ host });
    expect(keyOf(store)).toBe('sk-ant-of-v1');
    expect(log.join('')).not.toContain('chmod');
    await version('..v2', 'sk-ant-of-v2');
    await rm(join(folder, '..v1'), { recursive: true });
    await reloaded.promise;
    await expect.poll(() => keyOf(store)).toBe('sk-ant-of-v2');
  });
});

describe('the folder of the repository', () => {
  const shipped = new URL('../../../../credentials/', import.meta.url);

  it('holds an example that works once its keys are replaced, and not before', async () => {
    const example = await readFile(new URL('example.credentials.json', shipped), 'utf8');
    await put(FILE, example);
    await expect(open()).rejects.toThrow('placeholder');
    await put(FILE, example.replaceAll('replace-with', 'sk'));
    expect((await open()).counts().current).toBe(1);
  });

  it('refuses everything else to Git', async () => {
    const rules = await readFile(new URL('.gitignore', shipped), 'utf8');
    expect(rules.trim().split('\n')).toEqual(['*', '!.gitignore', '!README.md', '!example.credentials.json']);
  });
});
