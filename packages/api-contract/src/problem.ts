import { Type } from 'typebox';
import type { Static } from 'typebox';

/** One input that was refused, and what to do about it. */
export const FieldError = Type.Object(
  {
    field: Type.String({ description: 'name of the parameter or member' }),
    message: Type.String({ description: 'what is wrong' }),
    fix: Type.String({ description: 'what would be accepted' }),
  },
  { title: 'FieldError' },
);
export type FieldError = Static<typeof FieldError>;

/** RFC 9457 problem details, the body of every error (`application/problem+json`). */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'about:blank, or a URN that names the kind of problem' }),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.Optional(Type.String()),
    code: Type.String({ description: 'stable, e.g. NEXUS_INPUT_INVALID' }),
    errors: Type.Optional(Type.Array(FieldError)),
  },
  { title: 'Problem' },
);
export type Problem = Static<typeof Problem>;
