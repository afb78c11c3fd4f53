import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { makeDataDir } from './data-dir.ts';
import { loadSecrets } from './secrets.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'nexus-secrets-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('loadSecrets', () => {
  it('generates secrets once and keeps them readable for their owner only', async () => {
    const first = await loadSecrets(folder);
    expect(new Set(Object.values(first)).size).toBe(4);
    expect(await loadSecrets(folder)).toEqual(first);
    expect((await stat(path.join(folder, 'secrets.json'))).mode & 0o777).toBe(0o600);
  });

  it('adds a secret that an older version did not know, keeping the others', async () => {
    await writeFile(path.join(folder, 'secrets.json'), '{"dashboardKey":"kept"}');
    const secrets = await loadSecrets(folder);
    expect(secrets.dashboardKey).toBe('kept');
    expect(JSON.parse(await readFile(path.join(folder, 'secrets.json'), 'utf8'))).toEqual(secrets);
  });

  it('refuses a damaged file instead of replacing the keys', async () => {
    await writeFile(path.join(folder, 'secrets.json'), '{"dashboardKey":');
    await expect(loadSecrets(folder)).rejects.toThrow('secrets.json is damaged');
  });

  it('names a data directory that cannot be written', async () => {
    await expect(loadSecrets(path.join(folder, 'missing'))).rejects.toThrow(/cannot be written.*--data-dir/);
  });
});

describe('makeDataDir', () => {
  it('makes all folders above, closed to others, and takes one that exists', async () => {
    const dataDir = path.join(folder, 'a', 'b');
    await makeDataDir(dataDir);
    await makeDataDir(dataDir);
    expect((await stat(dataDir)).mode & 0o066).toBe(0);
  });

  it.each(['file/data', 'file'])('refuses %s, where a file is in the way', async (name) => {
    await writeFile(path.join(folder, 'file'), '');
    await expect(makeDataDir(path.join(folder, name))).rejects.toThrow(/cannot be written \(E[A-Z]+\)/);
  });

  it.runIf(process.platform === 'linux')('refuses a folder that its file system does not make', async () => {
    await expect(makeDataDir('/proc/nexus/data')).rejects.toThrow('cannot be written (ENOENT)');
  });
});
