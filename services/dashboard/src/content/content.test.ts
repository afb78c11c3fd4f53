import { gzipSync } from 'node:zlib';
import { RequestContent, ResponseContent } from '@claude-nexus/api-contract';
import * as fc from 'fast-check';
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import type { StoredBody } from '../store.ts';
import { jsonBody } from '../testing/fixtures.ts';
import { CONTENT_LIMITS, ContentBudget } from './budget.ts';
import { parseBody } from './parse-body.ts';
import { toRequestContent } from './request-content.ts';
import { toResponseContent } from './response-content.ts';

function request(value: unknown, other: Partial<StoredBody> = {}): RequestContent {
  const parsed = parseBody({ ...jsonBody(value), ...other });
  return toRequestContent({ parsed, url: 'u' }, new ContentBudget());
}

function response(value: unknown, other: Partial<StoredBody> = {}): ResponseContent {
  return toResponseContent({ stored: { ...jsonBody(value), ...other }, url: 'u' }, new ContentBudget());
}

const blocksOf = (content: unknown) => request({ messages: [{ role: 'user', content }] }).messages[0]?.blocks;

describe('request content', () => {
  it('reads what the client sends', () => {
    const content = request({
      model: 'claude-sonnet-5-5',
      max_tokens: 128_000,
      stream: true,
      metadata: { user_id: 'x' },
      system: [{ type: 'text', text: 'You are', cache_control: { type: 'ephemeral' } }],
      tools: [{ name: 'Bash' }, { type: 'web_search_20250305', name: 'web_search' }, 7],
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'system', content: [{ type: 'text', text: 'mid' }] },
      ],
    });
    expect(content).toMatchObject({
      model: 'claude-sonnet-5-5',
      maxTokens: 128_000,
      parameters: [
        { name: 'stream', json: 'true' },
        { name: 'metadata', json: '{\n  "user_id": "x"\n}' },
      ],
      system: [{ type: 'text', text: 'You are', cacheControl: true }],
      tools: ['Bash', 'web_search', 'unknown'],
      messages: [
        { index: 0, role: 'user', blocks: [{ text: 'hi', length: 2 }] },
        { index: 1, role: 'system', blocks: [{ text: 'mid' }] },
      ],
      truncated: false,
    });
  });

  it.each([
    [
      'a tool call',
      { type: 'tool_use', id: 't1', name: 'Bash', input: { command: 'ls' } },
      { toolName: 'Bash', toolUseId: 't1', textFormat: 'json', text: '{\n  "command": "ls"\n}' },
    ],
    [
      'a tool result as text',
      { type: 'tool_result', tool_use_id: 't1', content: 'out', is_error: true },
      { toolUseId: 't1', isError: true, text: 'out' },
    ],
    [
      'a tool result as blocks',
      { type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'a' }, 'b'] },
      { text: null, blocks: [{ text: 'a' }, { text: 'b' }] },
    ],
    [
      'a search result',
      {
        type: 'web_search_tool_result',
        tool_use_id: 's',
        content: [{ type: 'web_search_result', url: 'u' }],
      },
      { toolUseId: 's', blocks: [{ type: 'web_search_result', textFormat: 'json' }] },
    ],
    ['thinking', { type: 'thinking', thinking: 'hm', signature: 'x' }, { text: 'hm', textFormat: 'text' }],
    [
      'an image',
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'QUJD' } },
      { text: null, mediaType: 'image/png', byteLength: 3 },
    ],
    [
      'an image by address',
      { type: 'image', source: { type: 'url', url: 'https://x' } },
      { textFormat: 'json', mediaType: null },
    ],
    [
      'a text document',
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'words' } },
      { text: 'words', mediaType: 'text/plain' },
    ],
    ['an unknown block', { type: 'new_thing', a: 1 }, { type: 'new_thing', textFormat: 'json' }],
    ['a number', 5, { type: 'text', text: '5', textFormat: 'json' }],
    ['a block without a type', { text: 'x' }, { type: 'unknown' }],
  ])('shows %s', (_name, block, expected) => {
    expect(blocksOf([block])).toMatchObject([expected]);
  });

  it.each([
    ['<html>', 'The body is not JSON.'],
    ['[1]', 'The body is JSON, but not an object.'],
    ['', 'The body is empty.'],
    ['{"a":1', 'The body is not JSON.'],
  ])('says why %j cannot be shown', (text, problem) => {
    expect(request(text)).toMatchObject({ parseError: problem, bodyUrl: 'u', messages: [] });
  });

  it('decodes a compressed body and says when it cannot', () => {
    const bytes = gzipSync('{"model":"m"}');
    expect(request('', { bytes, encoding: 'gzip' })).toMatchObject({ parseError: null, model: 'm' });
    expect(request('', { bytes, encoding: 'br' }).parseError).toMatch(/Content-Encoding/);
    expect(request('', { bytes, encoding: '__proto__' }).parseError).toMatch(/Content-Encoding/);
  });

  it('does not unpack a bomb', () => {
    const bytes = gzipSync(Buffer.alloc(40 * 1024 * 1024, 0x20));
    expect(request('', { bytes, encoding: 'gzip' }).parseError).toMatch(/too large/);
  });
});

describe('limits', () => {
  it('shortens long text, never inside a character', () => {
    const [block] = blocksOf(`${'x'.repeat(CONTENT_LIMITS.pieceText - 1)}💥${'y'.repeat(10)}`) ?? [];
    expect(block).toMatchObject({ truncated: true, length: CONTENT_LIMITS.pieceText + 11 });
    expect(block?.text).toHaveLength(CONTENT_LIMITS.pieceText - 1);
  });

  it('keeps the newest messages of a long conversation', () => {
    const messages = Array.from({ length: 3_000 }, (_, n) => ({
      role: 'user',
      content: `message ${n} ${'x'.repeat(2_000)}`,
    }));
    const content = request({ messages });
    expect(content.messages).toHaveLength(2_000);
    expect(content).toMatchObject({ messagesOmitted: 1_000, truncated: true });
    expect(content.messages.at(-1)).toMatchObject({ index: 2_999, blocks: [{ truncated: false }] });
    expect(content.messages[0]).toMatchObject({ index: 1_000, blocks: [{ truncated: true, text: '' }] });
    expect(JSON.stringify(content).length).toBeLessThan(4_000_000);
  });

  it.each([
    [
      'many blocks',
      {
        messages: [
          { role: 'user', content: Array.from({ length: 100_000 }, () => ({ type: 'text', text: 'x' })) },
        ],
      },
    ],
    [
      'many nested blocks',
      {
        messages: [
          {
            role: 'user',
            content: [{ type: 'tool_result', content: Array.from({ length: 100_000 }, () => 1) }],
          },
        ],
      },
    ],
    ['many tools', { tools: Array.from({ length: 100_000 }, () => ({ name: 'x'.repeat(1_000) })) }],
    ['many members', Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`name ${n}`, n]))],
    [
      'a long list in a tool call',
      {
        messages: [
          { role: 'a', content: [{ type: 'tool_use', input: Array.from({ length: 500_000 }, () => 0) }] },
        ],
      },
    ],
    [
      'long names',
      {
        ['k'.repeat(100_000)]: 1,
        messages: [{ role: 'r'.repeat(100_000), content: [{ type: 't'.repeat(100_000) }] }],
      },
    ],
  ])('stays small for %s', (_name, body) => {
    const content = request(body);
    expect(JSON.stringify(content).length).toBeLessThan(4_000_000);
  });

  it('survives nesting that would overflow a recursion', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const body = `{"metadata":${deep},"messages":[{"role":"user","content":[{"type":"tool_use","input":${deep}},${deep}]}]}`;
    const content = request(body);
    expect(content.parseError).toBeNull();
    expect(content.messages[0]?.blocks[0]).toMatchObject({ truncated: true, length: null });
  });
});

describe('response content', () => {
  it('reads a message', () => {
    const message = {
      type: 'message',
      role: 'assistant',
      model: 'm',
      stop_reason: 'end_turn',
      content: [{ type: 'text', text: 'hi' }],
      usage: { input_tokens: 1 },
    };
    expect(response(message)).toMatchObject({
      parseError: null,
      complete: true,
      error: null,
      message: {
        role: 'assistant',
        model: 'm',
        stopReason: 'end_turn',
        usageJson: '{\n  "input_tokens": 1\n}',
        blocks: [{ text: 'hi' }],
      },
    });
  });

  it('reads an error, as a body and as an event of a stream', () => {
    const error = { type: 'overloaded_error', message: 'Overloaded' };
    expect(response({ type: 'error', error })).toMatchObject({ error, message: null, parseError: null });
    const stream = {
      content: [],
      _stream: {
        events: [
          { at: 1, event: 'new', data: {} },
          { at: 4, event: 'error', data: { type: 'error', error } },
        ],
      },
    };
    expect(response(stream)).toMatchObject({ error, message: { blocks: [] } });
  });

  it('shows how far a cut stream got, or that it did not begin', () => {
    const partialMessage = Buffer.from('{"content":[{"type":"text","text":"par"}]}');
    expect(response('event: x', { complete: false, partialMessage })).toMatchObject({
      complete: false,
      message: { blocks: [{ text: 'par' }] },
    });
    expect(response('event: x', { complete: false })).toMatchObject({
      complete: false,
      parseError: expect.stringMatching(/cut/),
    });
  });

  it('is empty when nothing is stored', () => {
    expect(toResponseContent(undefined, new ContentBudget())).toMatchObject({
      bodyUrl: null,
      parseError: null,
      message: null,
    });
  });
});

describe('any JSON at all', () => {
  it('gives content by the schema', () => {
    const names = fc.constantFrom(
      'messages',
      'system',
      'tools',
      'content',
      'type',
      'role',
      'text',
      'input',
      'source',
      'data',
      'cache_control',
      'error',
      '_stream',
      'events',
      'usage',
      'model',
      'max_tokens',
      '__proto__',
      'constructor',
      'toString',
    );
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom('text', 'tool_use', 'tool_result', 'image', 'user', '\ud800', '\u0000', '💥'),
        fc.double(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value')),
        tie('object'),
      ),
      object: fc.dictionary(names, tie('value')),
    }));
    const property = fc.property(json['object'], (body) => {
      const text = JSON.stringify(body);
      expect([...Value.Errors(RequestContent, request(text))]).toEqual([]);
      expect([...Value.Errors(ResponseContent, response(text))]).toEqual([]);
    });
    fc.assert(property, { seed: 7, numRuns: 300 });
  });
});
