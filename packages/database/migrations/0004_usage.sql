-- minimum service: 1
--
-- What is counted, what has changed, and who writes.

-- Sums over 15 UTC minutes, so that zones at a quarter of an hour have exact days, of the requests that have
-- ended. Changed by (new - old) in the transaction that changes a request: they are exact at every instant.
-- The time of a request is that in its id, so that a bucket is a range of ids. Unknown account and model are ''
-- here: parts of a key.
create table nexus.usage_rollup (
  bucket timestamptz not null,
  requests bigint not null,
  -- Requests with usage whose price is unknown: cost_usd is short by these.
  unpriced_requests bigint not null,
  input_tokens bigint not null,
  output_tokens bigint not null,
  cache_read_tokens bigint not null,
  cache_write_5m_tokens bigint not null,
  cache_write_1h_tokens bigint not null,
  web_search_requests bigint not null,
  web_fetch_requests bigint not null,
  thinking_tokens bigint not null,
  tool_calls bigint not null,
  request_bytes bigint not null,
  response_bytes bigint not null,
  cost_usd numeric not null,
  domain text not null,
  account_id text not null,
  model text not null,
  kind nexus.request_kind not null,
  outcome nexus.request_outcome not null,
  -- Sparse histogram of three measures: code, count, code, count, ... in ascending order of codes, where a code is
  -- 1000 * measure + bucket. Percentiles do not add up, histograms do. The buckets are logarithmic, defined by the
  -- domain package. Measures: 0 milliseconds in all, 1 milliseconds to the first token, 2 thousandths of an
  -- output token per second.
  histogram integer[] not null,
  primary key (bucket, domain, account_id, model, kind, outcome)
) with (fillfactor = 70);
create index usage_rollup_scope on nexus.usage_rollup (domain, account_id);
comment on table nexus.usage_rollup is 'Usage per 15 minutes, domain, account, model, kind and outcome.';

-- Counts codes that are added and removed into a sparse histogram; counts may come out negative.
create function nexus.code_counts(p_added integer[], p_removed integer[])
returns integer[]
language sql immutable parallel safe
as $$
  select coalesce(array_agg(flat.value order by total.code, flat.position), '{}')
  from (
    select each.code, sum(each.count)::integer as count
    from (
      select c as code, 1 as count from unnest(p_added) c
      union all
      select c, -1 from unnest(p_removed) c
    ) each
    group by each.code
    having sum(each.count) <> 0
  ) total
  cross join lateral (values (1, total.code), (2, total.count)) flat(position, value)
$$;
comment on function nexus.code_counts(integer[], integer[]) is 'Sparse histogram of added less removed codes.';

create function nexus.add_histogram(p_held integer[], p_change integer[])
returns integer[]
language sql immutable parallel safe
as $$
  select case when cardinality(p_change) = 0 then p_held else (
    select coalesce(array_agg(flat.value order by total.code, flat.position), '{}')
    from (
      select pair.code, sum(pair.count)::integer as count
      from (
        select p_held[i] as code, p_held[i + 1] as count from generate_series(1, cardinality(p_held), 2) i
        union all
        select p_change[i], p_change[i + 1] from generate_series(1, cardinality(p_change), 2) i
      ) pair
      group by pair.code
      having sum(pair.count) <> 0
    ) total
    cross join lateral (values (1, total.code), (2, total.count)) flat(position, value)
  ) end
$$;
comment on function nexus.add_histogram(integer[], integer[]) is
  'Sum of two sparse histograms; codes whose count reaches zero disappear.';
revoke all on function nexus.code_counts(integer[], integer[]), nexus.add_histogram(integer[], integer[])
  from public;

-- Every change of a request, for about an hour. Readers take only rows of transactions older than the oldest
-- one still running (pg_snapshot_xmin), in order of (xid, seq), so nothing that commits late is skipped.
create table nexus.change (
  xid xid8 not null default pg_catalog.pg_current_xact_id(),
  seq bigint generated always as identity,
  at timestamptz not null default pg_catalog.now(),
  request_id uuid not null,
  primary key (xid, seq)
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);
comment on table nexus.change is 'Change feed: requests added or changed in the last hour.';

-- How far the feed has been trimmed: a position before this one has missed something.
create table nexus.change_trim (
  only_row boolean primary key default true check (only_row),
  xid xid8 not null,
  seq bigint not null
) with (fillfactor = 50);
insert into nexus.change_trim (xid, seq) values ('0'::xid8, 0);
comment on table nexus.change_trim is 'Position of the last change that was trimmed.';

create table nexus.recorder (
  id text primary key,
  updated_at timestamptz not null,
  state jsonb not null
) with (fillfactor = 50);
comment on table nexus.recorder is 'Last state each recorder wrote with its batches.';
