import { describe, expect, it } from 'vitest';
import { classifyFailure, mayBlameRecord } from './failure.ts';

const coded = (code: string): Error => Object.assign(new Error('x'), { code });

describe('classifyFailure', () => {
  it.each([
    ['connection refused', coded('ECONNREFUSED'), 'outage'],
    ['a dual-stack connect that failed', new AggregateError([coded('ECONNREFUSED')]), 'outage'],
    ['a connection that ended under the query', new Error('Connection terminated unexpectedly'), 'outage'],
    [
      'a pool that gave no connection in time',
      new Error('timeout exceeded when trying to connect'),
      'outage',
    ],
    ['a connection that says nothing any more', new Error('Query read timeout'), 'outage'],
    ['a read-only database', coded('25006'), 'outage'],
    ['a full disk', coded('53100'), 'outage'],
    ['too many connections', coded('53300'), 'outage'],
    ['a server that shuts down', coded('57P01'), 'outage'],
    ['a schema that is not there', coded('3F000'), 'outage'],
    ['a function that is not there', coded('42883'), 'outage'],
    ['a wrong password', coded('28P01'), 'outage'],
    ['a schema that no longer serves this version', coded('NEXUS_SCHEMA_UNFIT'), 'outage'],
    ['a schema that was never migrated', coded('NEXUS_SCHEMA_MISSING'), 'outage'],
    ['a deadlock', coded('40P01'), 'retry'],
    ['a statement timeout', coded('57014'), 'retry'],
    ['a missing node', coded('NEXUS_MISSING_NODE'), 'stale-memory'],
    ['an invalid text', coded('22021'), 'bad-record'],
    ['a check violation', coded('23514'), 'bad-record'],
    ['an error of our own', new TypeError('undefined is not a function'), 'bad-record'],
    ['something that is no error', 'boom', 'bad-record'],
  ])('%s', (_, error, kind) => {
    expect(classifyFailure(error)).toBe(kind);
  });
});

describe('mayBlameRecord', () => {
  it.each([
    ['an invalid text', coded('22021'), true],
    ['a check violation', coded('23514'), true],
    ['a lock that nobody gives back', coded('55P03'), true],
    ['a server process that died', coded('57P02'), true],
    ['a connection that was reset', coded('ECONNRESET'), true],
    ['a connection that ended under the query', new Error('Connection terminated unexpectedly'), true],
    ['an error of our own', new TypeError('undefined is not a function'), true],
    ['a full disk', coded('53100'), false],
    ['a server out of memory', coded('53200'), false],
    ['a read-only database', coded('25006'), false],
    ['a right that was taken away', coded('42501'), false],
    ['a table that is not there', coded('42P01'), false],
    ['connection refused', coded('ECONNREFUSED'), false],
    ['a schema that no longer serves this version', coded('NEXUS_SCHEMA_UNFIT'), false],
  ])('of %s: %s', (_, error, may) => {
    expect(mayBlameRecord(error)).toBe(may);
  });
});
