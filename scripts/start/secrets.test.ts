import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { loadSecrets } from './secrets.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'nexus-secrets-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('loadSecrets', () => {
  it('generates secrets once and keeps them readable for their owner only', async () => {
    const first = await loadSecrets(path.join(folder, 'data'));
    expect(new Set(Object.values(first)).size).toBe(4);
    expect(await loadSecrets(path.join(folder, 'data'))).toEqual(first);
    expect((await stat(path.join(folder, 'data', 'secrets.json'))).mode & 0o777).toBe(0o600);
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
    await writeFile(path.join(folder, 'file'), '');
    await expect(loadSecrets(path.join(folder, 'file'))).rejects.toThrow(/cannot be written.*--data-dir/);
  });
});
