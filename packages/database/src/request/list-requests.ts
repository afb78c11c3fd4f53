import type { Queryable } from '../connection/queryable.ts';
import { InvalidQueryError } from './errors.ts';
import { SUMMARY_COLUMNS, withoutNulls } from './request-columns.ts';
import type { NullableMembers, RequestSummaryRow } from './request-columns.ts';
import { Parameters, checkFilter, rollupConditions, rowConditions } from './request-filter.ts';
import type { RequestFilter } from './request-filter.ts';
import { LAST_ID, firstIdAt, idTime, isRequestId } from './request-id.ts';

/** Which page of a list. */
export interface RequestPageOptions {
  /** Most rows wanted. */
  readonly limit: number;
  /** Only requests before this position: `nextBefore` of the page before. A UUID, whether or not it exists. */
  readonly before?: string | undefined;
  /** Most rows looked at; default 40,000. */
  readonly scanBudget?: number;
}

/** Part of a list, newest first. */
export interface RequestPage {
  readonly requests: RequestSummaryRow[];
  /** Where to go on; undefined at the end. */
  readonly nextBefore: string | undefined;
}

/** Ids from `from` up to before `before`. */
interface IdRange {
  readonly from: string;
  readonly before: string;
}

const SCAN_BUDGET = 40_000;
const BUCKET_MS = 15 * 60 * 1000;
/** Up to this many requests of a session or agent are read and sorted; in a longer one matches are dense. */
const INDEXED_MATCHES = 2_000;

/**
 * Any number: exchanges that match, newest first. A page ends when it is full or its scan budget is used up: it
 * may hold fewer rows than asked for, even none, and still have a next one. Stretches of time without a match
 * are skipped where the usage rollups tell of them.
 *
 * @throws InvalidQueryError
 */
export async function listRequests(
  client: Queryable,
  filter: RequestFilter,
  page: RequestPageOptions,
): Promise<RequestPage> {
  checkFilter(filter);
  const wanted = rangeOf(filter, page);
  // Conversations are linked by a later release: no request belongs to one yet.
  if (filter.conversation !== undefined || wanted.from >= wanted.before) return END;
  const range = { ...wanted, before: await skipEmptyTime(client, filter, wanted) };
  const indexed = await fewOfIndexedKey(client, filter, range);
  const budget = indexed ? undefined : (page.scanBudget ?? SCAN_BUDGET);
  const rows = await matches(client, filter, {
    range: { ended: range, open: wanted },
    limit: page.limit + 1,
    budget,
  });
  // Filled by ended requests alone, the page cannot reach below what was looked at.
  const complete =
    budget === undefined || rows.filter((row) => row.outcome !== 'pending').length > page.limit;
  const stop = complete ? undefined : await lastScanned(client, range, budget);
  const seen = stop === undefined ? rows : rows.filter((row) => row.id >= stop);
  const full = seen.length > page.limit;
  return { requests: seen.slice(0, page.limit), nextBefore: full ? seen[page.limit - 1]?.id : stop };
}

const END: RequestPage = { requests: [], nextBefore: undefined };

function rangeOf(filter: RequestFilter, page: RequestPageOptions): IdRange {
  if (page.before !== undefined && !isRequestId(page.before)) {
    throw new InvalidQueryError('before', 'a UUID in lower case');
  }
  if (!Number.isInteger(page.limit) || page.limit < 1)
    throw new InvalidQueryError('limit', 'an integer from 1');
  const bounds = [page.before ?? LAST_ID, filter.to === undefined ? LAST_ID : firstIdAt(filter.to)];
  return {
    from: firstIdAt(filter.from ?? 0),
    before: bounds.toSorted()[0] ?? LAST_ID,
  };
}

/**
 * The rollups know in which quarters of an hour there is something of a domain, account, model, kind or outcome.
 *
 * @returns a position at or below `range.before` above the newest ended match; `range.from` if there is none
 */
async function skipEmptyTime(client: Queryable, filter: RequestFilter, range: IdRange): Promise<string> {
  const parameters = new Parameters();
  const conditions = rollupConditions(filter, parameters);
  if (conditions.length === 0) return range.before;
  const found = await client.query<{ bucket: number }>(
    `select u.bucket from nexus.usage_rollup u
     where ${conditions.join(' and ')} and u.requests > 0
       and u.bucket <= ${parameters.add(new Date(idTime(range.before)), 'timestamptz')}
     order by u.bucket desc limit 1`,
    parameters.values,
  );
  const bucket = found.rows[0]?.bucket;
  if (bucket === undefined) return range.from;
  const end = firstIdAt(bucket + BUCKET_MS);
  return end < range.before ? end : range.before;
}

/** Whether the filter names a session or agent with few requests in the range. */
async function fewOfIndexedKey(client: Queryable, filter: RequestFilter, range: IdRange): Promise<boolean> {
  const [column, value] =
    filter.agent === undefined ? ['session_id', filter.session] : ['agent_id', filter.agent];
  if (value === undefined) return false;
  const found = await client.query<{ count: number }>(
    `select count(*) as count from (
       select from nexus.request where ${column} = $1::text and id >= $2::uuid and id < $3::uuid limit $4::integer
     ) few`,
    [value, range.from, range.before, INDEXED_MATCHES + 1],
  );
  return (found.rows[0]?.count ?? 0) <= INDEXED_MATCHES;
}

interface MatchOptions {
  readonly range: { readonly ended: IdRange; readonly open: IdRange };
  readonly limit: number;
  /** Rows to look at; undefined reads all of the filter's session or agent. */
  readonly budget: number | undefined;
}

async function matches(
  client: Queryable,
  filter: RequestFilter,
  options: MatchOptions,
): Promise<RequestSummaryRow[]> {
  const { range, limit, budget } = options;
  const parameters = new Parameters();
  const conditions = rowConditions(filter, parameters);
  const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
  const ended = `select * from nexus.request r where r.id >= ${parameters.add(range.ended.from, 'uuid')}
    and r.id < ${parameters.add(range.ended.before, 'uuid')}`;
  const open = `select * from nexus.open_request r where r.id >= ${parameters.add(range.open.from, 'uuid')}
    and r.id < ${parameters.add(range.open.before, 'uuid')}`;
  const few = parameters.add(limit, 'integer');
  // With a budget: newest first, stopping at the first full page. The lateral look-up keeps that order, which a
  // join would not promise. Without: the index of the session or agent, sorted; `materialized` keeps the planner
  // from walking all requests in the hope of meeting them soon.
  const scanned =
    budget === undefined
      ? `(with own as materialized (${ended} ${indexedCondition(filter, parameters)}) select * from own order by id desc)`
      : `(${ended} order by r.id desc limit ${parameters.add(budget, 'integer')})`;
  const page = (rows: string): string => `(select ${SUMMARY_COLUMNS} from ${rows} r
    cross join lateral (select * from nexus.source s where s.id = r.source_id limit 1) s
    ${where} order by r.id desc limit ${few})`;
  const found = await client.query<NullableMembers<RequestSummaryRow>>(
    `${page(scanned)} union all ${page(`(${open})`)} order by id desc limit ${few}`,
    parameters.values,
  );
  return found.rows.map((row) => withoutNulls<RequestSummaryRow>(row));
}

function indexedCondition(filter: RequestFilter, parameters: Parameters): string {
  if (filter.agent !== undefined) return `and r.agent_id = ${parameters.add(filter.agent, 'text')}`;
  return `and r.session_id = ${parameters.add(filter.session, 'text')}`;
}

/** @returns the last id a scan of `budget` rows reaches; undefined when it reaches the end of the range */
async function lastScanned(client: Queryable, range: IdRange, budget: number): Promise<string | undefined> {
  const found = await client.query<{ id: string }>(
    `select r.id from nexus.request r where r.id >= $1::uuid and r.id < $2::uuid
     order by r.id desc offset $3::integer limit 1`,
    [range.from, range.before, budget - 1],
  );
  return found.rows[0]?.id;
}
