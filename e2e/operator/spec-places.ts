import { ClaudeNexusSpecSchema } from '../../operator/src/api/v1alpha1/spec.ts';
import { structuralSchema } from '../../operator/src/api/v1alpha1/structural-schema.ts';
import { CONTEXT, FIXED, ONE_WAY, VALUES } from './spec-values.ts';

export type Spec = Readonly<Record<string, unknown>>;
type Schema = Readonly<Record<string, unknown>>;
type Json = Record<string, unknown>;

/** Something a spec may have or not, or have with another value: a leaf, a list, or an object that may be missing. */
export interface Place {
  /** Such as `domains[].credential.secretRef.key`. */
  readonly path: string;
  /** A spec that has what is around the place; of what is required the first value, else nothing. */
  readonly base: Spec;
  /** The base with one value, then with another where there are two. */
  readonly changed: readonly Spec[];
}

/** A value at a place of the schema is either the first or the second one. */
type Variant = 0 | 1;

const root = structuralSchema(ClaudeNexusSpecSchema);
const membersOf = (schema: Schema) => (schema['properties'] ?? {}) as Readonly<Record<string, Schema>>;
const requiredOf = (schema: Schema) => new Set((schema['required'] ?? []) as readonly string[]);
const itemsOf = (schema: Schema) => schema['items'] as Schema | undefined;
const hasMembers = (schema: Schema) => schema['properties'] !== undefined;
const below = (path: string, name: string) => (path === '' ? name : `${path}.${name}`);

/** Every place of the schema the resource is made from, so that a new field is among them by itself. */
export function places(): Place[] {
  return [...walk(root, '', true)].map(([path, schema, isRequired]) => {
    const around = withAround(path);
    const variants = valuesAt(path, schema);
    if (isRequired) return { path, base: around, changed: [withValue(around, path, variants.at(-1))] };
    const base = withValue(around, path, undefined);
    return { path, base, changed: variants.map((value) => withValue(around, path, value)) };
  });
}

/** Whether a place is among those that can be changed and taken back. */
const isFree = (path: string): boolean => FIXED[path] === undefined && ONE_WAY[path] === undefined;

const isInEverything = (path: string): boolean => path === 'database.managed' || isFree(path);

/** A spec with all fields at once that can be taken back, each with its first or second value. */
export function everything(variant: Variant): Spec {
  return valueOf(root, '', { variant, whole: isInEverything }) as Spec;
}

function* walk(
  schema: Schema,
  path: string,
  isRequired: boolean,
): Generator<readonly [path: string, schema: Schema, isRequired: boolean]> {
  const items = itemsOf(schema);
  const isOptionalObject = hasMembers(schema) && !isRequired && schema['default'] === undefined;
  if (!hasMembers(schema) || isOptionalObject) yield [path, schema, isRequired];
  if (items !== undefined && hasMembers(items)) yield* walk(items, `${path}[]`, true);
  const required = requiredOf(schema);
  for (const [name, member] of Object.entries(membersOf(schema))) {
    yield* walk(member, below(path, name), required.has(name));
  }
}

/** The first value of everything that must be there for the place to be. */
function withAround(path: string): Spec {
  let spec: Spec = {};
  let schema = root;
  let prefix = '';
  for (const name of path.split('.')) {
    const key = name.replace('[]', '');
    prefix = below(prefix, key);
    schema = membersOf(schema)[key] ?? {};
    spec = withValue(spec, prefix, valueOf(schema, prefix, { variant: 0 }));
    if (!name.endsWith('[]')) continue;
    prefix = `${prefix}[]`;
    schema = itemsOf(schema) ?? {};
  }
  return spec;
}

/** A copy of a spec with a value at a place, or without it; of a list the first item is meant. */
function withValue(spec: Spec, path: string, value: unknown): Spec {
  const copy = structuredClone(spec) as Json;
  const keys = path.replaceAll('[]', '.0').split('.');
  const last = keys.pop() ?? '';
  let holder = copy;
  for (const key of keys) holder = (holder[key] ??= {}) as Json;
  if (value === undefined) Reflect.deleteProperty(holder, last);
  else holder[last] = value;
  return copy;
}

interface Choice {
  readonly variant: Variant;
  /** Which members an object has besides those it must have; none when absent. */
  readonly whole?: (path: string) => boolean;
}

function valuesAt(path: string, schema: Schema): readonly unknown[] {
  // Empty it may be without effect.
  if (hasMembers(schema)) return [valueOf(schema, path, { variant: 0, whole: isFree })];
  const [first, second] = [0, 1].map((variant) => valueOf(schema, path, { variant: variant as Variant }));
  return JSON.stringify(first) === JSON.stringify(second) ? [first] : [first, second];
}

function valueOf(schema: Schema, path: string, choice: Choice): unknown {
  if (hasMembers(schema)) return objectOf(schema, path, choice);
  const items = itemsOf(schema);
  if (items !== undefined) {
    const item = (variant: Variant) => valueOf(items, `${path}[]`, { ...choice, variant });
    // The second list has the item of the first one at another index.
    return choice.variant === 0 ? [item(0)] : [item(1), item(0)];
  }
  const [first, second = first] = leafValues(schema, path);
  return choice.variant === 0 ? first : second;
}

function objectOf(schema: Schema, path: string, choice: Choice): Json {
  const required = requiredOf(schema);
  const { whole = () => false } = choice;
  const members = Object.entries(membersOf(schema)).filter(
    ([name]) => required.has(name) || whole(below(path, name)),
  );
  return {
    ...CONTEXT[path],
    ...Object.fromEntries(
      members.map(([name, member]) => [name, valueOf(member, below(path, name), choice)]),
    ),
  };
}

/** Two values, neither of which is the default; one where there is no other. */
function leafValues(schema: Schema, path: string): readonly unknown[] {
  const named = Object.entries(VALUES).find(([end]) => path === end || path.endsWith(`.${end}`));
  if (named !== undefined) return named[1];
  const { type, default: fallback, enum: allowed, minimum } = schema as Json;
  if (allowed !== undefined)
    return (allowed as unknown[]).filter((value) => value !== (fallback ?? '')).slice(-2);
  if (type === 'boolean') return [fallback !== true];
  if (type === 'integer') return [1, 2].map((step) => Number(fallback ?? minimum) + step);
  const quantity = /^(?<amount>\d+)(?<unit>[KMGT]i)$/.exec(String(fallback))?.groups;
  if (quantity !== undefined) {
    return [1, 2].map((step) => `${Number(quantity['amount']) + step}${quantity['unit'] ?? ''}`);
  }
  if (schema['additionalProperties'] !== undefined) return [{ one: 'a' }, { one: 'b', two: 'a' }];
  // A name of any kind; where it cannot be one the API server refuses it, and VALUES needs an entry.
  return ['one', 'two'];
}
