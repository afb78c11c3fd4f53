import { describe, expect, it } from 'vitest';

import { ConfigError, CredentialFileError, ListenError, MetricNameError, NexusError } from './errors.ts';

describe('error catalogue', () => {
  it.each([
    [
      new ConfigError(['PORT must be a port', 'HOST is not set']),
      'ConfigError',
      'NEXUS_CONFIG_INVALID',
      'PORT must be a port; HOST is not set',
    ],
    [
      new CredentialFileError('a.credentials.json', 'is not valid JSON'),
      'CredentialFileError',
      'NEXUS_CREDENTIAL_FILE_INVALID',
      'a.credentials.json: is not valid JSON',
    ],
    [new ListenError('taken'), 'ListenError', 'NEXUS_LISTEN_FAILED', 'taken'],
    [new MetricNameError('wrong'), 'MetricNameError', 'NEXUS_METRIC_NAME_INVALID', 'wrong'],
  ] as const)('%s has a name, a stable code and its message', (error, name, code, message) => {
    expect(error).toBeInstanceOf(NexusError);
    expect({ name: error.name, code: error.code, message: error.message }).toEqual({ name, code, message });
  });

  it('keeps the cause', () => {
    const cause = new Error('below');
    expect(new ListenError('above', { cause }).cause).toBe(cause);
  });
});
