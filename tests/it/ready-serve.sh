#!/bin/bash
# pgc ready serve: answers from memory, one kept connection, hysteresis, a clean end.
# shellcheck source=tests/support/lib.sh disable=SC1091,SC2034,SC2317
. "$(dirname "$0")/../support/lib.sh"

# A server of our own: it is stopped and started below.
vars=$("$(dirname "$0")/../support/pg.sh" start "$T/s") || { fail "own server starts"; finish; }
for v in $vars; do export "${v?}"; done
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid="$(stat -c %u "$T/s/pg/data")" --regid="$(stat -c %g "$T/s/pg/data")" --clear-groups -- "$@"; else "$@"; fi; }
trap 'kill "${P:-0}" 2> /dev/null; "$(dirname "$0")/../support/pg.sh" stop "$T/s"' EXIT
export PGDATABASE=postgres
port=$("$(dirname "$0")/../support/free-port.sh")
code() { curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port$1"; }
until_code() { local i; for i in $(seq 100); do [ "$(code "$1")" = "$2" ] && return 0; sleep 0.05; done; return 1; }

status "a bad address is usage" 3 pgc-ready serve --listen nonsense
pgc-ready serve --listen ":$port" --interval 200ms --fall 2 2> "$T/log" & P=$!
ok "becomes ready" until_code /readyz 200
for path in /livez /startupz /primary /metrics; do is "$path" "$(code $path)" 200; done
is "/replica on a primary" "$(code '/replica?lag=16MB')" 503
is "/replica with nonsense" "$(code '/replica?lag=soon')" 400
is "unknown path" "$(code /nope)" 404
is "POST is refused" "$(curl -s -o /dev/null -w '%{http_code}' -X POST "http://127.0.0.1:$port/readyz")" 405
is "IPv6 too" "$(curl -s -g -o /dev/null -w '%{http_code}' "http://[::1]:$port/livez")" 200
run curl -sI "http://127.0.0.1:$port/readyz"
like "HEAD has the length" "$OUT" 'Content-Length: [1-9]'
run curl -s "http://127.0.0.1:$port/metrics"
like "metrics" "$OUT" 'pgc_ready 1.*pgc_ready_connects_total 1'
sleep 0.6
is "one connection, kept" "$(sql -c "select count(*) from pg_stat_activity where application_name = 'pgc ready'")" 1
is "still the first" "$(curl -s "http://127.0.0.1:$port/metrics" | grep '^pgc_ready_connects_total')" "pgc_ready_connects_total 1"

# A torn connection alone is not an outage.
sql -c "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pgc ready'" > /dev/null
sleep 0.5
is "a torn connection is replaced" "$(code /readyz)" 200
is "and is one again" "$(sql -c "select count(*) from pg_stat_activity where application_name = 'pgc ready'")" 1

as "$PGBIN/pg_ctl" -D "$T/s/pg/data" -s -m immediate stop > /dev/null 2>&1
ok "not ready when the server is gone" until_code /readyz 503
is "alive without a database" "$(code /livez)" 200
is "started stays" "$(code /startupz)" 200
is "primary is not known" "$(code /primary)" 503
run curl -s "http://127.0.0.1:$port/readyz"
like "says why" "$OUT" '"ready":false.*"reason":"No such file'
as "$PGBIN/pg_ctl" -D "$T/s/pg/data" -s -w -l "$T/s/pg/server.log" -o "-p $PGPORT -k $T/s/pg -c listen_addresses=127.0.0.1" start > /dev/null
ok "ready again" until_code /readyz 200

SECONDS=0
kill -TERM "$P"
wait "$P"; rc=$?
P=0
is "ends cleanly on SIGTERM" "$rc" 0
ok "within a second" test "$SECONDS" -le 1
finish
