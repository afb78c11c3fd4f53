import { NexusError } from '@claude-nexus/runtime';
import type { TSchema } from 'typebox';

/** A schema as apiextensions.k8s.io/v1 takes it. */
export type StructuralSchema = Readonly<Record<string, unknown>>;

/** A keyword or a form the API server would refuse or misread. */
export class SchemaError extends NexusError {
  readonly code = 'NEXUS_OPERATOR_SCHEMA';
}

/** In the order in which they are written. */
const PLAIN_KEYWORDS = [
  'description',
  'type',
  'format',
  'default',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'maxProperties',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
] as const;
const NESTING_KEYWORDS = ['properties', 'required', 'items', 'additionalProperties'] as const;
const KNOWN: ReadonlySet<string> = new Set([...PLAIN_KEYWORDS, ...NESTING_KEYWORDS]);

/**
 * Turns a schema into a structural one. A field with a default is not required: the API server fills it in before it
 * validates, so leaving it out is right, and `kubectl explain` should not say otherwise.
 *
 * @throws {SchemaError} for a keyword that has no place in a structural schema
 */
export function structuralSchema(schema: TSchema): StructuralSchema {
  const source = schema as StructuralSchema;
  const unknown = Object.keys(source).find((keyword) => !KNOWN.has(keyword));
  if (unknown !== undefined)
    throw new SchemaError(`keyword "${unknown}" has no place in a structural schema`);
  if (source['additionalProperties'] === false) throw new SchemaError('a structural object cannot be closed');
  const result: Record<string, unknown> = {};
  for (const keyword of PLAIN_KEYWORDS) {
    if (source[keyword] !== undefined) result[keyword] = source[keyword];
  }
  const said = describe(source);
  if (said !== undefined) result['description'] = said;
  for (const keyword of ['items', 'additionalProperties']) {
    if (source[keyword] !== undefined) result[keyword] = structuralSchema(source[keyword] as TSchema);
  }
  const properties = source['properties'] as Readonly<Record<string, StructuralSchema>> | undefined;
  if (properties === undefined) return result;
  const required = ((source['required'] ?? []) as readonly string[]).filter(
    (name) => properties[name]?.['default'] === undefined,
  );
  if (required.length > 0) result['required'] = required;
  result['properties'] = Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [name, structuralSchema(property)]),
  );
  return result;
}

/** `kubectl explain` shows no defaults, so that the description has to. */
function describe({ description, default: value }: StructuralSchema): string | undefined {
  if (typeof description !== 'string') return undefined;
  return value === undefined || typeof value === 'object'
    ? description
    : `${description} Default: ${JSON.stringify(value)}.`;
}
