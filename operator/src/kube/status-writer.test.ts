import { describe, expect, it } from 'vitest';

import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import { ApiError } from './errors.ts';
import { KINDS } from './kinds.ts';
import { StatusWriter } from './status-writer.ts';
import type { WantedStatus } from './status-writer.ts';
import { FakeApi } from './testing/fake-api.ts';
import { FakeClock } from './testing/fake-clock.ts';

const ref = { namespace: 'ns', name: 'a' };

function world() {
  const clock = new FakeClock();
  const api = new FakeApi(clock);
  api.seed({ apiVersion: 'claudenexus.dev/v1alpha1', kind: 'ClaudeNexus', metadata: ref, spec: {} });
  const writer = new StatusWriter({ client: api, clock, fieldManager: 'status' });
  const live = (): ClaudeNexus => api.peek(KINDS.ClaudeNexus, ref) as ClaudeNexus;
  return { clock, api, writer, live };
}

function wanted(ready: 'True' | 'False', extra: object = {}): WantedStatus {
  const common = { observedGeneration: 1, message: 'm', reason: 'Progressing' } as const;
  return {
    conditions: [
      { type: 'Ready', status: ready, ...common },
      { type: 'Migrated', status: 'True', ...common },
    ],
    status: { observedGeneration: 1, ...extra },
  };
}

function times(owner: ClaudeNexus): unknown {
  return owner.status?.conditions?.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]);
}

describe('StatusWriter', () => {
  it('writes when something is new, and nothing when only time has passed', async () => {
    const { clock, api, writer, live } = world();
    expect(await writer.write(live(), wanted('False'))).toBe(true);
    await clock.advance(60_000);
    expect(await writer.write(live(), wanted('False', { url: undefined }))).toBe(false);
    expect(api.writes()).toHaveLength(1);
    expect(await writer.write(live(), wanted('False', { url: 'https://x' }))).toBe(true);
    expect(live().status?.url).toBe('https://x');
  });

  it('changes the time of a condition only with its status', async () => {
    const { clock, writer, live } = world();
    await writer.write(live(), wanted('False'));
    await clock.advance(60_000);
    await writer.write(live(), wanted('True'));
    expect(times(live())).toEqual([
      ['Ready', '2026-01-02T03:05:05Z'],
      ['Migrated', '2026-01-02T03:04:05Z'],
    ]);
  });

  it('takes out what is not said any more', async () => {
    const { writer, live } = world();
    const all = wanted('True', { url: 'https://x' });
    await writer.write(live(), all);
    await writer.write(live(), { conditions: all.conditions.slice(0, 1), status: { observedGeneration: 1 } });
    expect(live().status).toMatchObject({ observedGeneration: 1, conditions: [{ type: 'Ready' }] });
    expect([live().status?.url, live().status?.conditions?.length]).toEqual([undefined, 1]);
  });

  it('judges by the newest status when the one it was given is old', async () => {
    const { clock, api, writer, live } = world();
    const old = live();
    await writer.write(old, wanted('False'));
    await clock.advance(60_000);
    api.forgetRequests();
    expect(await writer.write(old, wanted('False'))).toBe(false);
    expect(await writer.write(old, wanted('False', { url: 'https://x' }))).toBe(true);
    expect(times(live())).toEqual([
      ['Ready', '2026-01-02T03:04:05Z'],
      ['Migrated', '2026-01-02T03:04:05Z'],
    ]);
  });

  it('gives a conflict up after three attempts', async () => {
    const { api, writer, live } = world();
    const conflict = new ApiError('conflict', { status: 409, reason: 'Conflict' });
    for (let attempt = 0; attempt < 3; attempt++) api.failNext('apply', conflict);
    await expect(writer.write(live(), wanted('True'))).rejects.toBe(conflict);
    expect(api.writes()).toHaveLength(3);
  });

  it('is silent about an owner that is gone, and writes nothing to another of its name', async () => {
    const { api, writer, live } = world();
    const old = live();
    api.remove(KINDS.ClaudeNexus, ref);
    expect(await writer.write(old, wanted('True'))).toBe(false);
    api.seed({ apiVersion: 'claudenexus.dev/v1alpha1', kind: 'ClaudeNexus', metadata: ref, spec: {} });
    expect(await writer.write(old, wanted('True'))).toBe(false);
    expect(live().status).toBeUndefined();
  });
});
