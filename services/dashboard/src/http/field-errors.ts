import type { FieldError } from '@claude-nexus/api-contract';
import type { FastifySchemaValidationError } from 'fastify/types/schema.js';

/** What Ajv adds to an error with `verbose`: the schema that refused the value. */
interface RefusingSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

type ValidationError = FastifySchemaValidationError & { readonly parentSchema?: RefusingSchema };

const FORMAT_FIXES: Readonly<Record<string, string>> = {
  uuid: 'use a UUID such as 0198c7a2-5f00-7000-8000-000000000000',
  'date-time': 'use an RFC 3339 time such as 2026-11-23T18:40:00Z',
};

const MAX_NAME = 100;

/** Validation errors as field, problem and fix. The refused value is not repeated. */
export function fieldErrors(errors: readonly FastifySchemaValidationError[]): FieldError[] {
  return errors.map((error: ValidationError) => ({
    field: fieldOf(error).slice(0, MAX_NAME),
    message: messageOf(error),
    fix: fixOf(error),
  }));
}

function fieldOf(error: ValidationError): string {
  const own = error.params['additionalProperty'] ?? error.params['missingProperty'];
  if (typeof own === 'string') return own;
  return error.instancePath.replace(/^\//, '').replaceAll('/', '.') || 'body';
}

function messageOf(error: ValidationError): string {
  if (error.keyword === 'additionalProperties') return 'is not known here';
  if (error.keyword === 'required') return 'is missing';
  if (error.keyword === 'pattern') return 'must not contain control characters';
  return error.message ?? 'is not valid';
}

function fixOf({ keyword, parentSchema: schema = {} }: ValidationError): string {
  if (keyword === 'required') return 'add it';
  if (keyword === 'additionalProperties') {
    return `remove it; known are ${Object.keys(schema.properties ?? {}).join(', ') || 'none'}`;
  }
  if (schema.enum !== undefined) return `use one of ${schema.enum.join(', ')}`;
  if (schema.format !== undefined) return FORMAT_FIXES[schema.format] ?? `use the format ${schema.format}`;
  return TYPE_FIXES[schema.type ?? '']?.(schema) ?? 'see api/openapi.json';
}

const TYPE_FIXES: Readonly<Record<string, (schema: RefusingSchema) => string>> = {
  integer: ({ minimum, maximum }) => `use an integer from ${minimum ?? 0} to ${maximum ?? 'any'}`,
  string: ({ minLength, maxLength }) =>
    `use a text of ${minLength ?? 0} to ${maxLength ?? 'any number of'} characters, given once`,
  object: () => 'send a JSON object',
};
