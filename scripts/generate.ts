/** `npm run generate`: writes the files that are made from sources. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { CRD_FILE, crdFileContent } from '../operator/src/api/v1alpha1/crd-file.ts';

const root = resolve(import.meta.dirname, '..');
await writeFile(resolve(root, CRD_FILE), crdFileContent());
console.log(`wrote ${CRD_FILE}`);
