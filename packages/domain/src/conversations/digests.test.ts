import { createHash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { canonicalDigests, chain } from './digests.ts';

type Block = Record<string, unknown>;
type Same = 'same' | 'different';

const text = (value: string): Block => ({ type: 'text', text: value });
const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: unknown) => ({ role: 'assistant', content });
const REMINDER = '<system-reminder>Today is Monday.</system-reminder>';
const RESULT: Block = { type: 'tool_result', tool_use_id: 't1', content: 'ok' };
const USE: Block = { type: 'tool_use', id: 't1', name: 'Bash', input: { command: 'ls' } };
const THINKING: Block = { type: 'thinking', thinking: 'hm', signature: 'S' };

function compare(a: unknown, b: unknown): { strict: Same; loose: Same } {
  const [left, right] = [canonicalDigests(a), canonicalDigests(b)];
  return {
    strict: left.strict.equals(right.strict) ? 'same' : 'different',
    loose: left.loose.equals(right.loose) ? 'same' : 'different',
  };
}

describe('canonicalDigests', () => {
  it.each<[title: string, a: unknown, b: unknown, strict: Same, loose: Same]>([
    ['a string and its block', user('hi'), user([text('hi')]), 'same', 'same'],
    [
      'cache_control',
      user([{ ...text('hi'), cache_control: { type: 'ephemeral' } }]),
      user('hi'),
      'same',
      'same',
    ],
    ['members besides role and content', { ...user('hi'), id: 'msg_1' }, user('hi'), 'same', 'same'],
    ['order of keys', user([{ text: 'hi', type: 'text' }]), user('hi'), 'same', 'same'],
    [
      'the content of a tool result as string or block',
      user([RESULT]),
      user([{ ...RESULT, content: [text('ok')] }]),
      'same',
      'same',
    ],
    ['role', user('hi'), assistant('hi'), 'different', 'different'],
    ['text', user('hi'), user('ho'), 'different', 'different'],
    ['lone surrogates', user('\ud83d'), user('\ud83e'), 'different', 'different'],
    [
      'an empty list and an empty string',
      { role: 'system', content: [] },
      { role: 'system', content: '' },
      'different',
      'different',
    ],
    ['one text and two', user([text('a'), text('b')]), user([text('a\nb')]), 'different', 'different'],
    [
      'a text that imitates another encoding',
      user('a"1:b'),
      user([text('a'), text('b')]),
      'different',
      'different',
    ],
    ['white space', user('hi  there\n'), user('hi there'), 'different', 'same'],
    ['a reminder block', user([text(REMINDER), text('hi')]), user('hi'), 'different', 'same'],
    ['a reminder inside the text', user(`hi${REMINDER}`), user('hi'), 'different', 'same'],
    ['thinking', assistant([THINKING, text('a')]), assistant('a'), 'different', 'same'],
    [
      'redacted thinking',
      assistant([{ type: 'redacted_thinking', data: 'x' }, text('a')]),
      assistant('a'),
      'different',
      'same',
    ],
    [
      'the attribution block',
      user([text('x-anthropic-billing-header: cc_version=1;'), text('a')]),
      user('a'),
      'different',
      'same',
    ],
    ['citations', assistant([{ ...text('a'), citations: null }]), assistant('a'), 'different', 'same'],
    [
      'the output of a tool',
      user([RESULT]),
      user([{ ...RESULT, content: '[Old tool result content cleared]' }]),
      'different',
      'same',
    ],
    [
      'an absent and a false is_error',
      user([RESULT]),
      user([{ ...RESULT, is_error: false }]),
      'different',
      'same',
    ],
    ['is_error', user([RESULT]), user([{ ...RESULT, is_error: true }]), 'different', 'different'],
    [
      'the id of a tool result',
      user([RESULT]),
      user([{ ...RESULT, tool_use_id: 't2' }]),
      'different',
      'different',
    ],
    [
      'the input of a tool',
      assistant([USE]),
      assistant([{ ...USE, input: { command: 'ls', cache_control: 1 } }]),
      'different',
      'different',
    ],
    [
      'who called a tool',
      assistant([USE]),
      assistant([{ ...USE, caller: { type: 'direct' } }]),
      'different',
      'same',
    ],
    [
      'images',
      user([{ type: 'image', source: { data: 'a' } }]),
      user([{ type: 'image', source: { data: 'b' } }]),
      'different',
      'different',
    ],
    [
      'reminders where there is nothing else',
      user([text(REMINDER)]),
      user([text(REMINDER.replace('Mon', 'Tues'))]),
      'different',
      'different',
    ],
    [
      'thinking where there is nothing else',
      assistant([THINKING]),
      assistant([{ ...THINKING, thinking: 'ah' }]),
      'different',
      'different',
    ],
    ['white space where there is nothing else', user(' '), user('  '), 'different', 'different'],
    ['values that are no message', 1, '1', 'different', 'different'],
    ['a message without content and one with none', { role: 'user' }, user([]), 'different', 'different'],
    ['blocks that are no objects', user(['a']), user([['a']]), 'different', 'different'],
  ] as const)('compares %s', (...[, a, b, strict, loose]) => {
    expect(compare(a, b)).toEqual({ strict, loose });
  });

  it('gives 16 bytes each', () => {
    const { strict, loose } = canonicalDigests(user('hi'));
    expect([strict.length, loose.length]).toEqual([16, 16]);
  });

  // Stored chains are compared over months: a change of these values needs a new version.
  it('stays what it was', () => {
    const { strict, loose } = canonicalDigests(user([text(REMINDER), text('hi'), RESULT]));
    expect(strict.toString('hex')).toBe('a4116fdcebada0c6423fd9ec1bc8b728');
    expect(loose.toString('hex')).toBe('caadc174c3db14167967e210a0974977');
  });

  it('takes messages nested 200,000 deep and of 200,000 blocks', () => {
    const deep: unknown = JSON.parse(
      `{"role":"user","content":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
    );
    expect(canonicalDigests(deep).strict).toHaveLength(16);
    expect(canonicalDigests(user(Array.from({ length: 200_000 }, () => text('a')))).loose).toHaveLength(16);
  });
});

describe('chain', () => {
  const [a, b] = [canonicalDigests(user('a')).strict, canonicalDigests(user('b')).strict];

  it('hashes the parent and the digest', () => {
    const expected = createHash('sha256').update(Buffer.alloc(16)).update(a).digest().subarray(0, 16);
    expect(chain(undefined, a).equals(expected)).toBe(true);
    expect(chain(chain(undefined, a), b)).toHaveLength(16);
  });

  it('depends on the order of messages', () => {
    expect(chain(chain(undefined, a), b).equals(chain(chain(undefined, b), a))).toBe(false);
  });
});
