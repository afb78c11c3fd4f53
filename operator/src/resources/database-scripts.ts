/*
 * Shell programs of the dump and restore pods: POSIX sh, with what the PostgreSQL images hold. PGHOST, PGUSER, PGPASSWORD
 * and PGDATABASE come from the environment; no value is put into the text of a program.
 */

export const BACKUP_DIR = '/backup';

/** A network policy may let a new pod through a moment after it has started. */
const AWAIT_DATABASE = `tries=60
until pg_isready -q; do
  tries=$((tries - 1))
  if [ "$tries" -le 0 ]; then echo "PostgreSQL at $PGHOST does not answer" >&2; exit 1; fi
  sleep 5
done`;

/** Reads KEEP. Leaves a complete dump under its final name or none at all. */
export const BACKUP_SCRIPT = `set -eu
${AWAIT_DATABASE}
umask 027
cd ${BACKUP_DIR}
rm -f .nexus-*.partial
name="nexus-$(date -u +%Y%m%dT%H%M%SZ).dump"
partial=".$name.partial"
pg_dump --no-password --format=custom --file="$partial"
pg_restore --list "$partial" > /dev/null
# The list stands at the beginning of a dump: only reading all of it shows that it is complete.
pg_restore --file=/dev/null "$partial"
mv "$partial" "$name"
echo "wrote $name, $(wc -c < "$name") bytes"
ls -1 | grep -E '^nexus-[0-9]{8}T[0-9]{6}Z\\.dump$' | sort -r | tail -n "+$((KEEP + 1))" | while read -r old; do
  rm -f -- "$old"
  echo "removed $old"
done
`;

/** Reads RESTORE_FILE: the name of a dump, or `latest`. Restores all of it or nothing. */
export const RESTORE_SCRIPT = `set -eu
${AWAIT_DATABASE}
found="$(psql --no-psqlrc --no-password -Atc "select 1 from pg_catalog.pg_namespace where nspname = 'nexus'")"
if [ -n "$found" ]; then
  echo 'the database has the schema nexus already: nothing is restored'
  exit 0
fi
cd ${BACKUP_DIR}
file="$RESTORE_FILE"
case "$file" in */*) echo 'the file must be a name without folders' >&2; exit 1 ;; esac
if [ "$file" = latest ]; then
  file="$(ls -1 | grep -E '^nexus-[0-9]{8}T[0-9]{6}Z\\.dump$' | sort | tail -n 1)"
  if [ -z "$file" ]; then echo 'the claim holds no dump nexus-<time>.dump' >&2; exit 1; fi
fi
if [ ! -f "./$file" ]; then echo "the claim holds no file $file" >&2; exit 1; fi
# A dump refers to the group roles, but holds none: roles belong to the server.
for role in nexus_owner nexus_writer nexus_reader; do
  known="$(psql --no-psqlrc --no-password -Atc "select 1 from pg_catalog.pg_roles where rolname = '$role'")"
  if [ -z "$known" ]; then psql --no-psqlrc --no-password -qc "create role $role nologin"; fi
done
pg_restore --no-password --exit-on-error --single-transaction --dbname="$PGDATABASE" "./$file"
echo "restored $file"
`;
