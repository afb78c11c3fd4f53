import { describe, expect, it } from 'vitest';
import { connectLines } from './connect-lines.ts';

describe('connectLines', () => {
  it('name the proxy without a slash at the end', () => {
    const texts = connectLines('http://127.0.0.1:3000/').map((line) => line.text);
    expect(texts[0]).toBe('ANTHROPIC_BASE_URL=http://127.0.0.1:3000 claude');
    expect(texts.every((text) => text.includes('http://127.0.0.1:3000'))).toBe(true);
    expect(texts.join(' ')).not.toContain('3000//');
  });

  it('name a placeholder while the address is not known', () => {
    expect(connectLines(null)[0]?.text).toContain('your-proxy.example');
  });
});
