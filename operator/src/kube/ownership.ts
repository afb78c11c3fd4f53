import { managedFieldsOf } from './managed-fields.ts';
import type { KubeObject } from './object.ts';

const MANAGED_BY = 'app.kubernetes.io/managed-by';
const INSTANCE = 'app.kubernetes.io/instance';

/** Uid of the object that controls another one. */
export function controllerOf({ metadata }: KubeObject): string | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid;
}

/** Whom an object is for, and who writes it. */
export interface Ownership {
  /** As it is to be: its labels count. */
  readonly desired: KubeObject;
  /** Uid of the resource it is made for, whether that owns it or not. */
  readonly owner: string | undefined;
  readonly manager: string;
}

/** Nobody but the owner controls the object, and it carries the labels of what the operator made for it. */
export function isLabelledOurs(live: KubeObject, ownership: Ownership): boolean {
  const { desired, manager } = ownership;
  const labels = live.metadata.labels;
  const instance = desired.metadata.labels?.[INSTANCE];
  return (
    !isControlledByOther(live, ownership) && labels?.[MANAGED_BY] === manager && labels[INSTANCE] === instance
  );
}

/**
 * Whether the operator made the object for its owner: by its labels, or, where somebody took those away, by
 * the record of who applied it. Needs `managedFields`, so an object of the cache will not do.
 */
export function isOurs(live: KubeObject, ownership: Ownership): boolean {
  if (isLabelledOurs(live, ownership)) return true;
  const { desired, manager } = ownership;
  const instance = live.metadata.labels?.[INSTANCE];
  const otherInstance = instance !== undefined && instance !== desired.metadata.labels?.[INSTANCE];
  return !isControlledByOther(live, ownership) && !otherInstance && wasAppliedBy(live, manager);
}

function isControlledByOther(live: KubeObject, { owner }: Ownership): boolean {
  const controller = controllerOf(live);
  return controller !== undefined && controller !== owner;
}

function wasAppliedBy(live: KubeObject, manager: string): boolean {
  return managedFieldsOf(live).some((entry) => entry.manager === manager && entry.operation === 'Apply');
}

/** Whether `manager` wrote any of the object's fields, labels or not. Needs `managedFields`. */
export function wasWrittenBy(live: KubeObject, manager: string): boolean {
  return managedFieldsOf(live).some((entry) => entry.manager === manager);
}
