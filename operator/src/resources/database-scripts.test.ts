import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BACKUP_DIR, BACKUP_SCRIPT, RESTORE_SCRIPT } from './database-scripts.ts';

let folder: string;
let dumps: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'claude-nexus-dumps-'));
  dumps = path.join(folder, 'dumps');
  mkdirSync(path.join(folder, 'bin'));
  mkdirSync(dumps);
  tool('date', 'echo 20260102T030405Z');
  tool('pg_isready', 'exit 0');
  tool('pg_dump', `for word; do case $word in --file=*) echo content > "\${word#--file=}" ;; esac; done`);
  tool('pg_restore', 'exit 0');
  // Which query stands last decides the answer: is the schema there, is a role there.
  tool(
    'psql',
    `for word; do last=$word; done; case $last in *pg_namespace*) echo "$SCHEMA" ;; *pg_roles*) echo 1 ;; esac`,
  );
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Puts a program of that name first on the path; it notes each of its calls. */
function tool(name: string, body: string): void {
  const file = path.join(folder, 'bin', name);
  writeFileSync(file, `#!/bin/sh\necho "${name} $*" >> "${folder}/calls"\n${body}\n`);
  chmodSync(file, 0o755);
}

function run(script: string, env: Record<string, string>): { code: number; out: string } {
  const here = script.replaceAll(`cd ${BACKUP_DIR}\n`, `cd '${dumps}'\n`);
  try {
    const out = execFileSync('sh', ['-c', here], {
      env: {
        PATH: `${path.join(folder, 'bin')}:${process.env['PATH']}`,
        PGHOST: 'db',
        PGDATABASE: 'nexus',
        SCHEMA: '',
        ...env,
      },
      encoding: 'utf8',
      stdio: 'pipe',
    });
    return { code: 0, out };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, out: stdout + stderr };
  }
}

const calls = (): string => readFileSync(path.join(folder, 'calls'), 'utf8');
const put = (...names: string[]): void => names.forEach((name) => writeFileSync(path.join(dumps, name), 'x'));

const backup = () => run(BACKUP_SCRIPT, { KEEP: '2' });
const restore = (file: string, schema = '') => run(RESTORE_SCRIPT, { RESTORE_FILE: file, SCHEMA: schema });

describe.skipIf(process.platform === 'win32')('the backup program', () => {
  it('leaves a dump under its final name, and only the newest of the old ones', () => {
    put('nexus-20260101T000000Z.dump', 'nexus-20251231T000000Z.dump', 'nexus-mine.dump', 'other');
    expect(backup().code).toBe(0);
    expect(readdirSync(dumps).toSorted()).toEqual([
      'nexus-20260101T000000Z.dump',
      'nexus-20260102T030405Z.dump',
      'nexus-mine.dump',
      'other',
    ]);
  });

  it('waits for a database that cannot be reached yet', () => {
    tool('sleep', `touch "${folder}/up"`);
    tool('pg_isready', `test -e "${folder}/up"`);
    expect(backup().code).toBe(0);
    expect(calls()).toMatch(/pg_isready -q\nsleep 5\npg_isready -q\n[^]*pg_dump/);
  });

  it.each([
    ['the dump breaks off', 'pg_dump', 'echo half > .nexus-20260102T030405Z.dump.partial; exit 1'],
    ['the dump has no list of contents', 'pg_restore', 'case $1 in --list) exit 1 ;; esac'],
    ['the dump cannot be read to its end', 'pg_restore', 'case $1 in --file=*) exit 1 ;; esac'],
  ])('leaves no dump and keeps the old ones when %s', (_, name, body) => {
    put('nexus-20260101T000000Z.dump', 'nexus-20251231T000000Z.dump', 'nexus-20251230T000000Z.dump');
    tool(name, body);
    expect(backup().code).not.toBe(0);
    expect(readdirSync(dumps).filter((file) => !file.startsWith('.'))).toHaveLength(3);
  });

  it('removes what a run that was killed left behind', () => {
    put('.nexus-20260101T000000Z.dump.partial');
    expect(backup().code).toBe(0);
    expect(readdirSync(dumps)).toEqual(['nexus-20260102T030405Z.dump']);
  });
});

describe.skipIf(process.platform === 'win32')('the restore program', () => {
  it('takes the newest dump for latest, all of it or nothing', () => {
    put('nexus-20260101T000000Z.dump', 'nexus-20260102T000000Z.dump', 'nexus-zzz.dump');
    expect(restore('latest')).toEqual({ code: 0, out: 'restored nexus-20260102T000000Z.dump\n' });
    expect(calls()).toMatch(
      /pg_restore .*--exit-on-error --single-transaction .*nexus-20260102T000000Z.dump/,
    );
  });

  it('touches nothing where the schema is there already, and is done', () => {
    put('nexus-20260101T000000Z.dump');
    expect(restore('latest', '1').code).toBe(0);
    expect(calls()).not.toContain('pg_restore');
  });

  it.each([
    ['latest', 'the claim holds no dump nexus-<time>.dump'],
    ['missing.dump', 'the claim holds no file missing.dump'],
    ['../passwords', 'the file must be a name without folders'],
  ])('fails with one line for %s when there is no such dump', (file, message) => {
    expect(restore(file)).toEqual({ code: 1, out: `${message}\n` });
  });

  it('fails, to be tried again, when the dump cannot be restored', () => {
    put('nexus-20260101T000000Z.dump');
    tool('pg_restore', 'exit 1');
    expect(restore('latest').code).not.toBe(0);
  });
});
