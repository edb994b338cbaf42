#!/bin/bash
# pgc migrate up: 1,000 and 10,000 small files against `psql -1 -f` of the same text in one piece; in batches; with nothing to
# do; planning alone; and with 1 ms of network delay (round trips per migration). Best of RUNS (3), interleaved.
# Prints one line per measurement with the ratio that counts, and fails when one is above its limit.
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${B:-$PWD/build/release} RUNS=${RUNS:-3}
PGBIN=${PGBIN:-$(tools/pgbin.sh)}
T=$(mktemp -d "${TMPDIR:-/tmp}/pgc-bench.XXXXXX"); chmod 755 "$T"
trap 'tests/support/pg.sh stop "$T/server" 2> /dev/null; rm -rf "$T"' EXIT
for v in $(compgen -e | grep -E '^(PG[A-Z]|PGC_|DATABASE_URL)' | grep -v '^PGBIN$'); do unset "$v"; done
vars=$(tests/support/pg.sh start "$T/server") || exit 1
for v in $vars; do export "${v?}"; done
bad=0
line() { # NAME VALUE LIMIT WHAT
  local verdict=ok
  awk -v a="$2" -v b="$3" 'BEGIN { exit !(a > b) }' && verdict="ABOVE $3" && bad=1
  printf '  %-52s %8s  (limit %s, %s)  %s\n' "$1" "$2" "$3" "$4" "$verdict"
}
now() { date +%s%N; }
timed() { local t; t=$(now); "$@" > "$T/out" 2> "$T/err" || { cat "$T/out" "$T/err"; exit 1; }; echo $((($(now) - t) / 1000)); }
fresh() { "$PGBIN/psql" -Xqd postgres -c "drop database if exists $1" -c "create database $1" 2> /dev/null; }
min() { [ -z "$1" ] || [ "$2" -lt "$1" ] && echo "$2" || echo "$1"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
files() { # COUNT: m/ and all.sql
  rm -rf "$T/m"; mkdir "$T/m"
  echo 'create table t (id int primary key, v text);' > "$T/m/1_t.sql"
  awk -v n="$1" -v dir="$T/m" 'BEGIN {
    for (i = 2; i <= n; i++) {
      f = sprintf("%s/%d_m%d.sql", dir, i, i)
      printf "-- migrate:up\ninsert into t values (%d, '\''row %d'\'');\nupdate t set v = '\''x'\'' where id = %d;\n-- migrate:down\ndelete from t where id = %d;\n", i, i, i, i > f
      close(f)
    } }'
  (cd "$T/m" && printf '%s\n' * | sort -n | while read -r f; do sed '/migrate:down/,$d' "$f"; done) > "$T/all.sql"
}
against_psql() { # COUNT
  local psql='' one='' hundred=''
  files "$1"
  for _ in $(seq "$RUNS"); do
    fresh b1; fresh b2; fresh b3
    psql=$(min "$psql" "$(timed "$PGBIN/psql" -X -q -1 -d b1 -f "$T/all.sql")")
    one=$(min "$one" "$(timed "$B/bin/pgc-migrate" up --dir "$T/m" -d b2)")
    hundred=$(min "$hundred" "$(timed "$B/bin/pgc-migrate" up --dir "$T/m" -d b3 --batch 100)")
  done
  [ "$1" -ge 10000 ] || { echo "  $1 files: psql -1 -f $((psql / 1000)) ms, up $((one / 1000)) ms, up --batch 100 $((hundred / 1000)) ms"; return; }
  line "$1 files, each its own transaction" "$(ratio "$one" "$psql")" 2.0 "times psql -1 -f: $((psql / 1000)) ms"
  line "$1 files, --batch 100" "$(ratio "$hundred" "$psql")" 1.0 "times psql -1 -f"
}
against_psql 1000
against_psql 10000

noop='' select='' read=''
for _ in 1 2 3 4 5 6 7; do
  noop=$(min "$noop" "$(timed "$B/bin/pgc-migrate" up --dir "$T/m" -d b2)")
  select=$(min "$select" "$(timed "$PGBIN/psql" -X -d b2 -c 'select 1')")
  read=$(min "$read" "$(timed cat -- "$T"/m/*)")
done
line "nothing to do with 10,000 files" "$(ratio "$noop" $((select + read)))" 1.5 "times psql -c 'select 1' and reading the files: $(((select + read) / 1000)) ms"
# CPU time of planning by itself: everything but reading the files; then of the command with all that belongs to it.
while read -r name value; do printf -v "ms_$name" %s "$value"; done < <("$B/bench/plan" "$T/m")
line "planning 10,000 files: order, hash, plan" "$(awk -v a="${ms_order:-999}" -v b="${ms_plan:-999}" 'BEGIN { print a + b }')" 50 "ms of CPU"
echo "  reading them before that takes ${ms_read:-?} ms of CPU, a plan against a full ledger ${ms_again:-?} ms"
cpu=''
for _ in 1 2 3 4 5; do
  one=$( { TIMEFORMAT='%U %S'; time "$B/bin/pgc-migrate" plan --offline --dir "$T/m" > /dev/null; } 2>&1 | awk '{ printf "%d", ($1 + $2) * 1000 }')
  cpu=$(min "$cpu" "$one")
done
echo "  the whole command 'plan --offline' (start, read, hash, plan, lex, print): $cpu ms of CPU"

# Round trips: what 1 ms of delay each way adds.
files 300
mkfifo "$T/hold"
python3 tests/support/slow-proxy.py 127.0.0.1 "$PGPORT" 1 < "$T/hold" > "$T/port" & proxy=$!
exec 3> "$T/hold"
until [ -s "$T/port" ]; do sleep 0.1; done
# Interleaved minima: near is the work, far the same with the delay.
slow() { fresh x; timed "$B/bin/pgc-migrate" up --dir "$T/m" -d x "$@"; }
far() { local PGHOST=127.0.0.1 PGPORT; PGPORT=$(cat "$T/port"); export PGHOST PGPORT; "$@"; }
selects=(); for _ in $(seq 101); do selects+=(-c 'select 1'); done
near='' far='' near100='' far100='' none='' ten=''
for _ in $(seq "$RUNS"); do
  near=$(min "$near" "$(slow)") near100=$(min "$near100" "$(slow --batch 100)")
  far=$(min "$far" "$(far slow)") far100=$(min "$far100" "$(far slow --batch 100)")
  none=$(min "$none" "$(far timed "$PGBIN/psql" -X -d postgres -c 'select 1')")
  ten=$(min "$ten" "$(far timed "$PGBIN/psql" -X -d postgres "${selects[@]}")")
done
trip=$(((ten - none) / 100))
line "round trips per migration" "$(awk -v a=$((far - near - none)) -v t=$trip 'BEGIN { printf "%.2f", a / t / 300 }')" 1.2 "one is $trip us"
line "round trips per 100 in batches" "$(awk -v a=$((far100 - near100 - none)) -v t=$trip 'BEGIN { printf "%.2f", a / t / 3 }')" 5 "one is $trip us"
exec 3>&-
wait $proxy
exit $bad
