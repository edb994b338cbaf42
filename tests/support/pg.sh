#!/bin/bash
# A throw-away PostgreSQL server for tests: pg.sh start DIR | pg.sh stop DIR.
# start prints shell assignments (PGHOST PGPORT PGUSER PGBIN) and leaves the server listening on a Unix socket and on 127.0.0.1.
# Run as root it drops to the user postgres or nobody. Extra settings: PG_EXTRA="-c wal_level=logical".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
PGBIN=${PGBIN:-$("$here/../../tools/pgbin.sh")}
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid="$owner" --regid="$(id -g "$owner")" --clear-groups -- "$@"; else "$@"; fi; }
owner=$(id -un); [ "$(id -u)" != 0 ] || { id postgres > /dev/null 2>&1 && owner=postgres || owner=nobody; }
cmd=$1 dir=$2
case $cmd in
start)
  mkdir -p "$dir"; chmod 755 "$dir"; mkdir -p "$dir/pg"; [ "$(id -u)" != 0 ] || chown "$owner" "$dir/pg"
  cd "$dir/pg"
  as "$PGBIN/initdb" -D "$dir/pg/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync > "$dir/pg/initdb.log" 2>&1 || { cat "$dir/pg/initdb.log" >&2; exit 1; }
  port=${PG_PORT:-$("$here/free-port.sh")}
  # shellcheck disable=SC2086
  as "$PGBIN/pg_ctl" -D "$dir/pg/data" -s -w -t 60 -l "$dir/pg/server.log" -o "-p $port -k $dir/pg -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off -c max_connections=200 -c timezone=UTC -c log_timezone=UTC -c max_prepared_transactions=5 ${PG_EXTRA:-}" start > /dev/null || { cat "$dir/pg/server.log" >&2; exit 1; }
  echo "PGHOST=$dir/pg PGPORT=$port PGUSER=postgres PGBIN=$PGBIN" ;;
stop)
  cd /; as "$PGBIN/pg_ctl" -D "$dir/pg/data" -s -m immediate stop > /dev/null 2>&1 || true ;;
*) echo "usage: pg.sh start|stop DIR" >&2; exit 64 ;;
esac
