import { describe, expect, it } from 'vitest';

import { createLogger } from './logger.ts';
import type { Logger, LogLevel } from './logger.ts';

function capture(level: LogLevel = 'trace'): {
  logger: Logger;
  text: () => string;
  last: () => Record<string, unknown>;
} {
  const lines: string[] = [];
  const logger = createLogger({
    name: 'test',
    level,
    destination: { write: (line) => void lines.push(line) },
  });
  return {
    logger,
    text: () => lines.join(''),
    last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown>,
  };
}

const SECRET = 'sk-ant-MARKEDSECRET0123456789';
const PLAIN = 'MARKEDSECRET-plain';

describe('createLogger', () => {
  it('writes JSON lines with level, time, name and message', () => {
    const { logger, last } = capture();
    logger.info({ port: 3000 }, 'listening');
    expect(last()).toMatchObject({ level: 'info', name: 'test', port: 3000, msg: 'listening' });
    expect(last()['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it('keeps to its level', () => {
    const { logger, text } = capture('warn');
    logger.info('hidden');
    expect(text()).toBe('');
  });

  it.each<[string, (logger: Logger) => void]>([
    [
      'a header by name',
      (logger) => logger.info({ headers: { 'X-Api-Key': PLAIN, Authorization: `Bearer ${PLAIN}` } }, 'm'),
    ],
    [
      'a property by name',
      (logger) => logger.info({ file: { api_key: PLAIN, client_keys: [{ key: SECRET }] } }, 'm'),
    ],
    ['a flat header list', (logger) => logger.info({ headers: ['x-api-key', PLAIN, 'Cookie', PLAIN] }, 'm')],
    ['the message', (logger) => logger.info(`refused ${SECRET}`)],
    ['an interpolated value', (logger) => logger.info('refused %s %o', SECRET, { apiKey: PLAIN })],
    ['an error without a message', (logger) => logger.error(new Error(`upstream said ${SECRET}`))],
    ['an error under err', (logger) => logger.error({ err: new Error(`upstream said ${SECRET}`) })],
    [
      'the cause of an error',
      (logger) => logger.error({ err: new Error('x', { cause: new Error(SECRET) }) }, 'm'),
    ],
    [
      'the fields of an error',
      (logger) => logger.error(Object.assign(new Error('x'), { token: PLAIN }), 'm'),
    ],
    [
      'the bindings of a child',
      (logger) => logger.child({ cookie: PLAIN, url: `postgres://u:${PLAIN}@h/d` }).info('m'),
    ],
    ['the bindings of a grandchild', (logger) => logger.child({ a: 1 }).child({ cookie: PLAIN }).info('m')],
    [
      'a URL with a password',
      (logger) => logger.info({ url: new URL(`https://u:${PLAIN}@h.example.com/`) }, 'm'),
    ],
    ['a map', (logger) => logger.info({ map: new Map([['x-api-key', PLAIN]]) }, 'm')],
    ['a header in text', (logger) => logger.info(`x-api-key: ${PLAIN}`)],
    ['a bearer in text', (logger) => logger.info(`authorization: Bearer ${PLAIN}`)],
    ['a Slack address', (logger) => logger.info({ to: `https://hooks.slack.com/services/${PLAIN}` }, 'm')],
  ])('hides a secret in %s', (_, write) => {
    const { logger, text } = capture();
    write(logger);
    expect(text()).not.toContain('MARKEDSECRET');
    expect(text()).toContain('[redacted]');
  });

  it('keeps the type, message, code, stack and cause of an error', () => {
    const { logger, last } = capture();
    logger.error(
      { err: Object.assign(new TypeError('broken', { cause: 'below' }), { code: 'E_X' }) },
      'failed',
    );
    expect(last()['err']).toMatchObject({
      type: 'TypeError',
      message: 'broken',
      code: 'E_X',
      cause: 'below',
    });
    expect((last()['err'] as { stack: string }).stack).toContain('logger.test.ts');
    expect(last()['msg']).toBe('failed');
  });

  it('takes the message of an error when there is no other', () => {
    const { logger, last } = capture();
    logger.error(new Error('broken'));
    expect(last()['msg']).toBe('broken');
  });

  it('survives cycles, depth, bytes, big integers and invalid dates', () => {
    const { logger, last } = capture();
    const cycle: Record<string, unknown> = { bytes: Buffer.from('abc'), big: 1n, date: new Date(Number.NaN) };
    cycle['self'] = cycle;
    logger.info({ cycle, deep: JSON.parse('['.repeat(50) + ']'.repeat(50)) as unknown }, 'm');
    expect(last()['cycle']).toEqual({
      bytes: '[3 bytes]',
      big: '1',
      date: 'invalid date',
      self: '[circular]',
    });
  });

  it('leaves token counts and flags readable', () => {
    const { logger, last } = capture();
    logger.info({ inputTokens: 5, hash: 'abc', secret: true }, 'm');
    expect(last()).toMatchObject({ inputTokens: 5, hash: 'abc', secret: true });
  });
});
