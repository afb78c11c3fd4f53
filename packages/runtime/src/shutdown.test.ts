import { EventEmitter } from 'node:events';

import { describe, expect, it } from 'vitest';

import { createLogger } from './logging/logger.ts';
import { Shutdown } from './shutdown.ts';
import type { ShutdownHost } from './shutdown.ts';

interface Harness {
  shutdown: Shutdown;
  host: EventEmitter & ShutdownHost;
  exits: number[];
  log: string[];
}

function harness(deadlineMs = 1000): Harness {
  const log: string[] = [];
  const exits: number[] = [];
  const host = Object.assign(new EventEmitter(), { exit: (code: number) => void exits.push(code) });
  const logger = createLogger({
    name: 't',
    level: 'info',
    destination: { write: (line) => void log.push(line) },
  });
  const shutdown = new Shutdown({ logger, deadlineMs, host, now: () => 0 });
  return { shutdown, host, exits, log };
}

describe('Shutdown', () => {
  it('closes in the reverse order of opening, one after the other, then exits with 0', async () => {
    const { shutdown, exits } = harness();
    const order: string[] = [];
    shutdown.add('database', () => void order.push('database'));
    shutdown.add('server', async () => {
      await Promise.resolve();
      order.push('server');
    });
    await shutdown.request('test');
    expect(order).toEqual(['server', 'database']);
    expect(exits).toEqual([0]);
  });

  it('tells a closer how much time is left', async () => {
    const { shutdown } = harness(1234);
    let remaining = 0;
    shutdown.add('server', (context) => void (remaining = context.remainingMs()));
    await shutdown.request('test');
    expect(remaining).toBe(1234);
  });

  it('goes on after a closer that fails, logs it and exits with 1', async () => {
    const { shutdown, exits, log } = harness();
    const order: string[] = [];
    shutdown.add('database', () => void order.push('database'));
    shutdown.add('server', () => {
      throw new TypeError('stuck');
    });
    await shutdown.request('test');
    expect(order).toEqual(['database']);
    expect(exits).toEqual([1]);
    expect(log.join('')).toContain('"closing":"server"');
  });

  it('exits with 1 when the deadline passes and names what was still open', async () => {
    const { shutdown, exits, log } = harness(1);
    shutdown.add('server', () => new Promise(() => undefined));
    await shutdown.request('test');
    expect(exits).toEqual([1]);
    expect(log.join('')).toContain('"waitingFor":"server"');
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ])('starts on the first %s and exits at once with %i on the second', (signal, code) => {
    const { shutdown, host, exits } = harness();
    shutdown.add('server', () => new Promise(() => undefined));
    shutdown.install();
    expect(shutdown.started).toBe(false);
    host.emit(signal);
    expect(shutdown.started).toBe(true);
    expect(exits).toEqual([]);
    host.emit(signal);
    expect(exits).toEqual([code]);
  });

  it.each(['uncaughtException', 'unhandledRejection'])(
    'closes in order after an %s and exits with 1',
    async (event) => {
      const { shutdown, host, exits, log } = harness();
      shutdown.install();
      host.emit(event, new TypeError('lost'));
      await shutdown.request('joined');
      expect(exits).toEqual([1]);
      expect(log.join('')).toContain('"message":"lost"');
    },
  );

  it('runs once, however often it is asked', async () => {
    const { shutdown, exits } = harness();
    let closed = 0;
    shutdown.add('server', () => void (closed += 1));
    await Promise.all([shutdown.request('a'), shutdown.request('b', 3)]);
    expect([closed, exits]).toEqual([1, [3]]);
  });

  it('gives up a failed start without ending the program', async () => {
    const { shutdown, host, exits } = harness();
    let closed = 0;
    shutdown.add('server', () => void (closed += 1));
    shutdown.install();
    await shutdown.release();
    expect([closed, exits, host.eventNames()]).toEqual([1, [], []]);
  });

  it('leaves no listeners behind', async () => {
    const { shutdown, host } = harness();
    shutdown.install();
    await shutdown.request('test');
    expect(host.eventNames()).toEqual([]);
  });
});
