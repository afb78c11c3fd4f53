-- minimum service: 1
--
-- Weekly partitions, made ahead of time by the services that write.
--
-- Functions that services may execute pin the search path; what they call runs under it. Without a setting of
-- their own, the small ones are inlined.

create function nexus.week_of(p_time timestamptz)
returns integer
language sql immutable parallel safe
as $$
  select floor((extract(epoch from p_time) + 259200) / 604800)::integer
$$;
comment on function nexus.week_of(timestamptz) is 'Number of the Monday-based UTC week, counted from 1969-12-29.';

create function nexus.week_start(p_week integer)
returns timestamptz
language sql immutable parallel safe
as $$
  select to_timestamp(p_week::bigint * 604800 - 259200)
$$;
comment on function nexus.week_start(integer) is 'First instant of a week.';

create function nexus.id_time(p_id uuid)
returns timestamptz
language sql immutable parallel safe
as $$
  select to_timestamp(('x' || left(replace(p_id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)
$$;
comment on function nexus.id_time(uuid) is 'Instant in the first 48 bits of a UUIDv7.';

create function nexus.first_id(p_time timestamptz)
returns uuid
language sql immutable parallel safe
as $$
  select rpad(lpad(to_hex(floor(extract(epoch from p_time) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;
comment on function nexus.first_id(timestamptz) is 'Lower bound of the UUIDv7 ids of an instant.';

-- Adds one week to one table. Rows of that week that are in the DEFAULT partition move first: PostgreSQL
-- refuses a partition that overlaps them. The new table is attached rather than created in place, because
-- that leaves the parent open for reading. Writers wait: one that has been sent to DEFAULT before would find
-- that its row no longer belongs there. Answers whether it was added.
create function nexus.add_partition(p_table text, p_week integer)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  partition_name text := format('%s_w%s', p_table, p_week);
  key_column text := case p_table when 'request' then 'id' when 'frame' then 'request_id' else 'week' end;
  lower_bound text;
  upper_bound text;
  moved bigint;
begin
  if to_regclass(format('nexus.%I', partition_name)) is not null then
    return false;
  end if;
  if p_table in ('request', 'frame') then
    lower_bound := nexus.first_id(nexus.week_start(p_week))::text;
    upper_bound := nexus.first_id(nexus.week_start(p_week + 1))::text;
  else
    lower_bound := p_week::text;
    upper_bound := (p_week + 1)::text;
  end if;
  execute format('lock table only nexus.%I in share row exclusive mode', p_table);
  execute format('lock table nexus.%I in access exclusive mode', p_table || '_default');
  execute format('create table nexus.%I (like nexus.%I including all) with (fillfactor = 100)', partition_name, p_table);
  execute format(
    'with moved as (delete from nexus.%1$I where %2$I >= %3$L and %2$I < %4$L returning *)
     insert into nexus.%5$I select * from moved',
    p_table || '_default', key_column, lower_bound, upper_bound, partition_name);
  get diagnostics moved = row_count;
  execute format('alter table nexus.%I attach partition nexus.%I for values from (%L) to (%L)',
    p_table, partition_name, lower_bound, upper_bound);
  if moved > 0 then
    raise log 'nexus.%: % rows moved from the default partition', partition_name, moved;
  end if;
  return true;
end
$$;
comment on function nexus.add_partition(text, integer) is 'Adds one week to one table; internal to ensure_partitions().';

-- The current week, four to come, and any earlier week found in a DEFAULT partition. Weeks far in the future
-- (a wrong clock) stay in DEFAULT, which serves them as well, only without retention. The order of tables is
-- that in which commit_exchanges() writes, so that the two cannot wait for each other in a circle. A table
-- that is in use for longer than the lock timeout is left for the next call: there are weeks to go.
create function nexus.ensure_partitions()
returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '3s'
as $$
declare
  this_week integer := nexus.week_of(clock_timestamp());
  wanted record;
  added integer := 0;
begin
  -- The lock of the migrations: neither changes tables under the other.
  if not pg_try_advisory_xact_lock(474215675251) then
    return 0;
  end if;
  for wanted in
    with found as (
      select 'request' as table_name, nexus.week_of(nexus.id_time(id)) as week from nexus.request_default
      union select 'frame', nexus.week_of(nexus.id_time(request_id)) from nexus.frame_default
      union select 'piece', week from nexus.piece_default
      union select 'node', week from nexus.node_default
    ), due as (
      select t.table_name, w.week
      from (values ('request'), ('frame'), ('piece'), ('node')) t(table_name)
      cross join generate_series(this_week, this_week + 4) w(week)
      union
      -- Oldest last and not all at once: junk ids must not make partitions without end.
      (select table_name, week from found where week between this_week - 520 and this_week + 4
       order by week desc limit 16)
    )
    select d.table_name, d.week
    from due d
    where to_regclass(format('nexus.%I', d.table_name || '_w' || d.week)) is null
    order by array_position(array['frame', 'piece', 'node', 'request'], d.table_name), d.week
  loop
    begin
      if nexus.add_partition(wanted.table_name, wanted.week) then
        added := added + 1;
      end if;
    exception when lock_not_available or deadlock_detected then
      raise log 'nexus.%_w%: not added, the table is in use', wanted.table_name, wanted.week;
    end;
  end loop;
  return added;
end
$$;
comment on function nexus.ensure_partitions() is
  'Adds the partitions of the coming weeks; called daily by every recorder. Answers how many it added.';

revoke all on function nexus.week_of(timestamptz), nexus.week_start(integer), nexus.id_time(uuid),
  nexus.first_id(timestamptz), nexus.add_partition(text, integer), nexus.ensure_partitions() from public;
grant execute on function nexus.ensure_partitions() to nexus_writer;

-- Not through ensure_partitions(): this transaction holds the advisory lock, which is fine, but a fresh
-- schema must never be left without partitions because of a timeout.
select nexus.add_partition(t.table_name, w.week)
from (values ('frame'), ('piece'), ('node'), ('request')) t(table_name)
cross join generate_series(
  nexus.week_of(pg_catalog.clock_timestamp()), nexus.week_of(pg_catalog.clock_timestamp()) + 4) w(week);
