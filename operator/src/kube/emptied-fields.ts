import { managedFieldsOf } from './managed-fields.ts';
import type { KubeObject } from './object.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * A merge patch that takes away what a server-side apply of `desired` would leave as null: objects that hold nothing but
 * fields of ours, none of which is wanted any more. The API server drops null from its own kinds, but refuses it in those
 * of a CustomResourceDefinition.
 *
 * @param live with its `managedFields`
 * @returns undefined when there is nothing of that kind
 */
export function emptiedFields(live: KubeObject, desired: KubeObject, manager: string): Json | undefined {
  const own = managedFieldsOf(live).find((entry) => entry.manager === manager && entry.operation === 'Apply');
  const below = emptiedBelow(own?.fieldsV1 ?? {}, live, desired);
  return below === null ? undefined : below;
}

/** null: the whole object is to go; undefined: nothing of it. */
function emptiedBelow(owned: Json, live: unknown, desired: unknown): Json | null | undefined {
  if (!isObject(live) || Object.keys(live).length === 0) return undefined;
  const wanted = isObject(desired) ? desired : {};
  if (Object.keys(wanted).length === 0 && isAllOurs(owned, live)) return null;
  const patch: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(live)) {
    const own = owned[`f:${name}`];
    const below = isObject(own) ? emptiedBelow(own, value, wanted[name]) : undefined;
    if (below !== undefined) patch[name] = below;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function isAllOurs(owned: Json, live: unknown): boolean {
  if (!isObject(live)) return true;
  return Object.entries(live).every(([name, value]) => {
    const own = owned[`f:${name}`];
    return isObject(own) && isAllOurs(own, value);
  });
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
