import { Type } from 'typebox';
import type { TSchema } from 'typebox';

/** A member that is always present and null when its value is not known. */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** RFC 3339 in UTC with milliseconds, e.g. `2026-11-23T18:40:00.000Z`. */
export const Timestamp = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' });

/** UUIDv7 in lower-case text form. */
export const RequestId = Type.String({ format: 'uuid', description: 'UUIDv7; sorts by start time' });

/** Money as a decimal string in USD, so that no binary fraction gets in. */
export const Money = Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?$', description: 'USD, decimal string' });

/** A number of tokens, bytes, milliseconds or things. */
export const Count = Type.Integer({ minimum: 0 });
