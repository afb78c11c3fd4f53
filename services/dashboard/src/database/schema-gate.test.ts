import { createLogger } from '@claude-nexus/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SchemaGate, WAIT_MS, WATCH_MS } from './schema-gate.ts';
import type { SchemaFit } from './schema-gate.ts';

let answer: SchemaFit | Error;
let checks: number;
let events: string[];
let gate: SchemaGate;

beforeEach(() => {
  vi.useFakeTimers();
  checks = 0;
  events = [];
  gate = new SchemaGate({
    check: async () => {
      checks += 1;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    onFit: () => events.push('fits'),
    onTooOld: (error) => events.push(error.code),
    logger: createLogger({ name: 'test', level: 'silent' }),
  });
});

afterEach(() => {
  gate.stop();
  vi.useRealTimers();
});

describe('SchemaGate', () => {
  it('opens at once when the schema fits', async () => {
    answer = 'fits';
    await gate.start();
    expect(events).toEqual(['fits']);
  });

  it('stops the start of a version the schema no longer serves', async () => {
    answer = 'service-too-old';
    await expect(gate.start()).rejects.toMatchObject({ code: 'NEXUS_SERVICE_TOO_OLD' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits for the database and for its migration, then opens once', async () => {
    answer = new Error('ECONNREFUSED');
    await gate.start();
    answer = 'schema-too-old';
    await vi.advanceTimersByTimeAsync(WAIT_MS);
    expect(events).toEqual([]);
    answer = 'fits';
    await vi.advanceTimersByTimeAsync(WAIT_MS + WATCH_MS);
    expect(events).toEqual(['fits']);
    expect(checks).toBe(4);
  });

  it('tells when a later version has taken the schema away', async () => {
    answer = 'fits';
    await gate.start();
    answer = 'service-too-old';
    await vi.advanceTimersByTimeAsync(WATCH_MS);
    expect(events).toEqual(['fits', 'NEXUS_SERVICE_TOO_OLD']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('stays open through an outage', async () => {
    answer = 'fits';
    await gate.start();
    answer = new Error('ECONNREFUSED');
    await vi.advanceTimersByTimeAsync(WATCH_MS * 2);
    expect(events).toEqual(['fits']);
  });
});
