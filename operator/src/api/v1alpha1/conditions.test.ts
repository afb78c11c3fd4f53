import { readFile } from 'node:fs/promises';

import { describe, expect, it } from 'vitest';

import { OPERATOR_CONFIG } from '../../config.ts';
import { CONDITION_TYPES, REASONS } from './conditions.ts';

const read = (name: string): Promise<string> =>
  readFile(new URL(`../../../../${name}`, import.meta.url), 'utf8');

describe('the documentation', () => {
  it('says of every condition and reason what it means and what to do', async () => {
    const text = await read('docs/operations.md');
    expect([...CONDITION_TYPES, ...REASONS].filter((word) => !text.includes(`\`${word}\``))).toEqual([]);
  });

  it('names every setting of the operator', async () => {
    const text = await read('README.md');
    const settings = Object.values(OPERATOR_CONFIG).map(({ env }) => env);
    expect(settings.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});
