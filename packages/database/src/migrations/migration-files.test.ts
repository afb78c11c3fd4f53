import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, it } from 'vitest';

import { readMigrations } from './migration-files.ts';

it.each([
  ['a gap in the numbers', { '0001_a.sql': '-- minimum service: 1', '0003_b.sql': '-- minimum service: 1' }],
  ['a name without number', { 'a.sql': '-- minimum service: 1' }],
  ['no minimum service', { '0001_a.sql': 'select 1' }],
  ['a minimum service of the future', { '0001_a.sql': '-- minimum service: 2' }],
])('a folder with %s is refused', async (_case, files) => {
  const directory = await mkdtemp(path.join(tmpdir(), 'migrations-'));
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(directory, name), text);
  await expect(readMigrations(directory)).rejects.toMatchObject({ code: 'NEXUS_MIGRATION_FILE' });
  await rm(directory, { recursive: true });
});

it('the folder of this package is in order, and its files hold no upper-case keywords', async () => {
  const migrations = await readMigrations();
  for (const { name, sql } of migrations) {
    const code = sql.replaceAll(/--.*$/gmv, '').replaceAll(/'[^']*'/gv, '');
    expect([name, /\b(?:SELECT|CREATE|INSERT|UPDATE|DELETE|WHERE|FROM)\b/v.test(code)]).toEqual([
      name,
      false,
    ]);
  }
});
