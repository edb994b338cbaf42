#!/bin/bash
# pgc ready against a real server: levels, exit statuses, waiting, commands.
# shellcheck source=tests/support/lib.sh disable=SC1091,SC2016
. "$(dirname "$0")/../support/lib.sh"
export PGDATABASE=postgres

status "a running server is ready" 0 pgc-ready
like "says so" "$OUT" ' - ready \(query, primary\)$'
for level in tcp ping auth query write; do status "level $level" 0 pgc-ready --level "$level"; done
status "through the front door" 0 pgc ready -h 127.0.0.1
status "URI" 0 pgc-ready "postgres://postgres@127.0.0.1:$PGPORT/postgres"
status "DATABASE_URL" 0 env -u PGHOST DATABASE_URL="postgres://postgres@127.0.0.1:$PGPORT/postgres" pgc-ready
status "quiet" 0 pgc-ready --quiet
is "quiet says nothing" "$OUT$ERR" ""

status "quiet while waiting" 124 pgc-ready -q --wait 300ms -h 127.0.0.1 -p 1
is "quiet says nothing then, too" "$OUT$ERR" ""

status "missing database" 4 pgc-ready -d no_such_db
like "missing database says what to do" "$ERR" 'does not exist \(3D000\): create the database'
status "missing role" 4 pgc-ready -U no_such_role
status "closed port" 2 pgc-ready -h 127.0.0.1 -p 1
status "unknown name" 2 pgc-ready -h no-such-host.invalid
like "unknown name is named" "$ERR" "the name 'no-such-host.invalid' cannot be resolved"
status "unknown option" 3 pgc-ready --bogus
status "bad level" 3 pgc-ready --level perfect
status "bad URI" 3 pgc-ready 'postgres://h?x=y'
status "bad target" 3 pgc-ready 'ftp://h:21'
status "command missing" 3 pgc-ready --
status "healthcheck maps" 1 pgc-ready --healthcheck -h 127.0.0.1 -p 1
status "healthcheck maps usage" 1 pgc-ready --healthcheck --bogus
status "healthcheck ready" 0 pgc-ready --healthcheck

status "exec runs the command" 7 pgc-ready -- sh -c 'echo "got $1"; exit 7' x y
is "only the command writes to stdout" "$OUT" "got y"
status "no command when not ready" 2 pgc-ready -p 1 -h 127.0.0.1 -- touch "$T/ran"
ok "command was not run" test ! -e "$T/ran"
status "missing command" 127 pgc-ready -- /no/such/program

status "wait gives up" 124 pgc-ready --wait 400ms -h 127.0.0.1 -p 1
like "wait says why" "$ERR" 'not ready within 0.4 s: Connection refused'
SECONDS=0
status "permanent failure fails at once" 4 pgc-ready --wait 30s -d no_such_db
ok "did not wait" test "$SECONDS" -lt 10
status "keep-trying waits" 124 pgc-ready --wait 500ms --keep-trying -d no_such_db
status "healthcheck after wait" 1 pgc-ready --healthcheck --wait 200ms -h 127.0.0.1 -p 1

status "json" 0 pgc-ready --json -h 127.0.0.1
like "json has the checks" "$OUT" '"name":"auth","ok":true,"ms":[0-9.]+.*"name":"query","ok":true,"ms":[0-9.]+'
status "json failure" 4 pgc-ready --json -d no_such_db
like "json failure has reason and sqlstate" "$OUT" '"ready":false,"status":4,.*"reason":"database .*"sqlstate":"3D000"'

status "several targets" 0 pgc-ready "tcp://127.0.0.1:$PGPORT" "postgres://postgres@127.0.0.1:$PGPORT/postgres"
status "one of several is down" 2 pgc-ready "tcp://127.0.0.1:$PGPORT" tcp://127.0.0.1:1
SECONDS=0
status "one that is hopeless ends the wait for the others" 4 pgc-ready --wait 20s tcp://127.0.0.1:1 "postgres://postgres@127.0.0.1:$PGPORT/no_such_db"
ok "at once" test "$SECONDS" -lt 5
status "tcp level, the second host" 0 pgc-ready --level tcp -h 127.0.0.1,127.0.0.1 -p "1,$PGPORT"
status "a user that nobody named" 4 env -u PGUSER USER=x pgc-ready -h 127.0.0.1 -d postgres
[ "$(id -un)" = postgres ] || like "is said" "$ERR" "no user was named, so the operating system's '$(id -un)' was taken"
if [ "$(id -u)" = 0 ]; then
  status "no passwd entry is needed" 0 setpriv --reuid=54321 --regid=54321 --clear-groups -- "$B/bin/pgc-ready" -h 127.0.0.1
  status "nor for a command" 0 setpriv --reuid=54321 --regid=54321 --clear-groups -- "$B/bin/pgc-ready" -h 127.0.0.1 -- true
fi
pgc-ready --wait 60s -h 127.0.0.1 -p 1 > /dev/null 2>&1 & W=$!
sleep 0.4; SECONDS=0; kill -TERM "$W"; wait "$W"; rc=$?
is "SIGTERM ends the wait" "$rc" 143
ok "within a second" test "$SECONDS" -le 1
run ldd "$B/bin/pgc-ready"
unlike "carries no curl, zstd, microhttpd" "$OUT" 'curl|zstd|microhttpd|jansson|pg_query'
status "http to something that is none" 2 pgc-ready "http://127.0.0.1:$PGPORT/"

# serve is something that speaks HTTP
port=$("$(dirname "$0")/../support/free-port.sh")
pgc-ready serve --listen "127.0.0.1:$port" 2> /dev/null & S=$!
status "http target" 0 pgc-ready --wait 10s "http://127.0.0.1:$port/livez"
status "http target that answers 404" 1 pgc-ready "http://127.0.0.1:$port/nothing"
kill "$S"; wait "$S" 2> /dev/null
finish
