/**
 * What has to exist before the first migration: the three group roles and the schema with the record of
 * migrations. Roles belong to the whole server, so another database's migration may create them at the
 * same moment. Repeating it changes nothing.
 */
export const BOOTSTRAP_SQL = /* sql */ `
do $$
declare
  role_name text;
begin
  foreach role_name in array array['nexus_owner', 'nexus_writer', 'nexus_reader'] loop
    if not exists (select from pg_catalog.pg_roles where rolname = role_name::name) then
      begin
        execute pg_catalog.format('create role %I nologin', role_name);
      exception when duplicate_object or unique_violation then
        null;
      end;
    end if;
  end loop;
  -- Only who may become the owner can create what belongs to it. A superuser may by right; the creator of a role
  -- may, since PostgreSQL 16, only grant itself that right.
  if not pg_catalog.pg_has_role(current_user, 'nexus_owner',
    case when pg_catalog.current_setting('server_version_num')::integer >= 160000 then 'set' else 'member' end)
  then
    execute pg_catalog.format('grant nexus_owner to %I', current_user);
  end if;
end
$$;

do $$
begin
  if pg_catalog.to_regnamespace('nexus') is null then
    create schema nexus authorization nexus_owner;
  end if;
end
$$;

set local role nexus_owner;

grant usage on schema nexus to nexus_writer, nexus_reader;

-- PostgreSQL lets everybody execute a new function unless told otherwise.
alter default privileges for role nexus_owner revoke execute on functions from public;
alter default privileges for role nexus_owner in schema nexus grant select on tables to nexus_reader;

create table if not exists nexus.migration (
  version integer primary key,
  name text not null,
  checksum text not null,
  minimum_service integer not null,
  applied_at timestamptz not null default pg_catalog.now()
);
comment on table nexus.migration is 'Applied migrations; the last row is the schema version.';
`;

/**
 * Closes what every database grants to everybody: temporary tables, and large objects. Needs the owner of
 * the database, or a superuser; where the migration's login is neither, an administrator's settings stand.
 */
export const HARDENING_SQL: readonly string[] = [
  `do $$ begin
    if pg_catalog.has_database_privilege('public', pg_catalog.current_database(), 'temporary') then
      execute pg_catalog.format('revoke temporary on database %I from public', pg_catalog.current_database());
    end if;
  end $$`,
  `do $$ begin
    if pg_catalog.has_schema_privilege('public', 'public', 'create') then
      revoke create on schema public from public;
    end if;
  end $$`,
  `do $$
  declare
    routine regprocedure;
  begin
    for routine in
      select p.oid::regprocedure from pg_catalog.pg_proc p
      where p.pronamespace = 'pg_catalog'::regnamespace
        and p.proname in ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lowrite', 'lo_open')
        and pg_catalog.has_function_privilege('public', p.oid, 'execute')
    loop
      execute pg_catalog.format('revoke execute on function %s from public', routine);
    end loop;
  end $$`,
];
