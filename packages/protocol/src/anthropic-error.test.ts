import { describe, expect, it } from 'vitest';

import { anthropicError } from './anthropic-error.ts';

describe('anthropicError', () => {
  it('has the shape of the Messages API', () => {
    expect(anthropicError('not_found_error', 'No "x".', 'req_1')).toBe(
      '{"type":"error","error":{"type":"not_found_error","message":"No \\"x\\"."},"request_id":"req_1"}',
    );
  });

  it('leaves out a request id that does not exist', () => {
    expect(JSON.parse(anthropicError('api_error', 'Broken.'))).not.toHaveProperty('request_id');
  });
});
