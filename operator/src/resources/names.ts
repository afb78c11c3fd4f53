import { createHash } from 'node:crypto';

import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';

export const FIELD_MANAGER = 'claude-nexus-operator';

/** Longest name of a StatefulSet or CronJob whose pods and jobs still get theirs. */
const MAX_NAME = 52;
const HASH_CHARACTERS = 8;

export type Component =
  | 'proxy'
  | 'dashboard'
  | 'postgres'
  | 'database'
  | 'backup'
  | 'restore'
  | 'credentials';

/** `<owner>-<suffix>`; what is too long is cut and told apart by a hash. Deterministic: a name is never looked up. */
export function childName(owner: string, suffix: string): string {
  const full = `${owner}-${suffix}`;
  if (full.length <= MAX_NAME) return full;
  const hash = createHash('sha256').update(owner).digest('hex').slice(0, HASH_CHARACTERS);
  const room = MAX_NAME - suffix.length - hash.length - 2;
  return `${owner.slice(0, room).replace(/[-.]+$/, '')}-${hash}-${suffix}`;
}

/** Labels a child's selector uses; never change for an existing child. */
export function selectorLabels(owner: ClaudeNexus, component: Component): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'claude-nexus',
    'app.kubernetes.io/instance': owner.metadata.name,
    'app.kubernetes.io/component': component,
  };
}

/** Labels of every child, by which the operator finds what it made. */
export function childLabels(owner: ClaudeNexus, component: Component): Record<string, string> {
  return { ...selectorLabels(owner, component), 'app.kubernetes.io/managed-by': FIELD_MANAGER };
}

/** Selects all children of all resources. */
export const MANAGED_SELECTOR = `app.kubernetes.io/managed-by=${FIELD_MANAGER}`;
