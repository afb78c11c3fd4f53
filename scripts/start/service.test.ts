import { createServer } from 'node:net';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { freePort, requirePort } from './ports.ts';
import { Service } from './service.ts';

/** A service that answers with its process id. */
const PROGRAM = `
import { createServer } from 'node:http';
console.log(JSON.stringify({ level: 'info', msg: 'started' }));
createServer((_, answer) => answer.end(String(process.pid))).listen(Number(process.env.PORT), '127.0.0.1');
`;

let folder: string;
let port: number;
let service: Service | undefined;
const lines: string[] = [];
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'nexus-service-'));
  port = await freePort();
  lines.length = 0;
});
afterEach(async () => {
  await service?.stop(5000);
  await rm(folder, { recursive: true });
});

async function make(program: string): Promise<Service> {
  const file = path.join(folder, 'main.mjs');
  await writeFile(file, program);
  service = new Service({
    name: 'sample',
    args: [file],
    cwd: folder,
    env: { PORT: String(port) },
    logFile: path.join(folder, 'sample.log'),
    readyUrl: `http://127.0.0.1:${port}/`,
    report: (line) => lines.push(line),
  });
  return service;
}

const pidOf = async (): Promise<number> => Number(await (await fetch(`http://127.0.0.1:${port}/`)).text());

describe('Service', () => {
  it('runs a program, keeps its log, and ends it on stop', async () => {
    const running = await make(PROGRAM);
    await running.start();
    const pid = await pidOf();
    await running.stop(5000);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(await readFile(path.join(folder, 'sample.log'), 'utf8')).toContain('started');
    expect(lines).toEqual([]);
  });

  it('starts a program again that has died', async () => {
    await (await make(PROGRAM)).start();
    const first = await pidOf();
    process.kill(first, 'SIGKILL');
    await vi.waitFor(async () => expect(await pidOf()).not.toBe(first), { timeout: 5000 });
    expect(lines).toEqual(['sample ended (SIGKILL); starting it again in 0.5 s']);
  });

  it('says why a program ended before it was ready', async () => {
    const failing = await make(`console.error('sample: no such table'); process.exitCode = 1;`);
    await expect(failing.start()).rejects.toThrow('sample: no such table');
  });

  it('kills a program that does not end in time', async () => {
    const stubborn = await make(`process.on('SIGTERM', () => {});${PROGRAM}`);
    await stubborn.start();
    const pid = await pidOf();
    await stubborn.stop(50);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});

describe('requirePort', () => {
  it('names a port that is in use and the flag that changes it', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    await expect(requirePort(port, '--proxy-port')).rejects.toThrow(
      `port ${port} is in use by another program; choose another one with --proxy-port`,
    );
    await new Promise((resolve) => server.close(resolve));
    await expect(requirePort(port, '--proxy-port')).resolves.toBeUndefined();
  });
});
