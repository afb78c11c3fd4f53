import type { ContentBlock } from '@claude-nexus/api-contract';
import { describe, expect, it } from 'vitest';
import './content-block.ts';

function block(members: Partial<ContentBlock>): ContentBlock {
  return {
    type: 'text',
    text: '',
    textFormat: 'text',
    length: 0,
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

async function render(content: ContentBlock, bodyUrl: string | null = null): Promise<ShadowRoot> {
  const element = document.createElement('nexus-content-block');
  element.block = content;
  element.bodyUrl = bodyUrl;
  document.body.append(element);
  await element.updateComplete;
  return element.shadowRoot as ShadowRoot;
}

describe('nexus-content-block', () => {
  it('shows markup in a message as text', async () => {
    const root = await render(block({ text: '<img src=x onerror=alert(1)><script>alert(2)</script>' }));
    expect(root.querySelector('img, script')).toBeNull();
    expect(root.querySelector('pre')?.textContent).toContain('<img src=x');
  });

  it('names a tool call and its failed result', async () => {
    const root = await render(
      block({
        type: 'tool_result',
        text: null,
        toolName: 'Bash',
        isError: true,
        blocks: [block({ text: 'exit 1' })],
      }),
    );
    expect(root.querySelector('.label')?.textContent).toBe('tool result · Bash · error');
    expect(root.querySelector('pre')?.textContent).toBe('exit 1');
  });

  it('folds a long text', async () => {
    const root = await render(block({ text: 'x'.repeat(5000), length: 5000 }));
    expect(root.querySelector('details summary')?.textContent).toContain('5,000 characters');
  });

  it('leads from a shortened text to the complete body', async () => {
    const root = await render(
      block({ text: 'start', length: 90_000, truncated: true }),
      'api/requests/1/request-body',
    );
    expect(root.querySelector('a')?.getAttribute('href')).toBe('api/requests/1/request-body');
  });
});
