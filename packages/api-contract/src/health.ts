import { Type } from 'typebox';
import type { Static } from 'typebox';
import { Timestamp, nullable } from './scalars.ts';

/** Answer of `/health`. */
export const Health = Type.Object(
  {
    status: Type.Enum(['ok', 'degraded', 'draining']),
    database: Type.Enum(['up', 'down', 'unknown']),
  },
  { title: 'Health' },
);
export type Health = Static<typeof Health>;

/** Answer of `/health/live` and `/health/ready`. */
export const Probe = Type.Object({ status: Type.Enum(['ok', 'unavailable']) }, { title: 'Probe' });
export type Probe = Static<typeof Probe>;

/** Answer of `/api/proxy`: where clients connect, and whether that address answers. */
export const ProxyStatus = Type.Object(
  {
    url: nullable(Type.String({ description: 'PROXY_API_URL; null when not configured' })),
    status: Type.Enum(['up', 'down', 'unknown']),
    checkedAt: nullable(Timestamp),
  },
  { title: 'ProxyStatus' },
);
export type ProxyStatus = Static<typeof ProxyStatus>;
