import { nested } from './sample.ts';
import type { Spec } from './sample.ts';

/** A rule that compares with the resource as it was. */
export interface UpdateCase {
  readonly field: string;
  readonly message: string;
  readonly from: Spec;
  readonly good: readonly Spec[];
  readonly bad: readonly Spec[];
}

const VOLUMES = [
  'database.managed.storage',
  'database.managed.backup.storage',
  'database.cloudNativePG.storage',
];

const growth = VOLUMES.map((place) => ({
  field: `spec.${place}.size`,
  message: 'may grow but not shrink',
  from: nested(place, { size: '20Gi' }),
  good: ['20Gi', '20480Mi', '21Gi', '1Ti'].map((size) => nested(place, { size })),
  bad: ['19Gi', '20G', '1Gi'].map((size) => nested(place, { size })),
}));

const classes = VOLUMES.flatMap((place) => {
  const field = `spec.${place}.storageClassName`;
  const message = 'cannot be changed for an existing volume';
  const without = nested(place, {});
  const standard = nested(place, { storageClassName: 'standard' });
  const fast = nested(place, { storageClassName: 'fast' });
  return [
    { field, message, from: standard, good: [standard], bad: [fast, without] },
    { field, message, from: without, good: [without], bad: [standard] },
  ];
});

export const UPDATE_CASES: readonly UpdateCase[] = [...growth, ...classes];

const managed = (size: string): Spec => ({ database: { managed: { storage: { size } } } });
const external: Spec = { database: { external: { secretRef: { name: 'database' } } } };
const cloudNativePG: Spec = { database: { cloudNativePG: {} } };

/** Changes of the kind of database, which keep claims and so are allowed. */
export const SWITCHES: readonly (readonly [string, readonly Spec[]])[] = [
  ['managed to external and back', [managed('20Gi'), external, managed('20Gi')]],
  ['managed to CloudNativePG and back', [managed('20Gi'), cloudNativePG, managed('20Gi')]],
  ['external to CloudNativePG and back', [external, cloudNativePG, external]],
];
