/** `npm run generate`: writes the files that are made from sources. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { generatedFiles } from './generate/generated-files.ts';

const root = resolve(import.meta.dirname, '..');
for (const [file, content] of generatedFiles()) {
  await writeFile(resolve(root, file), content);
  console.log(`wrote ${file}`);
}
