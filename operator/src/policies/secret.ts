import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import type { KubeObject, OwnerReference } from '../kube/object.ts';
import { childLabels } from '../resources/names.ts';
import type { Component } from '../resources/names.ts';

/** Text under a key of a Secret; undefined when the key is missing or empty. */
export function secretText(secret: KubeObject | undefined, key: string): string | undefined {
  const data = secret?.['data'] as Readonly<Record<string, string>> | undefined;
  const encoded = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined;
  if (encoded === undefined || encoded === '') return undefined;
  return Buffer.from(encoded, 'base64').toString('utf8');
}

/** Keys of a Secret. */
export function secretKeys(secret: KubeObject | undefined): string[] {
  return Object.keys((secret?.['data'] as Record<string, string> | undefined) ?? {});
}

/** `data` of a Secret from texts, sorted by key. */
export function secretData(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, text]) => [key, Buffer.from(text, 'utf8').toString('base64')]),
  );
}

/** The reference by which the garbage collector and the prune pass know a child. */
export function ownerReference(owner: ClaudeNexus): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

export interface OwnSecret {
  readonly name: string;
  readonly component: Component;
  readonly texts: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** False: outlives the resource, as the data it opens does. */
  readonly owned?: boolean;
}

/** A Secret of ours as it is created or applied. */
export function ownSecret(owner: ClaudeNexus, secret: OwnSecret): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: secret.name,
      namespace: owner.metadata.namespace,
      labels: childLabels(owner, secret.component),
      ...(secret.annotations === undefined ? {} : { annotations: secret.annotations }),
      ...(secret.owned === false ? {} : { ownerReferences: [ownerReference(owner)] }),
    },
    type: 'Opaque',
    data: secretData(secret.texts),
  };
}
