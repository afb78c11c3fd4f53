import { describe, expect, it } from 'vitest';
import { BodyCutter } from './body-cutter.ts';
import type { BodyFacts } from './body-facts.ts';
import { readFacts } from './read-facts.ts';
import { Conversation } from './testing/body-generator.ts';
import { Random } from './testing/random.ts';
import { testDigests } from './testing/test-digests.ts';

const none: BodyFacts = {
  model: undefined,
  stream: undefined,
  maxTokens: undefined,
  userId: undefined,
  messageCount: 0,
  toolCount: 0,
  hasJsonSchema: false,
  attribution: undefined,
  systemText: undefined,
  firstText: undefined,
  lastUserText: undefined,
};

function factsOf(body: string): BodyFacts {
  const bytes = Buffer.from(body);
  const { facts } = new BodyCutter({ digests: testDigests }).cut({ week: 0, body: bytes });
  expect(readFacts(bytes)).toEqual(facts);
  return facts;
}

const user = (content: unknown): object => ({ role: 'user', content });
const text = (value: string): object => ({ type: 'text', text: value });
const withMessages = (...messages: object[]): string => JSON.stringify({ messages });
const attribution = 'x-anthropic-billing-header: cc_version=2.1.330.abc; cc_entrypoint=cli;';

describe('facts of a body', () => {
  it('are read from the top level', () => {
    const body = {
      model: 'claude-test',
      messages: [user('hello')],
      system: [text(attribution), text('You are Claude Code.'), text('Long prompt')],
      tools: [{ name: 'a' }, { name: 'b', input_schema: { x: [{}] } }],
      metadata: { user_id: '{"session_id":"s"}' },
      max_tokens: 5,
      output_config: { format: { type: 'json_schema', schema: {} } },
      stream: true,
    };
    expect(factsOf(JSON.stringify(body))).toEqual({
      model: 'claude-test',
      stream: true,
      maxTokens: 5,
      userId: '{"session_id":"s"}',
      messageCount: 1,
      toolCount: 2,
      hasJsonSchema: true,
      attribution,
      systemText: 'Long prompt',
      firstText: 'hello',
      lastUserText: 'hello',
    });
  });

  it.each<[string, string, Partial<BodyFacts>]>([
    ['nothing', '', {}],
    [
      'what is cut off, as far as it goes',
      '{"model":"m","stream":true,"messages":[{"role":"us',
      { model: 'm', stream: true },
    ],
    [
      'what is cut off after the messages',
      '{"model":"m","messages":[],"stream":true,"tools":[',
      { model: 'm', stream: true },
    ],
    ['no messages', '{"model":"m","max_tokens":3}', { model: 'm', maxTokens: 3 }],
    [
      'the last of two keys',
      '{"model":"a","stream":true,"messages":[],"model":"b","stream":1}',
      { model: 'b' },
    ],
    ['an escaped key', '{"\\u006dodel":"a","messages":[]}', { model: 'a' }],
    [
      'values of another type',
      '{"model":5,"stream":"x","max_tokens":"1","metadata":[],"system":5,"tools":{},"messages":[]}',
      {},
    ],
    ['a prompt that is a string', '{"system":"be nice","messages":[]}', { systemText: 'be nice' }],
    [
      'one block of a prompt',
      '{"system":[{"type":"text","text":"be nice"}],"messages":[]}',
      { systemText: 'be nice' },
    ],
    [
      'an older way to ask for a schema',
      '{"output_format":{"type":"json_schema"},"messages":[]}',
      { hasJsonSchema: true },
    ],
    ['an own property only', '{"metadata":{"__proto__":{"user_id":"x"}},"messages":[]}', {}],
  ])('of %s', (_, body, expected) => {
    expect(factsOf(body)).toEqual({ ...none, ...expected });
  });

  const reminder = '<system-reminder>\nx\n</system-reminder>';
  it.each<[string, object[], [string | undefined, string | undefined]]>([
    ['a string', [user('a'), { role: 'assistant', content: 'b' }], ['a', 'a']],
    ['blocks', [user([text('a'), text('b')])], ['a', 'b']],
    ['a reminder first', [user([text(reminder), text('a')])], ['a', 'a']],
    ['nothing but a reminder', [user([text(reminder)])], [reminder, reminder]],
    ['no text in the last message', [user('a'), user([{ type: 'tool_result', content: 'x' }])], ['a', 'a']],
    ['no user at all', [{ role: 'system', content: 'a' }], [undefined, undefined]],
    [
      'a text too long',
      [user(`${'a'.repeat(2047)}\u{1f980}b`)],
      [`${'a'.repeat(2047)}\ud83e`, `${'a'.repeat(2047)}\ud83e`],
    ],
  ])('tell the texts of the user: %s', (_, messages, [firstText, lastUserText]) => {
    expect(factsOf(withMessages(...messages))).toEqual({
      ...none,
      messageCount: messages.length,
      firstText,
      lastUserText,
    });
  });

  it('are what JSON.parse would find', () => {
    const random = new Random(5);
    for (let i = 0; i < 300; i++) {
      const conversation = new Conversation(random);
      conversation.next();
      const body = conversation.next();
      const parsed = JSON.parse(body.toString()) as Record<string, unknown>;
      const facts = factsOf(body.toString());
      expect(facts.model).toBe(typeof parsed['model'] === 'string' ? parsed['model'] : undefined);
      expect(facts.stream).toBe(parsed['stream']);
      expect(facts.maxTokens).toBe(parsed['max_tokens']);
      expect(facts.userId).toBe((parsed['metadata'] as { user_id: string }).user_id);
      expect(facts.hasJsonSchema).toBe('output_config' in parsed);
      const isWhole = (body.toString().match(/"messages"\s*:/gu) ?? []).length > 1;
      expect(facts.messageCount).toBe(isWhole ? 0 : (parsed['messages'] as unknown[]).length);
    }
  });
});
