import { describe, expect, it } from 'vitest';

import { readDeltaRun } from './delta-run.ts';

const frame = {
  prefix: '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"',
  suffix: '"}',
};

/** @param ending what follows the delta object */
function event(literal: string, ending = '}\n\n'): string {
  return `event: content_block_delta\ndata: ${data(literal)}${ending}`;
}

function data(literal: string): string {
  return `${frame.prefix}${literal}${frame.suffix}`;
}

describe('readDeltaRun', () => {
  it.each([
    ['events one after the other', ['Hello', ' world'], '}\n\n', 1],
    ['events that are padded', ['Hello', ' world'], ' \t}  \n\n', 5],
    ['escapes, as they are spelled', ['a\\"b', '\\\\', '\\u00e9\\n'], '}\n\n', 1],
    ['empty texts', ['', ''], '}\n\n', 1],
  ])('takes %s', (_, literals, ending, endingLength) => {
    const events = literals.map((literal) => event(literal, ending)).join('');
    expect(readDeltaRun(`begin${events}event: ping\n`, 5, frame)).toEqual({
      end: 5 + events.length,
      events: literals.length,
      dataLength: literals.reduce((sum, literal) => sum + data(literal).length + endingLength, 0),
      literal: literals.join(''),
    });
  });

  it.each([
    ['ends without its brace', event('x', '\n\n')],
    ['has its brace on another line', event('x', '\n\n}\n\n')],
    ['has more members', event('x', ',"more":1}\n\n')],
    ['goes on after its brace', event('x', '} {}\n\n')],
    ['has more lines', event('x', '}\ndata: more\n\n')],
    ['has a line end in its text', event('x\ny')],
    ['has no closing quote', event('x').slice(0, -5)],
    ['ends inside an escape', event('\\u00')],
    ['is cut before its blank line', event('x', '}\n')],
    ['is of another block', event('x').replace('"index":0', '"index":1')],
  ])('stops before an event that %s', (_, odd) => {
    const first = event('first');
    expect(readDeltaRun(first + odd + event('last'), 0, frame)).toMatchObject({
      end: first.length,
      events: 1,
      literal: 'first',
    });
  });
});
