#!/bin/bash
# Entry point of the stand-in for postgres:15: the same variables, the same order of events.
set -eu
from_file() {
  local name=$1 file=$1_FILE
  if [ -n "${!file:-}" ]; then
    [ -z "${!name:-}" ] || { echo "both $name and $file are set (but are exclusive)" >&2; exit 1; }
    export "$name=$(< "${!file}")"
    unset "$file" # this script starts itself again as another user
  fi
}
from_file POSTGRES_USER; from_file POSTGRES_PASSWORD; from_file POSTGRES_DB
user=${POSTGRES_USER:-postgres} db=${POSTGRES_DB:-${POSTGRES_USER:-postgres}}
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"; chown postgres "$PGDATA" /var/run/postgresql; chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  [ -n "${POSTGRES_PASSWORD:-}" ] || { echo "POSTGRES_PASSWORD is not set" >&2; exit 1; }
  initdb -U "$user" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") --auth-local=trust --auth-host=scram-sha-256 --locale=C.UTF-8 > /dev/null
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  pg_ctl -s -w -o "-c listen_addresses=''" start
  [ "$db" = postgres ] || psql -qX -U "$user" -d postgres -v db="$db" <<< 'create database :"db";'
  # shellcheck disable=SC1090
  for f in /docker-entrypoint-initdb.d/*; do
    case $f in
    *.sh) if [ -x "$f" ]; then "$f"; else . "$f"; fi ;;
    *.sql) psql -qX -v ON_ERROR_STOP=1 -U "$user" -d "$db" -f "$f" ;;
    esac
  done
  sleep "${STAND_IN_INIT_SECONDS:-0}" # for tests of who connects too early
  pg_ctl -s -m fast -w stop
fi
unset PGPASSWORD POSTGRES_PASSWORD
exec "$@" -c listen_addresses='*'
