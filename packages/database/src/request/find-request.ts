import { uuidTime, weekOf } from '@claude-nexus/domain';

import type { Queryable } from '../connection/queryable.ts';
import { REQUEST_COLUMNS, withoutNulls } from './request-columns.ts';
import type { NullableMembers, StoredRequest } from './request-columns.ts';
import { isRequestId } from './request-id.ts';

/** At most one: the exchange with this id, ended or open. Anything but a UUID is nobody's id. */
export async function findRequest(client: Queryable, id: string): Promise<StoredRequest | undefined> {
  if (!isRequestId(id)) return undefined;
  const found = await client.query<NullableMembers<Omit<StoredRequest, 'week'>>>({
    name: 'nexus-find-request',
    text: `select ${REQUEST_COLUMNS}
      from (
        select * from nexus.request where id = $1::uuid
        union all
        select * from nexus.open_request where id = $1::uuid
      ) r
      join nexus.source s on s.id = r.source_id
      limit 1`,
    values: [id],
  });
  const [row] = found.rows;
  return row && { ...withoutNulls<Omit<StoredRequest, 'week'>>(row), week: weekOf(uuidTime(id)) };
}
