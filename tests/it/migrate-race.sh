#!/bin/bash
# Eight replicas start `pgc migrate up` at once, some are killed with SIGKILL in the middle: every migration is applied exactly
# once, the ledger is true, the rest finish. The same through pgbouncer in transaction mode. CREATE INDEX CONCURRENTLY never
# deadlocks with those who wait. PGC_TEST_RACE_ROUNDS (default 1) repeats it; PGC_TEST_RACE_FILES (default 60) files each.
. "$(dirname "$0")/../support/lib.sh"
. "$(dirname "$0")/../support/pgbouncer.sh"
cd "$T" || exit 1
rounds=${PGC_TEST_RACE_ROUNDS:-1}
files=${PGC_TEST_RACE_FILES:-60}
mkdir m
echo 'create table seen (v int, at timestamptz default clock_timestamp());' > m/0_seen.sql
for n in $(seq 1 "$files"); do
  case $((n % 10)) in
  3) printf -- '-- migrate:up transaction:false\ninsert into seen values (%d);\nselect pg_sleep(0.01);\n' "$n" ;;
  7) printf 'create table t%d as select 1 as i;\ncreate index concurrently i%d on t%d (i);\ninsert into seen values (%d);\n' "$n" "$n" "$n" "$n" ;;
  *) printf 'create table t%d (i int);\nselect pg_sleep(0.005);\ninsert into seen values (%d);\n' "$n" "$n" ;;
  esac > "m/${n}_m.sql"
done

exec 2> /dev/null # bash tells of every killed child
# race NAME DB ARG...: eight at once, three are killed; then all must be in the database once.
race() {
  local name=$1 db=$2 i pids=() bad=0
  shift 2
  new_db "$db"
  for i in 1 2 3 4 5 6 7 8; do
    pgc-migrate up --dir m --log-level error "$@" > "r$i.out" 2> "r$i.err" &
    pids+=($!)
  done
  for i in 0 1 2; do
    sleep "0.$((RANDOM % 3))$((RANDOM % 10))"
    kill -KILL "${pids[$i]}" 2> /dev/null
  done
  for i in 3 4 5 6 7; do
    wait "${pids[$i]}" || { bad=$((bad + 1)); echo "replica $i: $(cat "r$((i + 1)).err")"; }
  done
  for i in 0 1 2; do wait "${pids[$i]}" 2> /dev/null; done
  is "$name: the others finish" "$bad" 0
  is "$name: each once" "$(sql -d "$db" -c 'select count(*), count(distinct v) from seen')" "$files|$files"
  is "$name: the ledger is true" "$(sql -d "$db" -c "select count(*), count(*) filter (where state <> 'applied') from pgc.migrations")" "$((files + 1))|0"
  is "$name: indexes are valid" "$(sql -d "$db" -c 'select count(*) from pg_index where not indisvalid')" 0
  sql -d postgres -c "drop database \"$db\" with (force)"
}

for round in $(seq 1 "$rounds"); do
  race "direct $round" "race$round" -d "race$round"
done
# the winner builds for a while, four others wait for it
new_db cic
mkdir c
echo 'create table big as select n from generate_series(1, 400000) n;' > c/1_t.sql
echo 'create index concurrently big_n on big (n);' > c/2_i.sql
pids=()
for _ in 1 2 3 4 5; do timeout 60 pgc-migrate up --dir c -d cic --log-level error > /dev/null 2>> cic.err & pids+=($!); done
bad=0
for p in "${pids[@]}"; do wait "$p" || bad=$((bad + 1)); done
is "CREATE INDEX CONCURRENTLY with four waiting" "$bad $(sql -d cic -c "select bool_and(indisvalid) from pg_index where indexrelid = 'big_n'::regclass")" "0 t"

# --- pgbouncer in transaction mode ------------------------------------------------------------------------------------
bouncer_start 6 || finish
for round in $(seq 1 "$rounds"); do
  race "pooled $round" "pool$round" -d "$(pooled "pool$round")" --lease 2s
done
new_db mixed
pgc-migrate up --dir m -d "$(pooled mixed)" --log-level error > /dev/null 2>&1 &
a=$!
pgc-migrate up --dir m -d mixed --log-level error > mixed.out 2>&1 &
b=$!
wait $a; ra=$?
wait $b; rb=$?
is "pooled and direct at once" "$ra $rb $(sql -d mixed -c 'select count(*), count(distinct v) from seen')" "0 0 $files|$files"
is "no session lock stays behind" "$(sql -d mixed -c "select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = 'mixed')")" 0
is "no lease stays behind" "$(sql -d mixed -c 'select count(*) from pgc.migration_lease')" 0
bouncer_stop
finish
