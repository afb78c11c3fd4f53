import { describe, expect, it } from 'vitest';

import { CredentialsDirError, OWN_ERRORS, renderError } from './errors.ts';

describe('OWN_ERRORS', () => {
  it.each(Object.entries(OWN_ERRORS))('renders %s in the shape of the Messages API', (_, error) => {
    const { status, headers, body } = renderError(error, 'req_1');
    expect(status).toBe(error.status);
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'request-id': 'req_1',
      'x-should-retry': String(error.shouldRetry),
    });
    expect(JSON.parse(body)).toEqual({
      type: 'error',
      error: { type: error.errorType, message: error.message },
      request_id: 'req_1',
    });
  });

  it('tells the client never to retry what only a person can change', () => {
    const definitive = Object.values(OWN_ERRORS).filter((error) => error.status < 500);
    expect(definitive.map((error) => error.shouldRetry)).not.toContain(true);
  });

  it('gives every answer an id of its own', () => {
    const bodies = [renderError(OWN_ERRORS.notFound).body, renderError(OWN_ERRORS.notFound).body];
    expect(bodies[0]).not.toBe(bodies[1]);
  });
});

describe('CredentialsDirError', () => {
  it('has a stable code', () => {
    expect(new CredentialsDirError('x').code).toBe('NEXUS_CREDENTIALS_DIR_UNREADABLE');
  });
});
