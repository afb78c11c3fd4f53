import { afterEach, describe, expect, it, vi } from 'vitest';
import './copy-line.ts';

async function render(text: string): Promise<ShadowRoot> {
  const element = document.createElement('nexus-copy-line');
  element.text = text;
  element.label = 'command';
  document.body.append(element);
  await element.updateComplete;
  return element.shadowRoot as ShadowRoot;
}

function stubClipboard(writeText: (text: string) => Promise<void>): void {
  vi.stubGlobal('navigator', { clipboard: { writeText } });
}

describe('nexus-copy-line', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('copies its line and says so', async () => {
    const copied: string[] = [];
    stubClipboard(async (text) => void copied.push(text));
    const root = await render('A=1 claude');
    root.querySelector('button')?.click();
    await vi.waitFor(() => expect(root.querySelector('[role=status]')?.textContent).toBe('Copied'));
    expect(copied).toEqual(['A=1 claude']);
  });

  it('says when the browser does not allow it', async () => {
    stubClipboard(() => Promise.reject(new DOMException('no', 'NotAllowedError')));
    document.execCommand = () => false;
    const root = await render('x');
    root.querySelector('button')?.click();
    await vi.waitFor(() => expect(root.querySelector('[role=status]')?.textContent).toBe('Not allowed'));
  });
});
