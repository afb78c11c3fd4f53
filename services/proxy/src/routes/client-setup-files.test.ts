import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readClientSetupFile } from './client-setup-files.ts';

const FOLDER = fileURLToPath(new URL('../../../../client-setup', import.meta.url));
const URL_OF_PROXY = 'http://gateway.example.com:3000';
const run = promisify(execFile);

let home = '';

function settingsFile(): string {
  return join(home, '.claude', 'settings.json');
}

async function settings(): Promise<unknown> {
  return JSON.parse(await readFile(settingsFile(), 'utf8'));
}

/** The program itself, not a shim that would need more of the path than the test gives it. */
async function pathOf(tool: string): Promise<string | undefined> {
  if (tool === 'node') return process.execPath;
  const question =
    tool === 'python3' ? `python3 -c 'import sys; print(sys.executable)'` : `command -v ${tool}`;
  const found = await run('sh', ['-c', question]).catch(() => undefined);
  return found?.stdout.trim();
}

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'home-'));
});

afterEach(() => rm(home, { recursive: true }));

describe('readClientSetupFile', () => {
  // Such addresses never get this far; each kind of file still writes them so that nothing can run.
  const hostile = `http://a'b"c<d>&e`;

  it.each([
    ['page.html', 'http://a&#39;b&#34;c&#60;d&#62;&#38;e'],
    ['settings.json', String.raw`http://a'b\"c<d>&e`],
    ['setup.sh', String.raw`http://a'\''b"c<d>&e`],
    ['setup.ps1', `http://a''b"c<d>&e`],
    ['help.txt', hostile],
    ['style.css', ''],
  ])('writes the address into %s as that kind of file needs it', async (name, text) => {
    await writeFile(join(home, name), '{{PROXY_URL}}');
    expect((await readClientSetupFile(home, name, hostile))?.text).toBe(text);
  });

  it('fills in every place, and takes a dollar sign for nothing else', async () => {
    await writeFile(join(home, 'a.txt'), '{{PROXY_URL}} {{PROXY_URL}}');
    expect((await readClientSetupFile(home, 'a.txt', '$&'))?.text).toBe('$& $&');
  });
});

describe.skipIf(process.platform === 'win32')('setup.sh', () => {
  /** Runs the script with only the named tools, besides the basic ones, on the path. */
  async function setUp(
    options: { tools?: string[]; env?: Record<string, string> } = {},
  ): Promise<{ stdout: string; stderr: string; code: number }> {
    const bin = join(home, 'bin');
    await mkdir(bin, { recursive: true });
    for (const tool of ['sh', 'mkdir', 'mktemp', 'rm', 'cp', 'mv', 'cat', ...(options.tools ?? [])]) {
      const path = await pathOf(tool);
      if (path !== undefined) await symlink(path, join(bin, tool));
    }
    const file = await readClientSetupFile(FOLDER, 'setup.sh', URL_OF_PROXY);
    const script = join(home, 'setup.sh');
    await writeFile(script, file?.text ?? 'exit 99');
    const env = { HOME: home, PATH: [bin].join(delimiter), ...options.env };
    try {
      return { ...(await run(join(bin, 'sh'), [script], { env })), code: 0 };
    } catch (error) {
      return error as { stdout: string; stderr: string; code: number };
    }
  }

  const variables = { ANTHROPIC_BASE_URL: URL_OF_PROXY, CLAUDE_CODE_GATEWAY_HINT_HEADERS: '1' };

  it('writes new settings, for their owner alone', async () => {
    const result = await setUp();
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toContain(`Claude Code now goes through ${URL_OF_PROXY}`);
    expect(await settings()).toEqual({ env: variables });
    expect((await stat(settingsFile())).mode & 0o777).toBe(0o600);
  });

  it('adds the client key when there is one', async () => {
    await setUp({ env: { CLAUDE_NEXUS_KEY: 'cnx-key' } });
    expect(await settings()).toEqual({ env: { ...variables, ANTHROPIC_AUTH_TOKEN: 'cnx-key' } });
  });

  it.for(['node', 'python3', 'jq'])(
    'merges into existing settings with %s and keeps a copy',
    async (tool, test) => {
      if ((await pathOf(tool)) === undefined) test.skip(`${tool} is not installed`);
      const before = {
        model: 'opus',
        env: { A: 'b', ANTHROPIC_BASE_URL: 'http://old' },
        hooks: { x: [1, '\u00e9'] },
      };
      await mkdir(join(home, '.claude'));
      await writeFile(settingsFile(), JSON.stringify(before));
      await chmod(settingsFile(), 0o644);
      const result = await setUp({ tools: [tool], env: { CLAUDE_NEXUS_KEY: 'cnx-key' } });
      expect(result.stderr).toBe('');
      expect(await settings()).toEqual({
        ...before,
        env: { A: 'b', ...variables, ANTHROPIC_AUTH_TOKEN: 'cnx-key' },
      });
      expect(JSON.parse(await readFile(`${settingsFile()}.before-claude-nexus`, 'utf8'))).toEqual(before);
    },
  );

  it('leaves settings alone that it cannot read', async () => {
    await mkdir(join(home, '.claude'));
    await writeFile(settingsFile(), '{ // mine');
    const result = await setUp({ tools: ['node'] });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('is not valid JSON; correct it and run this again');
    expect(await readFile(settingsFile(), 'utf8')).toBe('{ // mine');
  });

  it('says what to add by hand when no tool can merge', async () => {
    await mkdir(join(home, '.claude'));
    await writeFile(settingsFile(), '{"model": "opus"}');
    const result = await setUp();
    expect(result.code).toBe(1);
    expect(result.stdout).toContain(`"ANTHROPIC_BASE_URL": "${URL_OF_PROXY}"`);
    expect(await settings()).toEqual({ model: 'opus' });
  });

  it('keeps settings that are a link to elsewhere a link', async () => {
    await mkdir(join(home, '.claude'));
    await writeFile(join(home, 'dotfile.json'), '{"model": "opus"}');
    await symlink(join(home, 'dotfile.json'), settingsFile());
    await setUp({ tools: ['node'] });
    expect(JSON.parse(await readFile(join(home, 'dotfile.json'), 'utf8'))).toEqual({
      model: 'opus',
      env: variables,
    });
  });

  it('refuses a key that would break out of the settings', async () => {
    const result = await setUp({ env: { CLAUDE_NEXUS_KEY: 'a","x":"y' } });
    expect([result.code, result.stderr]).toEqual([
      1,
      'setup.sh: CLAUDE_NEXUS_KEY holds characters no key has\n',
    ]);
  });
});
