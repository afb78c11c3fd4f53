import { Type } from 'typebox';
import type { Static } from 'typebox';
import { Timestamp, nullable } from './scalars.ts';
import { UsageTotals } from './storage-stats.ts';

/** Parameters of `/sse`. */
export const EventsQuery = Type.Object(
  {
    domain: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        pattern: '^[^\\u0000-\\u001f\\u007f]*$',
        description: 'only requests of this domain',
      }),
    ),
  },
  { additionalProperties: false },
);
export type EventsQuery = Static<typeof EventsQuery>;

/** Data of a `stats` event: totals of the last 24 hours, of the domain asked for. */
export const StatsEvent = Type.Object(
  { from: Timestamp, to: Timestamp, domain: nullable(Type.String()), totals: UsageTotals },
  { title: 'StatsEvent' },
);
export type StatsEvent = Static<typeof StatsEvent>;

/** Data of a `heartbeat` event. */
export const HeartbeatEvent = Type.Object({ at: Timestamp }, { title: 'HeartbeatEvent' });
export type HeartbeatEvent = Static<typeof HeartbeatEvent>;

/** Data of a `reset` event: events may be missing before this one; read the lists again. */
export const ResetEvent = Type.Object(
  { reason: Type.Enum(['too-old', 'unknown-position']) },
  { title: 'ResetEvent' },
);
export type ResetEvent = Static<typeof ResetEvent>;
