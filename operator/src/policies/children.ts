import type { Observed } from '../controllers/claude-nexus/plan.ts';
import type { KubeObject } from '../kube/object.ts';
import { childName } from '../resources/names.ts';
import type { Component } from '../resources/names.ts';

const COMPONENT_LABEL = 'app.kubernetes.io/component';

/** Name of a child of the observed resource. */
export function nameOf(observed: Observed, suffix: string): string {
  return childName(observed.owner.metadata.name, suffix);
}

/** The child of that kind and name, if it was seen. */
export function findChild(observed: Observed, kind: string, name: string): KubeObject | undefined {
  return observed.children.find((child) => child.kind === kind && child.metadata.name === name);
}

/** Children of a kind that belong to a component. */
export function childrenOf(observed: Observed, kind: string, component: Component): KubeObject[] {
  return observed.children.filter((child) => child.kind === kind && componentOf(child) === component);
}

export function componentOf(object: KubeObject): string | undefined {
  return object.metadata.labels?.[COMPONENT_LABEL];
}

/** Value at a path of an object whose shape the API server guarantees; undefined where something is missing. */
export function at(object: unknown, ...path: readonly (string | number)[]): unknown {
  let value = object;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

export function textAt(object: unknown, ...path: readonly (string | number)[]): string | undefined {
  const value = at(object, ...path);
  return typeof value === 'string' ? value : undefined;
}

export function numberAt(object: unknown, ...path: readonly (string | number)[]): number | undefined {
  const value = at(object, ...path);
  return typeof value === 'number' ? value : undefined;
}

export function listAt(object: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const value = at(object, ...path);
  return Array.isArray(value) ? value : [];
}
