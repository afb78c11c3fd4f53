import { describe, expect, it } from 'vitest';

import { identityOf } from './identity.ts';
import type { Identity } from './identity.ts';

const SESSION = '9c1a5f7e-2b3d-4c6e-8f90-a1b2c3d4e5f6';
const HEX = 'ab'.repeat(32);
const USER_ID = JSON.stringify({ device_id: HEX, account_uuid: 'acc-1', session_id: 'from-body' });

describe('identityOf', () => {
  it.each<[title: string, headers: Record<string, string>, userId: string | undefined, expected: Identity]>([
    [
      'reads every header',
      {
        'x-claude-code-session-id': SESSION,
        'x-claude-code-agent-id': 'a0123456789abcdef',
        'x-claude-code-parent-agent-id': 'afedcba9876543210',
        'x-claude-code-prompt-id': 'p-1',
        'x-claude-code-request-class': 'subagent',
        'x-claude-code-agent-type': 'general-purpose',
      },
      undefined,
      {
        sessionId: SESSION,
        agentId: 'a0123456789abcdef',
        parentAgentId: 'afedcba9876543210',
        promptId: 'p-1',
        requestClass: 'subagent',
        agentType: 'general-purpose',
      },
    ],
    [
      'prefers the header to the body',
      { 'x-claude-code-session-id': SESSION },
      USER_ID,
      { sessionId: SESSION, deviceId: HEX, accountUuid: 'acc-1' },
    ],
    ['falls back to the body', {}, USER_ID, { sessionId: 'from-body', deviceId: HEX, accountUuid: 'acc-1' }],
    [
      'falls back to the older form in the body',
      {},
      `user_${HEX}_account__session_${SESSION}`,
      { sessionId: SESSION, deviceId: HEX },
    ],
    [
      'falls back where the header is implausible',
      { 'x-claude-code-session-id': ' ' },
      USER_ID,
      { sessionId: 'from-body', deviceId: HEX, accountUuid: 'acc-1' },
    ],
    ['trims values', { 'x-claude-code-agent-id': ' a1 ' }, undefined, { agentId: 'a1' }],
    ['knows nothing of a plain API client', {}, 'customer-42', {}],
  ])('%s', (_title, headers, userId, expected) => {
    expect(identityOf({ headers: (name) => headers[name], userId })).toEqual(expected);
  });

  it.each([
    ['over-long', 'x'.repeat(129)],
    ['with a line feed', 'a\nb'],
    ['with NUL', 'a\0b'],
    ['with DEL', 'a\u007fb'],
    ['with a C1 control', 'a\u0085b'],
    ['with a lone surrogate', 'a\ud83db'],
    ['empty', ''],
  ])('drops a value %s', (_title, value) => {
    const userId = JSON.stringify({ session_id: value });
    expect(identityOf({ headers: () => value, userId })).toEqual({});
  });

  it('keeps letters of any script', () => {
    expect(identityOf({ headers: () => undefined, userId: '{"device_id":"größe-😀"}' })).toEqual({
      deviceId: 'größe-😀',
    });
  });
});
