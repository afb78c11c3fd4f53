import { Type } from 'typebox';
import type { Static } from 'typebox';
import { Timestamp, nullable } from './scalars.ts';

/** Body of `POST /api/session`. */
export const LoginBody = Type.Object(
  { key: Type.String({ minLength: 1, maxLength: 1024, description: 'the dashboard key' }) },
  { title: 'LoginBody', additionalProperties: false },
);
export type LoginBody = Static<typeof LoginBody>;

/** Who the caller is. `method` is how: with the session cookie, or with the key in a header. */
export const SessionStatus = Type.Object(
  {
    authenticated: Type.Boolean(),
    method: nullable(Type.Enum(['cookie', 'key'])),
    expiresAt: nullable(Timestamp),
  },
  { title: 'SessionStatus' },
);
export type SessionStatus = Static<typeof SessionStatus>;
