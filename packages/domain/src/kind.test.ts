import { describe, expect, it } from 'vitest';

import { isAttribution, kindOf } from './kind.ts';
import type { KindSignals, RequestKind } from './kind.ts';

const ATTRIBUTION = 'x-anthropic-billing-header: cc_version=2.1.330.1ab; cc_entrypoint=cli;';
const SUBAGENT_ATTRIBUTION = `${ATTRIBUTION} cc_is_subagent=true;`;
const COMPACT =
  'CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.\n\nYour task is to create a detailed summary of this conversation.';

describe('kindOf', () => {
  it.each<[title: string, signals: Partial<KindSignals>, kind: RequestKind]>([
    [
      'an ordinary turn',
      { attribution: ATTRIBUTION, toolCount: 12, maxTokens: 128_000, firstText: 'hi' },
      'main',
    ],
    ['a request of which nothing is known', {}, 'main'],
    ['another path', { path: '/v1/messages/count_tokens?beta=true', requestClass: 'main' }, 'other'],
    ['the model list', { path: '/v1/models?limit=1000' }, 'other'],
    ['class main', { requestClass: 'main', agentId: 'a1' }, 'main'],
    ['class subagent', { requestClass: 'subagent' }, 'subagent'],
    ['class workflow', { requestClass: 'workflow' }, 'subagent'],
    ['class compaction', { requestClass: 'compaction', agentId: 'a1' }, 'compaction'],
    ['class auxiliary', { requestClass: 'auxiliary', toolCount: 3 }, 'auxiliary'],
    ['an unknown class with an agent', { requestClass: 'future', agentId: 'a1' }, 'subagent'],
    ['a class named like a method', { requestClass: 'constructor' }, 'main'],
    ['an agent id', { agentId: 'a0123456789abcdef', attribution: ATTRIBUTION }, 'subagent'],
    ['the mark of a sub-agent in the attribution', { attribution: SUBAGENT_ATTRIBUTION }, 'subagent'],
    ['the mark quoted in another system prompt', { attribution: 'Never write cc_is_subagent=true' }, 'main'],
    [
      'a compaction prompt in the last text',
      { lastText: `\n${COMPACT}`, firstText: 'hi', toolCount: 12 },
      'compaction',
    ],
    [
      'the older compaction prompt',
      { firstText: '\nYour task is to create a detailed summary of the conversation so far, paying' },
      'compaction',
    ],
    [
      'the system prompt of compaction',
      { systemText: 'You are a helpful AI assistant tasked with summarizing conversations.' },
      'compaction',
    ],
    ['a compaction prompt that is only quoted', { lastText: `What does this mean: ${COMPACT}` }, 'main'],
    ['a compaction of a sub-agent', { agentId: 'a1', lastText: COMPACT }, 'subagent'],
    ['a quota probe', { maxTokens: 1, firstText: 'quota' }, 'auxiliary'],
    ['one token with tools', { maxTokens: 1, toolCount: 2 }, 'main'],
    ['a title request', { hasJsonSchema: true, attribution: ATTRIBUTION, toolCount: 0 }, 'auxiliary'],
    ['a structured answer with tools', { hasJsonSchema: true, toolCount: 4 }, 'main'],
    ['a structured answer for another client', { hasJsonSchema: true, fromClaudeCode: false }, 'main'],
  ])('knows %s', (_title, signals, kind) => {
    expect(kindOf({ path: '/v1/messages?beta=true', ...signals })).toBe(kind);
  });
});

describe('isAttribution', () => {
  it.each([
    [ATTRIBUTION, true],
    ['You are Claude Code.', false],
    [`Quoted: ${ATTRIBUTION}`, false],
    [undefined, false],
  ])('tells of %j: %s', (text, expected) => {
    expect(isAttribution(text)).toBe(expected);
  });
});
