import { isDeepStrictEqual } from 'node:util';

import { FIELD_MANAGER } from '../../operator/src/resources/names.ts';
import type { TestObject } from '../fixtures/control-plane/api.ts';

type Json = Readonly<Record<string, unknown>>;
/** A member by its name, or an item of a list by the values of its keys. */
type Step = string | Json;
export type FieldPath = readonly Step[];

interface ManagedFields {
  readonly manager: string;
  readonly operation: string;
  readonly fieldsV1: Json;
}

/** Every leaf the operator has applied to a child, as the API server has it on record. */
export function ownedFields(child: TestObject): FieldPath[] {
  const managers = (child.metadata as unknown as { managedFields?: readonly ManagedFields[] }).managedFields;
  const ours = (managers ?? []).filter(
    ({ manager, operation }) => manager === FIELD_MANAGER && operation === 'Apply',
  );
  return ours.flatMap(({ fieldsV1 }) => [...leaves(fieldsV1, [])]);
}

function* leaves(fields: Json, path: FieldPath): Generator<FieldPath> {
  const members = Object.entries(fields).filter(([key]) => key.startsWith('f:') || key.startsWith('k:'));
  if (members.length === 0 && path.length > 0) yield path;
  for (const [key, below] of members) {
    const name = key.slice(2);
    yield* leaves(below as Json, [...path, key.startsWith('k:') ? (JSON.parse(name) as Json) : name]);
  }
}

/** The value at a path, and where it is now; undefined when it is not there. */
export function locate(
  child: TestObject,
  path: FieldPath,
): { readonly value: unknown; readonly pointer: string } | undefined {
  let value: unknown = child;
  let pointer = '';
  for (const step of path) {
    const key = typeof step === 'string' ? step : indexOf(value, step);
    value = (value as Readonly<Record<string | number, unknown>> | undefined)?.[key];
    if (value === undefined) return undefined;
    pointer += `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
  }
  return { value, pointer };
}

function indexOf(list: unknown, keys: Json): number {
  return Array.isArray(list)
    ? list.findIndex((item: Json) =>
        Object.entries(keys).every(([key, value]) => isDeepStrictEqual(item[key], value)),
      )
    : -1;
}

/** Values of the same form that a field might have instead; not every field takes them. */
export function otherValues(value: unknown): readonly unknown[] {
  if (typeof value === 'string') return [`${value}x`, `1${value}`, 'eHh4'];
  if (typeof value === 'number') return [value + 1, value - 1];
  if (typeof value === 'boolean') return [!value];
  if (Array.isArray(value)) return [value.slice(1), []];
  return [{ ...(value as Json), other: 'x' }, {}];
}

/** Such as `spec.ports[{"port":3000}].name`. */
export const pathInWords = (path: FieldPath): string =>
  path.map((step) => (typeof step === 'string' ? `.${step}` : `[${JSON.stringify(step)}]`)).join('');
