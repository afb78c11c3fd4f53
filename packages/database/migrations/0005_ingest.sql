-- minimum service: 1
--
-- All that the proxy's login may do. Its rights end at these functions: it can read no table. An incompatible
-- change gets a function of another name, and the old one stays for a release.
--
-- Plans are cached while tables are still empty and must not turn into scans when they are not. So look-ups are
-- scalar sub-selects (never flattened into joins), deletions go by an array of keys and their bounds (which
-- prune partitions), and the functions switch off the plans that could only be mistakes. Planning for each call
-- would cost as much as the work itself. Look-ups name their week, or the bounds of their ids, by a variable: the
-- partitions they cannot be in are then not even opened, which takes longer than looking into the right one.

-- Answers which of these hashes the week does not hold yet.
create function nexus.put_pieces(p_week integer, p_hashes bytea)
returns setof bytea
language sql stable security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
  select given.hash
  from (
    select substr(p_hashes, i * 16 + 1, 16) as hash
    from generate_series(0, octet_length(p_hashes) / 16 - 1) i
  ) given
  where (select 1 from nexus.piece p where p.week = p_week and p.hash = given.hash limit 1) is null
$$;
comment on function nexus.put_pieces(integer, bytea) is
  'Which of the concatenated 16-byte hashes are not stored in the week.';

-- Refuses a batch that refers to something nobody has stored; the recorder then sends the whole again.
create function nexus.raise_missing(p_what text, p_hashes bytea[])
returns void
language plpgsql
as $$
begin
  if cardinality(p_hashes) > 0 then
    raise exception 'missing %', p_what using
      errcode = 'NX001',
      detail = (select string_agg(encode(h, 'hex'), ',') from unnest(p_hashes) h);
  end if;
end
$$;

-- Frames, pieces and nodes: inserted once, in key order, so that two writers of the same pieces wait for each
-- other in one direction only.
-- Answers whether all frames were new.
create function nexus.store_content(p_frames json, p_pieces json, p_nodes json, p_bytes bytea)
returns boolean
language plpgsql
as $$
declare
  bases uuid[] := array(
    select f.base from json_to_recordset(p_frames) as f(base uuid) where f.base is not null order by 1);
  stored text[];
  missing_bases bytea[];
  inserted integer;
  a_week integer;
begin
  with given as materialized (
    select f.*, f.request_id::text || '/' || f.part::text as key, f.base::text || '/' || f.part::text as base_key
    from json_to_recordset(p_frames)
      as f(request_id uuid, base uuid, part smallint, at integer, length integer)
  ), written as (
    insert into nexus.frame (request_id, base, part, data)
    select f.request_id, f.base, f.part, substr(p_bytes, f.at + 1, f.length)
    from given f
    order by f.request_id, f.part
    on conflict do nothing
    returning request_id, part
  ), keys as materialized (
    select array(select w.request_id::text || '/' || w.part::text from written w) as written,
      array(select f.key from given f) as given
  )
  -- A base must be there, and be what the sender takes it to be: one of this batch counts only if it was stored now.
  select k.written, array(
    select uuid_send(f.base) from given f
    where f.base is not null and f.base_key <> all (k.written) and (f.base_key = any (k.given) or (
      select 1 from nexus.frame b
      where b.request_id = f.base and b.part = f.part
        and b.request_id between bases[1] and bases[cardinality(bases)] limit 1) is null))
  into stored, missing_bases
  from keys k;
  if cardinality(missing_bases) > 0 then
    perform nexus.raise_missing('base', missing_bases);
  end if;

  if json_array_length(p_pieces) > 0 then
    -- A piece counts only together with the frame that holds it: if the frame is there already, from an earlier
    -- try, it may have been cut differently and the offsets would lie.
    insert into nexus.piece (week, hash, request_id, part, "offset", length)
    select p.week, substr(p_bytes, p.at + 1, 16), p.request_id, p.part, p."offset", p.length
    from json_to_recordset(p_pieces)
      as p(week integer, at integer, request_id uuid, part smallint, "offset" integer, length integer)
    where p.request_id::text || '/' || p.part::text = any (stored)
    order by 1, 2
    on conflict do nothing;
    get diagnostics inserted = row_count;

    if inserted < json_array_length(p_pieces) then
      perform nexus.raise_missing('piece', array(
        select g.hash
        from (
          select p.week, substr(p_bytes, p.at + 1, 16) as hash
          from json_to_recordset(p_pieces) as p(week integer, at integer)
        ) g
        where (select 1 from nexus.piece p where p.week = g.week and p.hash = g.hash limit 1) is null));
    end if;
  end if;

  if json_array_length(p_nodes) > 0 then
    -- Packed: hash, parent (zeros for a root), start of the strict and of the loose chain, recipe.
    insert into nexus.node (week, depth, hash, parent, strict_chain, loose_chain, recipe)
    select n.week, n.depth, substr(p_bytes, n.at + 1, 16),
      case when n.root then null else substr(p_bytes, n.at + 17, 16) end,
      substr(p_bytes, n.at + 33, 8), substr(p_bytes, n.at + 41, 8), substr(p_bytes, n.at + 49, n.length)
    from json_to_recordset(p_nodes)
      as n(week integer, depth integer, root boolean, at integer, length integer)
    order by 1, 3
    on conflict do nothing;

    foreach a_week in array array(select distinct n.week from json_to_recordset(p_nodes) as n(week integer)) loop
      perform nexus.raise_missing('parent', array(
        select g.parent
        from (
          select substr(p_bytes, n.at + 17, 16) as parent
          from json_to_recordset(p_nodes) as n(week integer, root boolean, at integer)
          where not n.root and n.week = a_week
        ) g
        where (select 1 from nexus.node n where n.week = a_week and n.hash = g.parent limit 1) is null));
    end loop;
  end if;

  return cardinality(stored) = json_array_length(p_frames);
end
$$;

-- Finds or makes the sources of a batch and answers its requests as rows, in id order.
create function nexus.incoming_requests(p_requests json)
returns nexus.request[]
language plpgsql
as $$
declare
  made nexus.request[];
begin
  -- Sources repeat: nearly always all of them are there, and the first round is the only one.
  for round in 1..2 loop
    select array_agg(jsonb_populate_record(null::nexus.request, r.value || jsonb_build_object('source_id', s.id))
      order by (r.value ->> 'id')::uuid)
    into made
    from jsonb_array_elements(p_requests::jsonb) r
    join nexus.source s on s.digest = nexus.source_digest(r.value -> 'source');
    exit when cardinality(made) = json_array_length(p_requests);

    insert into nexus.source
      (digest, domain, scope, account_id, client_key_name, device_id, account_uuid, user_agent, recorder_id)
    select distinct on (nexus.source_digest(r.source))
      nexus.source_digest(r.source), s.domain, s.scope, s.account_id, s.client_key_name, s.device_id,
      s.account_uuid, s.user_agent, s.recorder_id
    from json_to_recordset(p_requests) as r(source jsonb)
    cross join lateral jsonb_to_record(r.source) as s(
      domain text, scope text, account_id text, client_key_name text, device_id text, account_uuid text,
      user_agent text, recorder_id text)
    -- Asked first: a conflict would use up a number each time.
    where (select 1 from nexus.source k where k.digest = nexus.source_digest(r.source) limit 1) is null
    order by 1
    on conflict do nothing;
  end loop;
  return made;
end
$$;

create function nexus.source_digest(p_source jsonb)
returns bytea
language sql immutable parallel safe
as $$
  select substr(sha256(convert_to(jsonb_build_array(
    p_source ->> 'domain', p_source ->> 'scope', p_source ->> 'account_id', p_source ->> 'client_key_name',
    p_source ->> 'device_id', p_source ->> 'account_uuid', p_source ->> 'user_agent',
    p_source ->> 'recorder_id')::text, 'UTF8')), 1, 16)
$$;

-- Takes p_old out of the rollups and puts p_new in, in key order.
create function nexus.change_usage(p_new nexus.request[], p_old nexus.request[])
returns void
language plpgsql
as $$
begin
  insert into nexus.usage_rollup as u (
    bucket, domain, account_id, model, kind, outcome, requests, unpriced_requests, input_tokens, output_tokens,
    cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, web_search_requests, web_fetch_requests,
    thinking_tokens, tool_calls, request_bytes, response_bytes, cost_usd,
    histogram)
  select
    date_bin('15 minutes', nexus.id_time(r.id), '2000-01-01 00:00:00+00'), s.domain, coalesce(s.account_id, ''),
    coalesce(r.model, ''), r.kind, r.outcome,
    sum(r.sign),
    count(*) filter (where r.sign > 0 and r.input_tokens is not null and r.cost_usd is null)
      - count(*) filter (where r.sign < 0 and r.input_tokens is not null and r.cost_usd is null),
    coalesce(sum(r.sign * r.input_tokens::bigint), 0),
    coalesce(sum(r.sign * r.output_tokens::bigint), 0),
    coalesce(sum(r.sign * r.cache_read_tokens::bigint), 0),
    coalesce(sum(r.sign * r.cache_write_5m_tokens::bigint), 0),
    coalesce(sum(r.sign * r.cache_write_1h_tokens::bigint), 0),
    coalesce(sum(r.sign * r.web_search_requests::bigint), 0),
    coalesce(sum(r.sign * r.web_fetch_requests::bigint), 0),
    coalesce(sum(r.sign * r.thinking_tokens::bigint), 0),
    coalesce(sum(r.sign * r.tool_call_count::bigint), 0),
    sum(r.sign * r.request_length::bigint),
    sum(r.sign * r.response_length::bigint),
    coalesce(sum(r.sign * r.cost_usd), 0),
    nexus.code_counts(
      array_remove(array_agg(r.duration_bucket::integer) filter (where r.sign > 0)
        || array_agg(1000 + r.first_token_bucket) filter (where r.sign > 0)
        || array_agg(2000 + r.speed_bucket) filter (where r.sign > 0), null),
      array_remove(array_agg(r.duration_bucket::integer) filter (where r.sign < 0)
        || array_agg(1000 + r.first_token_bucket) filter (where r.sign < 0)
        || array_agg(2000 + r.speed_bucket) filter (where r.sign < 0), null))
  from (
    select 1::bigint as sign, n.* from unnest(p_new) n
    union all
    select -1::bigint, o.* from unnest(p_old) o
  ) r
  join nexus.source s on s.id = r.source_id
  group by 1, 2, 3, 4, 5, 6
  order by 1, 2, 3, 4, 5, 6
  on conflict (bucket, domain, account_id, model, kind, outcome) do update set
    requests = u.requests + excluded.requests,
    unpriced_requests = u.unpriced_requests + excluded.unpriced_requests,
    input_tokens = u.input_tokens + excluded.input_tokens,
    output_tokens = u.output_tokens + excluded.output_tokens,
    cache_read_tokens = u.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_5m_tokens = u.cache_write_5m_tokens + excluded.cache_write_5m_tokens,
    cache_write_1h_tokens = u.cache_write_1h_tokens + excluded.cache_write_1h_tokens,
    web_search_requests = u.web_search_requests + excluded.web_search_requests,
    web_fetch_requests = u.web_fetch_requests + excluded.web_fetch_requests,
    thinking_tokens = u.thinking_tokens + excluded.thinking_tokens,
    tool_calls = u.tool_calls + excluded.tool_calls,
    request_bytes = u.request_bytes + excluded.request_bytes,
    response_bytes = u.response_bytes + excluded.response_bytes,
    cost_usd = u.cost_usd + excluded.cost_usd,
    histogram = nexus.add_histogram(u.histogram, excluded.histogram);
end
$$;

-- Brings requests to a later state; rollups follow. A request never goes back from its end to open. Answers the
-- ids that changed.
create function nexus.store_requests(p_incoming nexus.request[])
returns uuid[]
language plpgsql
as $$
declare
  ids uuid[];
  ended nexus.request[];
  opened nexus.request[];
  replaced nexus.request[];
  stored_ended uuid[];
  stored_open uuid[];
begin
  select array_agg(r.id order by r.id), array_agg(r order by r.id) filter (where r.outcome <> 'pending'),
    array_agg(r order by r.id) filter (where r.outcome = 'pending')
  into ids, ended, opened
  from unnest(p_incoming) r;

  -- Two deliveries of one request must not both count it: the second waits here and then sees what the first did.
  perform pg_advisory_xact_lock(4742, k.key)
  from (select distinct hashtext(r.id::text) as key from unnest(p_incoming) r order by 1) k;

  -- Preparing to change a wide, partitioned table costs more than to find out that there is nothing to change.
  if exists (select from nexus.open_request o where o.id = any (ids)) then
    delete from nexus.open_request o
    using unnest(p_incoming) n
    where o.id = any (ids) and o.id = n.id
      and (n.outcome <> 'pending' or n is distinct from row(o.*)::nexus.request);
  end if;

  if ended is not null then
    if exists (
      select from nexus.request o where o.id = any (ids) and o.id between ids[1] and ids[cardinality(ids)])
    then
      with gone as (
        delete from nexus.request o
        using unnest(ended) n
        where o.id = any (ids) and o.id between ids[1] and ids[cardinality(ids)]
          and o.id = n.id and n is distinct from o
        returning o as old_row
      )
      select array_agg(old_row) into replaced from gone;
    end if;

    with written as (
      insert into nexus.request select r.* from unnest(ended) r on conflict do nothing returning id
    )
    select array_agg(id) into stored_ended from written;
  end if;

  if opened is not null then
    with written as (
      insert into nexus.open_request
      select r.* from unnest(opened) r
      where (
        select 1 from nexus.request e
        where e.id = r.id and e.id between ids[1] and ids[cardinality(ids)] limit 1) is null
      on conflict do nothing
      returning id
    )
    select array_agg(id) into stored_open from written;
  end if;

  if stored_ended is not null then
    perform nexus.change_usage(
      array(select r from unnest(ended) r where r.id = any (stored_ended)), coalesce(replaced, '{}'));
  end if;
  return coalesce(stored_ended, '{}') || coalesce(stored_open, '{}');
end
$$;

-- Refuses requests whose leaf, head or tail nobody has stored in their week; p_requests are in id order.
create function nexus.check_references(p_requests nexus.request[])
returns void
language plpgsql
as $$
declare
  weeks integer[] := array[
    nexus.week_of(nexus.id_time((p_requests[1]).id)),
    nexus.week_of(nexus.id_time((p_requests[cardinality(p_requests)]).id))];
  a_week integer;
  week_begin uuid;
  week_end uuid;
  missing_leaves bytea[];
  missing_pieces bytea[];
begin
  if weeks[1] = weeks[2] then
    weeks := weeks[1:1];
  else
    weeks := array(select distinct nexus.week_of(nexus.id_time(r.id)) from unnest(p_requests) r);
  end if;
  foreach a_week in array weeks loop
    week_begin := nexus.first_id(nexus.week_start(a_week));
    week_end := nexus.first_id(nexus.week_start(a_week + 1));
    with wanted as materialized (
      select r.leaf_node, r.head_hash, r.tail_hash from unnest(p_requests) r
      where r.id >= week_begin and r.id < week_end
    )
    select
      array(
        select w.leaf_node from wanted w
        where w.leaf_node is not null and (
          select 1 from nexus.node n where n.week = a_week and n.hash = w.leaf_node limit 1) is null),
      array(
        select h.hash from wanted w cross join lateral (values (w.head_hash), (w.tail_hash)) h(hash)
        where h.hash is not null and (
          select 1 from nexus.piece p where p.week = a_week and p.hash = h.hash limit 1) is null)
    into missing_leaves, missing_pieces;
    perform nexus.raise_missing('leaf', missing_leaves), nexus.raise_missing('piece', missing_pieces);
  end loop;
end
$$;

-- Removes changes older than an hour from the front of the feed, a few at a time, and only if no other batch
-- is doing so. Always a prefix in reading order, so that one position tells what is gone.
create function nexus.trim_changes()
returns void
language plpgsql
as $$
declare
  cutoff constant timestamptz := now() - interval '1 hour';
  last_xid xid8;
  last_seq bigint;
begin
  if (select c.at >= cutoff from nexus.change c order by c.xid, c.seq limit 1) is not false then
    return;
  end if;
  perform from nexus.change_trim for update skip locked;
  if not found then
    return;
  end if;
  with front as (
    select c.xid, c.seq, bool_or(c.at >= cutoff or c.xid >= pg_snapshot_xmin(pg_current_snapshot()))
      over (order by c.xid, c.seq) as keep
    from (select xid, seq, at from nexus.change order by xid, seq limit 500) c
  ), gone as (
    delete from nexus.change c using front f
    where not f.keep and c.xid = f.xid and c.seq = f.seq
    returning c.xid, c.seq
  )
  select g.xid, g.seq into last_xid, last_seq from gone g order by g.xid desc, g.seq desc limit 1;
  if found then
    update nexus.change_trim set xid = last_xid, seq = last_seq;
  end if;
end
$$;

-- Writes one batch of a recorder. Everything is idempotent: a batch that was written before changes nothing.
-- Bytes come as one parameter and are referred to by position (`at`), because a driver sends a single bytea in
-- binary, but an array of them as text of twice the size. To be called once per transaction: a second call
-- would take its locks out of order. Answers whether all frames were new: one that was there before stays as it is,
-- and what a recorder makes of its own must not be based on.
create function nexus.commit_exchanges(
  p_frames json, p_pieces json, p_nodes json, p_requests json, p_bytes bytea,
  p_recorder_id text, p_recorder_state jsonb)
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
declare
  incoming nexus.request[] := '{}';
  changed uuid[] := '{}';
  frames_new boolean;
begin
  frames_new := nexus.store_content(p_frames, p_pieces, p_nodes, p_bytes);

  if json_array_length(p_requests) > 0 then
    incoming := nexus.incoming_requests(p_requests);
    perform nexus.check_references(incoming);
    changed := nexus.store_requests(incoming);
  end if;

  if cardinality(changed) > 0 then
    insert into nexus.change (request_id) select id from unnest(changed) id order by id;
    perform nexus.trim_changes();
  end if;

  insert into nexus.recorder as k (id, updated_at, state)
  values (p_recorder_id, clock_timestamp(), p_recorder_state)
  on conflict (id) do update set updated_at = excluded.updated_at, state = excluded.state;

  if cardinality(changed) > 0 then
    perform pg_notify('nexus_change', '');
  end if;

  return frames_new;
end
$$;
comment on function nexus.commit_exchanges(json, json, json, json, bytea, text, jsonb) is
  'Writes one batch: frames, pieces, nodes, requests; rollups and change feed follow.';

-- Sums over all time of a domain, an account, or one account of one domain; null does not restrict.
create function nexus.token_totals(
  p_domain text, p_account_id text,
  out requests bigint, out unpriced_requests bigint, out input_tokens bigint, out output_tokens bigint,
  out cache_read_tokens bigint, out cache_write_5m_tokens bigint, out cache_write_1h_tokens bigint,
  out web_search_requests bigint, out cost_usd numeric)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(u.requests), 0)::bigint, coalesce(sum(u.unpriced_requests), 0)::bigint,
    coalesce(sum(u.input_tokens), 0)::bigint, coalesce(sum(u.output_tokens), 0)::bigint,
    coalesce(sum(u.cache_read_tokens), 0)::bigint, coalesce(sum(u.cache_write_5m_tokens), 0)::bigint,
    coalesce(sum(u.cache_write_1h_tokens), 0)::bigint, coalesce(sum(u.web_search_requests), 0)::bigint,
    coalesce(sum(u.cost_usd), 0)
  from nexus.usage_rollup u
  where (p_domain is null or u.domain = p_domain) and (p_account_id is null or u.account_id = p_account_id)
$$;
comment on function nexus.token_totals(text, text) is 'Usage of a scope over all time.';

revoke all on all functions in schema nexus from public;
grant execute on function
  nexus.put_pieces(integer, bytea),
  nexus.commit_exchanges(json, json, json, json, bytea, text, jsonb),
  nexus.token_totals(text, text)
to nexus_writer;
