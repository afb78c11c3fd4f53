/** Types of the conditions of a ClaudeNexus. `Reconciling` and `Stalled` are kstatus': present while true. */
export const CONDITION_TYPES = [
  'Ready',
  'DatabaseReady',
  'Migrated',
  'CredentialsReady',
  'ProxyReady',
  'DashboardReady',
  'Reconciling',
  'Stalled',
  'Paused',
] as const;
export type ConditionType = (typeof CONDITION_TYPES)[number];

export interface Condition {
  readonly type: ConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: Reason;
  /** One sentence for people: names the object and the fix; no secret, no time. */
  readonly message: string;
  readonly observedGeneration: number;
  /** RFC 3339; changes with `status` only. */
  readonly lastTransitionTime: string;
}

/** Every reason a condition or an event can carry. */
export const REASONS = [
  'AllReady',
  'ApplyRefused',
  'Available',
  'CloudNativePGMissing',
  'ClusterNotReady',
  'Created',
  'CredentialInvalid',
  'DatabasePasswordLost',
  'DatabaseSecretInvalid',
  'GeneratedSecretLost',
  'JobFailed',
  'JobRunning',
  'MajorVersionChange',
  'NameTaken',
  'NoDomains',
  'Paused',
  'PodsFailing',
  'Progressing',
  'Resizing',
  'RestoreFailed',
  'RestoreRunning',
  'RotationDone',
  'RotationRunning',
  'SecretKeyNotFound',
  'SecretNotFound',
  'StorageExpansionUnsupported',
  'UpToDate',
  'WaitingForDatabase',
  'WaitingForMigration',
] as const;
export type Reason = (typeof REASONS)[number];
