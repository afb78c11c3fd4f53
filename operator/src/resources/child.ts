import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import type { Kind } from '../kube/kinds.ts';
import type { KubeObject, OwnerReference } from '../kube/object.ts';
import { childLabels } from './names.ts';
import type { Component } from './names.ts';

export interface ChildOptions {
  readonly owner: ClaudeNexus;
  readonly kind: Kind;
  readonly component: Component;
  readonly name: string;
  /** Labels beside ours, which win. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** False: the object outlives the resource. */
  readonly owned?: boolean;
}

/**
 * A child with its labels and owner. Members that are undefined, and empty lists, are left out at every depth: an apply
 * takes no null, and the server stores no empty list, so that each apply of one would be a change.
 */
export function child(options: ChildOptions, body: Readonly<Record<string, unknown>>): KubeObject {
  const { owner, kind, component, name, labels, annotations, owned = true } = options;
  return compact({
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    metadata: {
      name,
      namespace: owner.metadata.namespace,
      labels: { ...labels, ...childLabels(owner, component) },
      annotations:
        annotations === undefined || Object.keys(annotations).length === 0 ? undefined : annotations,
      ownerReferences: owned ? [ownerReference(owner)] : undefined,
    },
    ...body,
  }) as KubeObject;
}

function ownerReference(owner: ClaudeNexus): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => compact(item));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => !isAbsent(member));
  return Object.fromEntries(members.map(([key, member]) => [key, compact(member)]));
}

function isAbsent(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0);
}
