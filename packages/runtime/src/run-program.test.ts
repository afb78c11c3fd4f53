import { describe, expect, it } from 'vitest';

import { ConfigError } from './errors.ts';
import { runProgram } from './run-program.ts';

async function run(start: () => Promise<void>): Promise<{ text: string; exits: number[] }> {
  const result = { text: '', exits: [] as number[] };
  await runProgram('claude-nexus proxy', start, {
    stderr: { write: (text) => void (result.text += text) },
    exit: (code) => void result.exits.push(code),
  });
  return result;
}

describe('runProgram', () => {
  it('says nothing when the start succeeds', async () => {
    expect(await run(() => Promise.resolve())).toEqual({ text: '', exits: [] });
  });

  it('turns an error of ours into one line and exit code 1', async () => {
    const result = await run(() => Promise.reject(new ConfigError(['PORT must be a port'])));
    expect(result).toEqual({ text: 'claude-nexus proxy: PORT must be a port\n', exits: [1] });
  });

  it('shows the stack of any other error, without secrets', async () => {
    const result = await run(() => Promise.reject(new TypeError('sk-ant-MARKEDSECRET is undefined')));
    expect(result.text).toContain('run-program.test.ts');
    expect(result.text).not.toContain('MARKEDSECRET');
    expect(result.exits).toEqual([1]);
  });
});
