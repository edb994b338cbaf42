#!/bin/bash
# Scripts: a plain dump with inline COPY and 20,000 small statements through psql and through pgc sql run, best of RUNS (3);
# peak memory; and the small statements with 1 ms of network delay, pipelined. SIZE_MB (200) is the size of the dump.
# Prints one line per measurement with the ratio that counts, and fails when one is above its limit.
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${B:-$PWD/build/release} RUNS=${RUNS:-3} SIZE_MB=${SIZE_MB:-200}
PGBIN=${PGBIN:-$(tools/pgbin.sh)}
if [ "${1:-}" != inside ]; then
  T=$(mktemp -d "${TMPDIR:-/tmp}/pgc-bench.XXXXXX"); chmod 755 "$T"; export T B RUNS SIZE_MB PGBIN
  trap 'tests/support/pg.sh stop "$T/server" 2> /dev/null; rm -rf "$T"' EXIT
  for v in $(compgen -e | grep -E '^PG[A-Z]' | grep -v '^PGBIN$'); do unset "$v"; done
fi
bad=0
start() { local vars v; vars=$(tests/support/pg.sh start "$T/server") || exit 1; for v in $vars; do export "${v?}"; done; export PGDATABASE=postgres; }
clean() { "$PGBIN/psql" -Xq -c 'drop table if exists big, small' 2> /dev/null; }
measure() { # measure CMD...: "seconds kB" of one run
  clean
  { /usr/bin/time -f '%e %M' "$@" > /dev/null; } 2>&1 | tail -n 1
}
least() { awk -v a="$1" -v b="$2" 'BEGIN { print a == "" || b < a ? b : a }'; }
judge() { # judge NAME VALUE LIMIT UNIT DETAIL
  if awk "BEGIN { exit !($2 <= $3) }"; then echo "ok   $1: $2 $4 (limit $3) $5"; else echo "SLOW $1: $2 $4 (limit $3) $5"; bad=1; fi
}
ratio() { awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }
versus() { # versus NAME LIMIT FILE OPTIONS...: the two in turn, the fastest run of each counts
  local name=$1 limit=$2 file=$3 a='' b='' i s memory=0 m; shift 3
  for ((i = 0; i < RUNS; i++)); do
    read -r s _ <<< "$(measure "$PGBIN/psql" -X -q -v ON_ERROR_STOP=1 -f "$file")"; a=$(least "$a" "$s")
    read -r s m <<< "$(measure "$B/bin/pgc-sql" run -q -v ON_ERROR_STOP=1 "$@" -f "$file")"; b=$(least "$b" "$s")
    [ "$m" -le "$memory" ] || memory=$m
  done
  judge "$name" "$(ratio "$b" "$a")" "$limit" "x psql" "$b s against $a s"
  judge "$name, peak memory" "$(ratio "$memory" 1024)" 16 MiB ''
}
small() {
  echo 'create table small (a int primary key, b text);'
  seq 20000 | awk '{ print "insert into small values (" $1 ", \x27row " $1 "\x27);" }'
}
slow() { RUNS=1 versus "20,000 small statements, 1 ms delay, --pipeline" 0.5 "$T/small.sql" --pipeline; }
if [ "${1:-}" = inside ]; then # own network namespace with a slow loopback; status 99: there is no netem
  ip link set lo up
  tc qdisc add dev lo root netem delay 1ms 2> /dev/null || exit 99
  start; export PGHOST=127.0.0.1
  slow
  exit $bad
fi
small > "$T/small.sql"
{
  echo 'create table big (a int, b text, c numeric, d timestamptz);'
  echo 'COPY big (a, b, c, d) FROM stdin;'
  seq $((SIZE_MB * 1024 * 1024 / 100)) | awk '{ printf "%d\tthe text of row %d, of a moderate length so to say\t%d.25\t2026-01-01 00:00:00+00\n", $1, $1, $1 }'
  echo '\.'
} > "$T/big.sql"
start
versus "dump of $(($(stat -c %s "$T/big.sql") >> 20)) MiB" 1.0 "$T/big.sql"
versus '20,000 small statements' 1.0 "$T/small.sql"
inside=99
if [ "$(id -u)" = 0 ]; then mkdir "$T/netem"; cp "$T/small.sql" "$T/netem"; T=$T/netem unshare -n bash tests/bench/script.sh inside; inside=$?; fi
if [ $inside = 99 ]; then # a proxy holds the bytes back instead
  mkfifo "$T/hold"
  python3 tests/support/slow-proxy.py 127.0.0.1 "$PGPORT" 1 < "$T/hold" > "$T/port" & proxy=$!
  exec 3> "$T/hold"
  until [ -s "$T/port" ]; do sleep 0.1; done
  PGHOST=127.0.0.1 PGPORT=$(cat "$T/port") slow
  exec 3>&-
  wait $proxy
else [ $inside = 0 ] || bad=1; fi
exit $bad
