import { describe, expect, it } from 'vitest';

import { renderError } from '../errors.ts';
import {
  UpstreamAnswerError,
  UpstreamClosedError,
  UpstreamConnectTimeoutError,
  UpstreamRequestError,
} from './errors.ts';
import { FAILURES, upstreamFailure } from './failure.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(`connect ${code} 10.0.0.1:443`), { code });
}

describe('upstreamFailure', () => {
  it.each([
    [systemError('ECONNREFUSED'), 502, 'unreachable'],
    [systemError('ENOTFOUND'), 502, 'unreachable'],
    [systemError('EAI_AGAIN'), 502, 'unreachable'],
    [systemError('CERT_HAS_EXPIRED'), 502, 'unreachable'],
    [new Error('no code'), 502, 'unreachable'],
    [systemError('ETIMEDOUT'), 504, 'connectTimeout'],
    [new UpstreamConnectTimeoutError('no connection in time'), 504, 'connectTimeout'],
    [systemError('ECONNRESET'), 502, 'reset'],
    [systemError('EPIPE'), 502, 'reset'],
    [new UpstreamClosedError('other side closed'), 502, 'reset'],
    [new UpstreamAnswerError('the head is too long'), 502, 'garbage'],
    [new UpstreamRequestError('invalid header'), 400, 'malformed'],
  ] as const)('of %s is %i %s', (error, status, name) => {
    expect(upstreamFailure(error)).toBe(FAILURES[name]);
    expect(FAILURES[name].status).toBe(status);
  });
});

describe('own errors', () => {
  it('have the shape of the Messages API', () => {
    expect(JSON.parse(renderError(FAILURES.tooLarge, 'id').body)).toEqual({
      type: 'error',
      error: { type: 'request_too_large', message: FAILURES.tooLarge.message },
      request_id: 'id',
    });
  });

  it('tell when to come back', () => {
    expect(renderError(FAILURES.draining, 'id').headers).toMatchObject({
      'x-should-retry': 'true',
      'retry-after': '2',
    });
    expect(renderError(FAILURES.tooLarge, 'id').headers).not.toHaveProperty('retry-after');
  });
});
