import type { Queryable } from '../connection/queryable.ts';
import type { FrameRow, Part } from '../rows.ts';

/** Which frame. */
export interface FrameKey {
  readonly requestId: string;
  readonly part: Part;
}

/**
 * Any number: the given frames and all those they are based on, directly and indirectly, each once and in no
 * particular order; missing ones are left out.
 */
export async function readFrames(client: Queryable, keys: readonly FrameKey[]): Promise<FrameRow[]> {
  const distinct = new Map(keys.map((key) => [`${key.requestId}/${key.part}`, key]));
  if (distinct.size === 0) return [];
  const asked = [...distinct.values()];
  const query = {
    name: 'nexus-read-frames',
    // Keys first: the bytes are stored apart and must not be read to find out what is asked for twice.
    text: `with recursive needed as (
        select k.request_id, k.part, f.base
        from unnest($1::uuid[], $2::smallint[]) as k(request_id, part)
        cross join lateral (
          select f.base from nexus.frame f where f.request_id = k.request_id and f.part = k.part limit 1
        ) f
        union
        select n.base, n.part, f.base
        from needed n
        cross join lateral (
          select f.base from nexus.frame f where f.request_id = n.base and f.part = n.part limit 1
        ) f
      )
      select n.request_id::text as "requestId", n.part, n.base::text, f.data
      from needed n
      cross join lateral (
        select f.data from nexus.frame f where f.request_id = n.request_id and f.part = n.part limit 1
      ) f`,
    values: [asked.map((key) => key.requestId), asked.map((key) => key.part)],
  };
  const found = await client.query<FrameRow & { base: string | null }>(query);
  return found.rows.map(({ base, ...row }) => (base === null ? row : { ...row, base }));
}
