import type { KubeObject, ObjectMeta } from '../../kube/object.ts';
import type { Condition } from './conditions.ts';
import type { ClaudeNexusSpec } from './spec.ts';

/** What the operator reports. Holds no time but the conditions', so that it changes only when something did. */
export interface ClaudeNexusStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  /** For the scale subresource: proxy pods, and how to select them. */
  readonly replicas?: number;
  readonly selector?: string;
  /** Where clients reach the proxy. */
  readonly url?: string;
  readonly dashboardUrl?: string;
  /** Images the running Deployments have; lags behind the spec while a migration runs or has failed. */
  readonly images?: { readonly proxy: string; readonly dashboard: string };
  /** Generated Secrets that exist: one that is named here and gone is not silently made anew. */
  readonly generatedSecrets?: readonly string[];
  /** Last handled value of each rotation annotation. */
  readonly rotations?: { readonly logins?: string; readonly dashboardKey?: string };
}

export interface ClaudeNexus extends KubeObject {
  readonly apiVersion: 'claudenexus.dev/v1alpha1';
  readonly kind: 'ClaudeNexus';
  readonly metadata: ObjectMeta & { readonly namespace: string; readonly uid: string };
  readonly spec: ClaudeNexusSpec;
  readonly status?: ClaudeNexusStatus;
}

export const ANNOTATIONS = {
  /** `"true"`: nothing is reconciled until it is gone; deletion is never paused. */
  paused: 'claudenexus.dev/paused',
  /** Any new value: database passwords are rotated, two logins per service. */
  rotateLogins: 'claudenexus.dev/rotate-logins',
  /** Any new value: a new dashboard key. */
  rotateDashboardKey: 'claudenexus.dev/rotate-dashboard-key',
  /** `"true"`: a resource whose volumes go with it may be deleted. */
  confirmDeleteData: 'claudenexus.dev/confirm-delete-data',
  /** On pod templates: digest of what the process reads at start. */
  checksum: 'claudenexus.dev/checksum',
  /** On Jobs: how often the same one was tried before. */
  attempt: 'claudenexus.dev/attempt',
  /** On the StatefulSet and its claims: major version of the data. */
  postgresVersion: 'claudenexus.dev/postgres-version',
  /** On the Secret of the keys: the last handled value of `rotateDashboardKey`. */
  rotated: 'claudenexus.dev/rotated',
} as const;
