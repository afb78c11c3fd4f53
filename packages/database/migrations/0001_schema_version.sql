-- minimum service: 1
--
-- What a service may ask before anything else: which schema this is, and whether it is still served.
-- Functions belong to nexus_owner and run with its rights and a pinned search path; nobody may execute
-- them unless it is said here.

create function nexus.schema_version(out version integer, out minimum_service integer)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select m.version, m.minimum_service
  from nexus.migration m
  order by m.version desc
  limit 1
$$;
comment on function nexus.schema_version() is
  'Version of the schema and the lowest service version it serves.';
revoke all on function nexus.schema_version() from public;
grant execute on function nexus.schema_version() to nexus_writer;
