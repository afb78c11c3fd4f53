import { stringify } from 'yaml';

import { claudeNexusCrd } from './crd.ts';

/** The file of the CRD, from the root of the repository. */
export const CRD_FILE = 'crds/claudenexuses.claudenexus.dev.yaml';

/** What that file holds. */
export function crdFileContent(): string {
  const head = '# Written by `npm run generate` from operator/src/api/v1alpha1. Change it there.\n';
  return head + stringify(claudeNexusCrd(), { aliasDuplicateObjects: false, lineWidth: 0 });
}
