import { Problem } from '@claude-nexus/api-contract';
import { Type } from 'typebox';
import type { TSchema } from 'typebox';

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: Problem } },
});

/** Documents the answers of a route: its success, and the failures every guarded route shares. */
export function responses(
  success: Record<number, TSchema | object>,
  failures: Record<number, string> = {},
): object {
  const described = { 401: 'no valid key or session', 429: 'too many wrong keys', ...failures };
  return {
    ...success,
    ...Object.fromEntries(Object.entries(described).map(([status, text]) => [status, problem(text)])),
  };
}

/** JSON of a schema, for `responses`. */
export function json(description: string, schema: TSchema): object {
  return { description, content: { 'application/json': { schema } } };
}

/** A text or bytes of one of these media types. */
export function other(description: string, ...mediaTypes: readonly string[]): object {
  return { description, content: Object.fromEntries(mediaTypes.map((type) => [type, contentOf(type)])) };
}

/** JSON is read as what it says, everything else as it is. */
function contentOf(mediaType: string): object {
  return { schema: mediaType === 'application/json' ? Type.Unknown() : Type.String({ format: 'binary' }) };
}

/** No content. */
export function empty(description: string): object {
  return { description, type: 'null' };
}
