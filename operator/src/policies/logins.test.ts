import { describe, expect, it } from 'vitest';

import { loginsFile, newLogins, nextLogins, parseLogins } from './logins.ts';

let count = 0;
const random = (bytes: number): Buffer => Buffer.alloc(bytes, (count += 1));
const steady = newLogins(random, undefined);
const idle = { wanted: undefined, jobDone: true, switchedOver: true };

describe('nextLogins', () => {
  it.each([
    ['steady', steady, { wanted: '1' }, 'preparing'],
    ['steady', steady, {}, 'steady'],
    ['steady', { ...steady, rotation: '1' }, { wanted: '1' }, 'steady'],
    ['steady', steady, { wanted: '1', jobDone: false }, 'steady'],
    ['preparing', { ...steady, phase: 'preparing' }, { jobDone: false }, 'preparing'],
    ['preparing', { ...steady, phase: 'preparing' }, {}, 'switching'],
    ['switching', { ...steady, phase: 'switching' }, { switchedOver: false }, 'switching'],
    ['switching', { ...steady, phase: 'switching' }, { jobDone: false }, 'switching'],
    ['switching', { ...steady, phase: 'switching' }, {}, 'retiring'],
    ['retiring', { ...steady, phase: 'retiring' }, { jobDone: false }, 'retiring'],
    ['retiring', { ...steady, phase: 'retiring' }, {}, 'steady'],
  ] as const)('from %s', (_, state, facts, phase) => {
    expect(nextLogins(state, { ...idle, ...facts }, random).phase).toBe(phase);
  });

  it('gives the idle logins new passwords and leaves those in use alone', () => {
    const next = nextLogins(steady, { ...idle, wanted: '1' }, random);
    expect(next.enabled).toEqual(['a', 'b']);
    expect(next.active).toBe('a');
    for (const service of ['proxy', 'dashboard'] as const) {
      expect(next.passwords[service].a).toBe(steady.passwords[service].a);
      expect(next.passwords[service].b).not.toBe(steady.passwords[service].b);
    }
  });
});

describe('parseLogins', () => {
  it('reads what was stored', () => {
    expect(parseLogins(JSON.stringify(steady))).toEqual(steady);
  });

  it.each([undefined, '', '{', '{}', 'null', '{"phase":"steady","active":"a"}'])(
    'takes %j for no state',
    (text) => {
      expect(parseLogins(text)).toBeUndefined();
    },
  );
});

describe('loginsFile', () => {
  it('names all four logins with their group and whether they may connect', () => {
    const logins = JSON.parse(loginsFile(steady)) as { name: string; group: string; enabled: boolean }[];
    expect(logins.map(({ name, group, enabled }) => [name, group, enabled])).toEqual([
      ['nexus_proxy_a', 'nexus_writer', true],
      ['nexus_proxy_b', 'nexus_writer', false],
      ['nexus_dashboard_a', 'nexus_reader', true],
      ['nexus_dashboard_b', 'nexus_reader', false],
    ]);
  });
});
