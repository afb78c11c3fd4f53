import type { Kind } from './kinds.ts';
import type { ObjectRef } from './object.ts';

/** `/api/v1` of the core group, `/apis/<group>/<version>` of the others. */
export function groupPath(apiVersion: string): string {
  const parts = apiVersion.split('/').map(segment);
  return parts.length === 1 ? `/api/${parts.join('/')}` : `/apis/${parts.join('/')}`;
}

/** @param namespace absent: all namespaces */
export function collectionPath(kind: Kind, namespace: string | undefined): string {
  const scope = kind.namespaced && namespace !== undefined ? `/namespaces/${segment(namespace)}` : '';
  return `${groupPath(kind.apiVersion)}${scope}/${segment(kind.plural)}`;
}

/**
 * @throws {TypeError} without a name, or without the namespace of a namespaced kind: such a path would mean the whole
 * collection
 */
export function objectPath(kind: Kind, ref: ObjectRef, subresource?: 'status'): string {
  if (kind.namespaced && ref.namespace === undefined) {
    throw new TypeError(`${kind.kind} ${ref.name} needs a namespace`);
  }
  const path = `${collectionPath(kind, ref.namespace)}/${segment(ref.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

function segment(text: string): string {
  if (text === '' || text === '.' || text === '..') throw new TypeError('not a name in the API');
  return encodeURIComponent(text);
}
