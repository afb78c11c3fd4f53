import { CONTENT_LIMITS, shorten } from './budget.ts';

/** A JSON object as parsed; its members may be anything. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member of an object itself, never one of its prototype. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** A member that is a string, shortened to the length of a name; null for anything else. */
export function nameMember(object: JsonObject, name: string): string | null {
  const value = member(object, name);
  return typeof value === 'string' ? shorten(value, CONTENT_LIMITS.name).text : null;
}
