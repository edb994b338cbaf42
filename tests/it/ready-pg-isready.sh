#!/bin/bash
# pg_isready: line and exit status equal to the real binary's, row by row; also --level ping.
# shellcheck source=tests/support/lib.sh disable=SC1091
. "$(dirname "$0")/../support/lib.sh"
export PGDATABASE=postgres
ours=$B/bin/pg_isready theirs=$PGBIN/pg_isready

# same NAME ARG...: stdout, stderr and status of both; NAME=VALUE words before the first option go to the environment
same() {
  local name=$1 env=() want
  shift
  while [[ ${1:-} =~ ^[A-Z]+= ]]; do env+=("$1"); shift; done
  run env "${env[@]}" "$theirs" "$@"
  want="$RC|$OUT|$ERR"
  run env "${env[@]}" "$ours" "$@"
  is "$name" "$RC|${OUT}|${ERR//$ours/$theirs}" "$want"
}
# and with --level ping: the line and the status; usage has our own words
level() {
  local name=$1 env=() want
  shift
  while [[ ${1:-} =~ ^[A-Z]+= ]]; do env+=("$1"); shift; done
  run env "${env[@]}" "$theirs" "$@"
  want="$RC|$OUT"
  run env "${env[@]}" pgc-ready --level ping "$@"
  is "--level ping: $name" "$RC|$OUT" "$want"
}
both() { same "$@"; level "$@"; }

new_db isready > /dev/null
sql -c "create role isready login password 'right'" -c "create role ready_nologin"
both "socket"
both "TCP" -h 127.0.0.1
both "quiet" -q
both "long options" --host=127.0.0.1 --port="$PGPORT" --username=postgres --dbname=isready --timeout=2
both "missing role, trust" -h 127.0.0.1 -U no_such_role
both "role that may not log in" -h 127.0.0.1 -U ready_nologin
both "missing database, trust" -h 127.0.0.1 -d no_such_db
both "standby asked, primary there" PGTARGETSESSIONATTRS=standby -h 127.0.0.1
both "closed port" -h 127.0.0.1 -p 1
both "closed port, IPv6" -h ::1 -p 1
both "no socket there" -h /nonexistent
both "unknown name" -h no-such-host.invalid
both "verify-full without CA" PGSSLMODE=verify-full HOME=/nonexistent -h 127.0.0.1
both "require, server has no TLS" PGSSLMODE=require -h 127.0.0.1
both "wrong sslmode" PGSSLMODE=sometimes -h 127.0.0.1
both "port is no number" -p abc
both "port too large" -h 127.0.0.1 -p 65536
both "missing service" PGSERVICE=no_such_service
both "environment" PGHOST=127.0.0.1 PGPORT=1
both "host address" PGHOSTADDR=127.0.0.1
both "URI" -d "postgres://postgres@127.0.0.1:$PGPORT/isready"
both "URI wins over options" -h /nonexistent -p 1 -d "postgresql://127.0.0.1:$PGPORT"
both "URI with escapes" -d "postgres://po%73tgres@127.0.0.1:$PGPORT/is%72eady?application_name=a%20b"
both "conninfo" -d "host=127.0.0.1 port=$PGPORT connect_timeout=2"
both "conninfo with address" -d "host=db.invalid hostaddr=127.0.0.1"
both "several hosts, the second answers" -h 127.0.0.1,127.0.0.1 -p "1,$PGPORT"
both "several hosts, none answers" -h 127.0.0.1,127.0.0.1 -p 1,2
both "several hosts, unknown name first" -h no-such-host.invalid,127.0.0.1
both "more ports than hosts" -h 127.0.0.1 -p 1,2
same "timeout is no number" -t abc
same "no limit" -t 0
same "empty host" -h '' -p 1
same "bad URI parameter" -d 'postgres://h/d?nonsense=1'
same "bad conninfo" -d 'nonsense=1'
same "unknown option" --nonsense
same "unknown letter" -x
same "extra argument" extra
same "value missing" -h
for o in --help -? --version -V; do status "$o" 0 "$ours" "$o"; done

# A server that asks for passwords.
vars=$(PG_EXTRA="-c max_connections=5 -c superuser_reserved_connections=1 -c max_wal_senders=0" "$(dirname "$0")/../support/pg.sh" start "$T/s") || { fail "own server starts"; finish; }
for v in $vars; do export "${v?}"; done
data=$T/s/pg/data
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid="$(stat -c %u "$data")" --regid="$(stat -c %g "$data")" --clear-groups -- "$@"; else "$@"; fi; }
trap '"$(dirname "$0")/../support/pg.sh" stop "$T/s"' EXIT
sql -c "create role scram login password 'right'" -c "set password_encryption = md5" -c "create role md5 login password 'right'"
printf '%s\n' "local all all trust" "host all postgres all trust" "host all refused all reject" "host all scram all scram-sha-256" "host all md5 all md5" "host all clear all password" > "$data/pg_hba.conf"
as "$PGBIN/pg_ctl" -D "$data" -s reload; sleep 0.3
for user in scram md5 clear; do
  both "$user without a password" -h 127.0.0.1 -U $user
  both "$user with a wrong one" PGPASSWORD=wrong -h 127.0.0.1 -U $user
  both "$user with the right one" PGPASSWORD=right -h 127.0.0.1 -U $user
done
both "pg_hba rejects" -h 127.0.0.1 -U refused
# Not only ping: these log in by libpq or by ourselves.
status "md5 logs in" 0 env PGPASSWORD=right pgc-ready -h 127.0.0.1 -U md5
status "scram logs in" 0 env PGPASSWORD=right pgc-ready -h 127.0.0.1 -U scram
sql -c "create role clear login password 'right'"
status "clear text logs in" 0 env PGPASSWORD=right pgc-ready -h 127.0.0.1 -U clear
printf '127.0.0.1:*:*:scram:right\n' > "$T/pgpass"; chmod 600 "$T/pgpass"
status "password file logs in" 0 env PGPASSFILE="$T/pgpass" pgc-ready -h 127.0.0.1 -U scram
status "password with letters beyond ASCII fails as such" 4 env PGPASSWORD=größe pgc-ready -h 127.0.0.1 -U scram
sql -c "alter role scram password 'größe'"
status "password with letters beyond ASCII" 0 env PGPASSWORD=größe pgc-ready -h 127.0.0.1 -U scram
conns=()
for _ in 1 2 3 4; do "$PGBIN/psql" -h 127.0.0.1 -XAtqc 'select pg_sleep(20)' > /dev/null 2>&1 & conns+=($!); done
sleep 0.7
both "slots exhausted" -h 127.0.0.1 -U scram
kill "${conns[@]}"; wait 2> /dev/null
kill -STOP "$(head -n 1 "$data/postmaster.pid")"
both "no answer in time" -h 127.0.0.1 -t 2
kill -CONT "$(head -n 1 "$data/postmaster.pid")"
as "$PGBIN/pg_ctl" -D "$data" -s -m immediate stop
touch "$data/standby.signal"; [ "$(id -u)" != 0 ] || chown --reference="$data" "$data/standby.signal"
as "$PGBIN/pg_ctl" -D "$data" -s -W -l "$T/s/pg/log2" -o "-p $PGPORT -k $T/s/pg -c listen_addresses=127.0.0.1 -c hot_standby=off -c max_wal_senders=1" start
for _ in $(seq 100); do "$theirs" -q -h 127.0.0.1; [ $? -eq 1 ] && break; sleep 0.05; done
both "rejecting" -h 127.0.0.1
both "rejecting, then closed" -h 127.0.0.1,127.0.0.1 -p "$PGPORT,1"
both "closed, then rejecting" -h 127.0.0.1,127.0.0.1 -p "1,$PGPORT"
finish
