import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { expect, it } from 'vitest';

import { generatedFiles } from './generated-files.ts';

const ROOT = resolve(import.meta.dirname, '../..');

it.each([...generatedFiles()])(
  '%s is what its sources make; after a change run `npm run generate`',
  async (file, content) => {
    expect(await readFile(resolve(ROOT, file), 'utf8')).toBe(content);
  },
);
