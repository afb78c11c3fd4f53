import { describe, expect, it } from 'vitest';

import { parseUserId } from './user-id.ts';
import type { UserId } from './user-id.ts';

const HEX = '3f'.repeat(32);
const ACCOUNT = '0b7d9a52-58a5-4a4f-9a5d-6c3b1f0e2d4c';
const SESSION = '9c1a5f7e-2b3d-4c6e-8f90-a1b2c3d4e5f6';

describe('parseUserId', () => {
  it.each<[title: string, value: string | undefined, expected: UserId]>([
    [
      'reads the JSON form',
      JSON.stringify({ device_id: HEX, account_uuid: ACCOUNT, session_id: SESSION }),
      { deviceId: HEX, accountUuid: ACCOUNT, sessionId: SESSION },
    ],
    [
      'leaves out the empty account of a gateway credential',
      JSON.stringify({ device_id: HEX, account_uuid: '', session_id: SESSION }),
      { deviceId: HEX, sessionId: SESSION },
    ],
    ['passes over other members and types', '{"device_id":1,"session_id":"s","more":[]}', { sessionId: 's' }],
    [
      'reads the older form',
      `user_${HEX}_account_${ACCOUNT}_session_${SESSION}`,
      { deviceId: HEX, accountUuid: ACCOUNT, sessionId: SESSION },
    ],
    [
      'reads the older form without account',
      `user_${HEX}_account__session_${SESSION}`,
      { deviceId: HEX, sessionId: SESSION },
    ],
    ['gives nothing for an id of another client', 'user-1234', {}],
    ['gives nothing for JSON that is no object', '["a"]', {}],
    ['gives nothing for torn JSON', '{"session_id":"s"', {}],
    [
      'gives nothing for an absurdly long value',
      JSON.stringify({ session_id: 's', pad: 'x'.repeat(3000) }),
      {},
    ],
    ['gives nothing for nothing', undefined, {}],
  ])('%s', (_title, value, expected) => {
    expect(parseUserId(value)).toEqual(expected);
  });
});
