#!/bin/bash
# What the operator uses of the official image's contract: POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD or
# POSTGRES_PASSWORD_FILE, POSTGRES_INITDB_ARGS, PGDATA. Never run as root.
set -euo pipefail
if [ "${1:-}" != postgres ]; then exec "$@"; fi

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  password=${POSTGRES_PASSWORD:-}
  if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then password=$(<"$POSTGRES_PASSWORD_FILE"); fi
  if [ -z "$password" ]; then echo 'set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE' >&2; exit 1; fi
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA"
  # The arguments are a command line by contract: they are split into words.
  # shellcheck disable=SC2086
  initdb --username="$user" --pwfile=<(printf '%s\n' "$password") ${POSTGRES_INITDB_ARGS:-}
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  if [ "$database" != postgres ]; then
    # Nobody else may see the server before it is set up: it listens on a socket only.
    pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
    PGPASSWORD=$password psql --no-psqlrc -v ON_ERROR_STOP=1 -v name="$database" -U "$user" -d postgres \
      <<<'create database :"name"'
    pg_ctl -D "$PGDATA" -m fast -w stop
  fi
fi
exec "$@" -c 'listen_addresses=*'
