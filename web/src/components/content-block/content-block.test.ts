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

  it('names controls that would reorder the text', async () => {
    const root = await render(block({ text: 'a\u202Etxt.exe', type: 'odd\u2066type' }));
    expect(root.querySelector('pre')?.textContent).toBe('a[U+202E]txt.exe');
    expect(root.querySelector('.label')?.textContent).toBe('Odd[U+2066]type');
  });

  it('names a tool result, its tool and its failure', async () => {
    const nested = block({ text: 'exit 1' });
    const root = await render(
      block({ type: 'tool_result', text: null, toolName: 'Bash', isError: true, blocks: [nested] }),
    );
    expect(root.querySelector('.label')?.textContent).toBe('Tool result · Bash · error');
    const inner = root.querySelector('nexus-content-block');
    await inner?.updateComplete;
    expect(inner?.shadowRoot?.querySelector('pre.mono')?.textContent).toBe('exit 1');
  });

  it('shows the beginning of a long text and all of it on demand', async () => {
    const text = 'x'.repeat(9000);
    const root = await render(block({ text, length: 9000 }));
    const button = root.querySelector('button');
    expect(root.querySelector('pre')?.textContent).toHaveLength(4000);
    expect(button?.textContent).toContain('9,000 characters');
    expect(button?.getAttribute('aria-expanded')).toBe('false');
    button?.click();
    await (root.host as HTMLElementTagNameMap['nexus-content-block']).updateComplete;
    expect(root.querySelector('pre')?.textContent).toBe(text);
    expect(button?.getAttribute('aria-expanded')).toBe('true');
  });

  it('folds what the client added by itself', async () => {
    const root = await render(block({ text: `<system-reminder>${'x'.repeat(500)}</system-reminder>` }));
    expect(root.querySelector('.label')?.textContent).toBe('System reminder');
    expect(root.querySelector('pre')?.textContent).toHaveLength(160);
  });

  it('leads from a shortened text to the complete body', async () => {
    const root = await render(
      block({ text: 'start', length: 90_000, truncated: true }),
      'api/requests/1/request-body',
    );
    expect(root.querySelector('a')?.getAttribute('href')).toBe('api/requests/1/request-body');
  });
});
