import type { Queryable } from '../connection/queryable.ts';
import type { FrameRow, Part } from '../rows.ts';

/** Which frame. */
export interface FrameKey {
  readonly requestId: string;
  readonly part: Part;
}

/** Any number: the given frames, in no particular order; missing ones are left out, repeated keys read once. */
export async function readFrames(client: Queryable, keys: readonly FrameKey[]): Promise<FrameRow[]> {
  const distinct = new Map(keys.map((key) => [`${key.requestId}/${key.part}`, key]));
  if (distinct.size === 0) return [];
  const asked = [...distinct.values()];
  const query = {
    name: 'nexus-read-frames',
    text: `select k.request_id::text as "requestId", k.part, f.data
      from unnest($1::uuid[], $2::smallint[]) as k(request_id, part)
      cross join lateral (
        select f.data from nexus.frame f where f.request_id = k.request_id and f.part = k.part limit 1
      ) f`,
    values: [asked.map((key) => key.requestId), asked.map((key) => key.part)],
  };
  return (await client.query<FrameRow>(query)).rows;
}
