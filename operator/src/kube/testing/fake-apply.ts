import { isDeepStrictEqual } from 'node:util';

import type { KubeObject } from '../object.ts';

/** One step into an object: a field, or an element of a list by the value of its key field. */
type Step = string | { readonly key: string; readonly value: unknown };

/** Leaves of an object by path. Paths are JSON so that they compare. */
export type Leaves = ReadonlyMap<string, unknown>;

type Json = Record<string, unknown>;

const IDENTITY = new Set(['name', 'namespace', 'uid', 'resourceVersion', 'generation', 'creationTimestamp']);
/** Fields by which the API server tells list elements apart; other lists are one value. */
const LIST_KEYS = ['uid', 'type', 'name', 'containerPort'];

function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listKey(list: readonly unknown[], path: readonly Step[]): string | undefined {
  if (list.length === 0) return undefined;
  const keys = path.at(-1) === 'ownerReferences' ? ['uid'] : LIST_KEYS;
  return keys.find((key) => list.every((item) => isMap(item) && typeof item[key] === 'string'));
}

/** What of an object a manager can own: everything but its identity. */
export function leavesOf(object: KubeObject): Leaves {
  const leaves = new Map<string, unknown>();
  const { apiVersion: _, kind: __, metadata, ...rest } = object;
  const own = Object.fromEntries(Object.entries(metadata).filter(([name]) => !IDENTITY.has(name)));
  delete own['managedFields'];
  visit({ metadata: own, ...rest }, [], leaves);
  leaves.delete('["metadata"]');
  return leaves;
}

function visit(value: unknown, path: readonly Step[], leaves: Map<string, unknown>): void {
  if (value === undefined) return;
  if (isMap(value) && Object.keys(value).length > 0) {
    for (const [name, child] of Object.entries(value)) visit(child, [...path, name], leaves);
    return;
  }
  const key = Array.isArray(value) ? listKey(value, path) : undefined;
  if (key === undefined) return void leaves.set(JSON.stringify(path), value);
  for (const item of value as Json[]) visit(item, [...path, { key, value: item[key] }], leaves);
}

function child(parent: unknown, step: Step): unknown {
  if (typeof step === 'string') return isMap(parent) ? parent[step] : undefined;
  if (!Array.isArray(parent)) return undefined;
  return parent.find((item) => isMap(item) && item[step.key] === step.value);
}

/** @returns the value at a path of `leavesOf` */
export function valueAt(object: KubeObject, path: string): unknown {
  return (JSON.parse(path) as Step[]).reduce<unknown>(child, object);
}

/** Sets a leaf of a mutable object; containers on the way are made. */
export function setLeaf(object: KubeObject, path: string, value: unknown): void {
  const steps = JSON.parse(path) as Step[];
  const last = steps.at(-1);
  let parent: unknown = object;
  for (const [index, step] of steps.entries()) {
    if (index === steps.length - 1) break;
    let next = child(parent, step);
    if (next === undefined) {
      next = typeof steps[index + 1] === 'object' ? [] : {};
      if (typeof step === 'string') (parent as Json)[step] = next;
      else {
        (next as Json)[step.key] = step.value;
        (parent as unknown[]).push(next);
      }
    }
    parent = next;
  }
  if (typeof last !== 'string') return;
  const before = (parent as Json)[last];
  // An owned empty map does not empty what others put into it.
  if (isMap(value) && Object.keys(value).length === 0 && isMap(before)) return;
  (parent as Json)[last] = structuredClone(value);
}

/** Paths of `leavesOf` in the form of `managedFields`. */
export function fieldsV1(paths: Iterable<string>): Json {
  const fields: Json = {};
  for (const path of paths) {
    let at = fields;
    for (const step of JSON.parse(path) as Step[]) {
      const name = typeof step === 'string' ? `f:${step}` : `k:${JSON.stringify({ [step.key]: step.value })}`;
      at = (at[name] ??= {}) as Json;
    }
  }
  return fields;
}

/** Takes leaves out, and the containers that are empty for it. */
export function removeLeaves(object: KubeObject, paths: readonly string[]): void {
  // The field that tells list elements apart goes last: until then it finds them.
  for (const path of paths.filter((path) => !isListKey(path))) removeLeaf(object, path);
  for (const path of paths.filter(isListKey)) removeLeaf(object, path);
}

function isListKey(path: string): boolean {
  const [element, field] = (JSON.parse(path) as Step[]).slice(-2);
  return typeof element === 'object' && element.key === field;
}

function removeLeaf(object: KubeObject, path: string): void {
  const steps = JSON.parse(path) as Step[];
  const chain: unknown[] = [object];
  for (const step of steps.slice(0, -1)) chain.push(child(chain.at(-1), step));
  for (let index = steps.length - 1; index >= 0; index--) {
    const parent = chain[index];
    const step = steps[index];
    if (step === undefined || parent === undefined) return;
    if (typeof step === 'string') delete (parent as Json)[step];
    else removeItem(parent as unknown[], chain[index + 1]);
    const empty = Array.isArray(parent) ? parent.length === 0 : Object.keys(parent as Json).length === 0;
    if (!empty) return;
  }
}

function removeItem(list: unknown[], item: unknown): void {
  const index = list.indexOf(item);
  if (index >= 0) list.splice(index, 1);
}

/** Paths whose value differs between two objects. */
export function changedPaths(before: KubeObject, after: KubeObject): string[] {
  const old = leavesOf(before);
  const leaves = leavesOf(after);
  return [...leaves]
    .filter(([path, value]) => !isDeepStrictEqual(old.get(path), value))
    .map(([path]) => path);
}

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const result: Json = isMap(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}
