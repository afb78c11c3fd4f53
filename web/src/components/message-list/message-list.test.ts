import type { ContentBlock, Message } from '@claude-nexus/api-contract';
import { describe, expect, it } from 'vitest';
import './message-list.ts';

function block(members: Partial<ContentBlock>): ContentBlock {
  return {
    type: 'text',
    text: 'hello',
    textFormat: 'text',
    length: 5,
    truncated: false,
    toolName: null,
    toolUseId: null,
    isError: false,
    mediaType: null,
    byteLength: null,
    cacheControl: false,
    blocks: [],
    ...members,
  };
}

function message(index: number, ...blocks: ContentBlock[]): Message {
  return { index, role: index % 2 === 0 ? 'user' : 'assistant', blocks, blocksOmitted: 0 };
}

async function render(messages: Message[]): Promise<ShadowRoot> {
  const element = document.createElement('nexus-message-list');
  element.messages = messages;
  document.body.append(element);
  await element.updateComplete;
  return element.shadowRoot as ShadowRoot;
}

describe('nexus-message-list', () => {
  it('shows the newest messages of a long conversation, and earlier ones step by step', async () => {
    const root = await render(Array.from({ length: 250 }, (_, index) => message(index, block({}))));
    const articles = () => root.querySelectorAll('article');
    expect(articles()).toHaveLength(12);
    expect(articles()[11]?.querySelector('h3')?.textContent).toContain('#250');
    expect(root.querySelector('button')?.textContent?.trim()).toBe('Show 200 of 238 earlier messages');
    root.querySelector('button')?.click();
    await (root.host as HTMLElementTagNameMap['nexus-message-list']).updateComplete;
    expect(articles()).toHaveLength(212);
    expect(root.querySelector('button')?.textContent?.trim()).toBe('Show 38 earlier messages');
  });

  it('tells a tool result by the tool of its call', async () => {
    const root = await render([
      message(1, block({ type: 'tool_use', toolName: 'Bash', toolUseId: 'a' })),
      message(2, block({ type: 'tool_result', toolUseId: 'a' })),
    ]);
    const blocks = [...root.querySelectorAll('nexus-content-block')];
    expect(blocks.map((element) => element.toolName)).toEqual(['Bash', 'Bash']);
  });

  it('says when a message is empty', async () => {
    const root = await render([message(0)]);
    expect(root.querySelector('article')?.textContent).toContain('Empty.');
  });
});
