import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const require = createRequire(import.meta.url);
const dependencies = require('./dependencies.cjs') as { dependenciesMissing(root: string): boolean };
const web = require('./web.cjs') as { webOutdated(root: string): boolean };
const hash = require('./sources-hash.cjs') as { sourcesHash(root: string): string };

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'nexus-bootstrap-'));
  await mkdir(path.join(root, 'node_modules'));
  await mkdir(path.join(root, 'web', 'src'), { recursive: true });
});
afterEach(() => rm(root, { recursive: true }));

interface Entry {
  version?: string;
  integrity?: string;
  optional?: boolean;
  link?: boolean;
}

const a = { version: '1.0.0', integrity: 'sha512-a' };

async function lock(file: string, packages: Record<string, Entry>): Promise<void> {
  await writeFile(path.join(root, file), JSON.stringify({ packages }));
}

describe('dependenciesMissing', () => {
  it.each<[string, Record<string, Entry>, Record<string, Entry>, boolean]>([
    [
      'everything is there',
      { '': {}, 'node_modules/a': a, 'packages/x': {} },
      { 'node_modules/a': a },
      false,
    ],
    ['a package is missing', { 'node_modules/a': a, 'node_modules/b': a }, { 'node_modules/a': a }, true],
    ['a version differs', { 'node_modules/a': a }, { 'node_modules/a': { ...a, version: '1.0.1' } }, true],
    [
      'a checksum differs',
      { 'node_modules/a': a },
      { 'node_modules/a': { ...a, integrity: 'sha512-b' } },
      true,
    ],
    ['a package for another platform is missing', { 'node_modules/a': { ...a, optional: true } }, {}, false],
    ['a workspace is not linked', { 'node_modules/@x/y': { link: true } }, {}, true],
    ['more is installed than is wanted', {}, { 'node_modules/a': a }, false],
  ])('when %s', async (_, wanted, installed, missing) => {
    await lock('package-lock.json', wanted);
    await lock('node_modules/.package-lock.json', installed);
    expect(dependencies.dependenciesMissing(root)).toBe(missing);
  });

  it('is true while npm has not finished', async () => {
    await lock('package-lock.json', {});
    expect(dependencies.dependenciesMissing(root)).toBe(true);
  });
});

describe('webOutdated', () => {
  it('notices a changed source, but not a changed test', async () => {
    const source = path.join(root, 'web', 'src', 'main.ts');
    await writeFile(source, 'one');
    expect(web.webOutdated(root)).toBe(true);
    await mkdir(path.join(root, 'web', 'dist'));
    await writeFile(path.join(root, 'web', 'dist', '.sources'), hash.sourcesHash(root));
    expect(web.webOutdated(root)).toBe(false);
    await writeFile(path.join(root, 'web', 'src', 'main.test.ts'), 'test');
    expect(web.webOutdated(root)).toBe(false);
    await writeFile(source, 'two');
    expect(web.webOutdated(root)).toBe(true);
  });
});

describe('withLock', () => {
  it('lets one process at a time work, also after one has died with the lock', async () => {
    const file = path.join(root, 'x', 'lock');
    await mkdir(path.dirname(file));
    await writeFile(file, '999999999 1');
    const log = path.join(root, 'log');
    const program = `
      const { appendFileSync } = require('node:fs');
      const { withLock } = require(${JSON.stringify(require.resolve('./lock.cjs'))});
      withLock(${JSON.stringify(file)}, async () => {
        appendFileSync(${JSON.stringify(log)}, '(');
        await new Promise((resolve) => setTimeout(resolve, 20));
        appendFileSync(${JSON.stringify(log)}, ')');
      });`;
    const children = Array.from({ length: 3 }, () =>
      spawn(process.execPath, ['-e', program], { stdio: 'ignore' }),
    );
    await Promise.all(children.map((child) => once(child, 'exit')));
    expect(await readFile(log, 'utf8')).toBe('()()()');
  });
});
