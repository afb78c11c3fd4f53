import { describe, expect, it } from 'vitest';
import { BodyCorruptError } from '../errors.ts';
import { databaseFailure } from './failures.ts';

function failure(code: string | undefined, message = 'x'): unknown {
  return databaseFailure(Object.assign(new Error(message), code === undefined ? {} : { code }));
}

describe('databaseFailure', () => {
  it.each([
    ['ECONNREFUSED', 'x'],
    ['ENOTFOUND', 'x'],
    ['57P03', 'the database system is starting up'],
    ['53300', 'too many connections'],
    ['55000', 'database is not currently accepting connections'],
    ['28P01', 'password authentication failed'],
    ['3D000', 'database does not exist'],
    ['42P01', 'relation does not exist'],
    [undefined, 'Connection terminated unexpectedly'],
    [undefined, 'timeout exceeded when trying to connect'],
  ])('takes %s %j for an outage', (code, message) => {
    expect(failure(code, message)).toMatchObject({ code: 'NEXUS_DATABASE_UNAVAILABLE', status: 503 });
  });

  it('takes a cancelled statement for a slow query', () => {
    expect(failure('57014')).toMatchObject({ code: 'NEXUS_QUERY_TOO_SLOW', status: 503 });
  });

  it.each(['42601', '22P02', '22021', undefined])('leaves %s as it is, a defect', (code) => {
    expect(failure(code)).not.toHaveProperty('status');
  });

  it('leaves errors of ours as they are', () => {
    const error = new BodyCorruptError();
    expect(databaseFailure(error)).toBe(error);
    expect(databaseFailure('text')).toBe('text');
  });
});
