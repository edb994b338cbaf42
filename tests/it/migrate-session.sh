#!/bin/bash
# What a script does to its session reaches neither the lock, nor the ledger, nor the next file; directly and behind pgbouncer in
# transaction mode. Who is in the way of a lock is named.
. "$(dirname "$0")/../support/lib.sh"
. "$(dirname "$0")/../support/pgbouncer.sh"
cd "$T" || exit 1
file() { mkdir -p "$(dirname "$1")"; cat > "$1"; }
new_db sess
export PGDATABASE=sess
sql -c 'create role sess_low nologin'

# --- the lock ---------------------------------------------------------------------------------------------------------
file lock/1_all.sql <<< 'create table held (step int, locks bigint); select pg_advisory_unlock_all();'
file lock/2_held.sql <<< "insert into held select 2, count(*) from pg_locks where locktype like 'adv%' and pid = pg_backend_pid();"
file lock/3_discard.sql <<< 'discard all;'
file lock/4_held.sql <<< "insert into held select 4, count(*) from pg_locks where locktype like 'adv%' and pid = pg_backend_pid();"
file lock/5_do.sql << 'E'
-- migrate:up transaction:false
create procedure gives() language plpgsql as $$ begin perform pg_advisory_unlock_all(); commit; end $$;
call gives();
select pg_advisory_unlock_all();
begin;
select pg_advisory_unlock_all();
commit;
E
file lock/6_held.sql <<< "insert into held select 6, count(*) from pg_locks where locktype like 'adv%' and pid = pg_backend_pid();"
file lock/7_psql.sql <<< '\set n 1
select pg_advisory_unlock_all(), :n;'
file lock/8_held.sql <<< "insert into held select 8, count(*) from pg_locks where locktype like 'adv%' and pid = pg_backend_pid();"
status "scripts that give every lock back" 0 pgc-migrate up --dir lock --batch 1
is "we hold ours all the same" "$(sql -c "select string_agg(step || ':' || locks, ' ' order by step) from held")" "2:1 4:1 6:1 8:1"
is "and none in the end" "$(sql -c "select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = 'sess')")" 0
new_db sess3
file hook/before_each.sql <<< 'select pg_advisory_unlock_all();'
file hook/1_held.sql <<< "create table held as select count(*) from pg_locks where locktype like 'adv%' and pid = pg_backend_pid();"
status "a hook that gives every lock back" 0 pgc-migrate up --dir hook -d sess3
is "the transaction has it all the same" "$(sql -d sess3 -c 'table held')" 1
# Nobody comes in between, neither while the script runs on nor behind it.
new_db sess2
file gap/1_gap.sql <<< 'create table g (n int); select pg_advisory_unlock_all(); select pg_sleep(1.5);'
file gap/2_gap.sql <<< 'insert into g select 1 from pg_sleep(1.5);'
pgc-migrate up --dir gap -d sess2 > gap.out 2>&1 &
pid=$!
for file in 1_gap 2_gap; do
  for _ in $(seq 200); do
    [ "$(sql -c "select count(*) from pg_stat_activity where datname = 'sess2' and wait_event = 'PgSleep'")" = 0 ] || break
    sleep 0.05
  done
  run pgc-migrate up --dir gap -d sess2 --lock-wait 0
  is "another run is kept out of $file" "$RC" 75
  for _ in $(seq 200); do
    [ "$(sql -d sess2 -c "select to_regclass('g') is not null")" = f ] || break
    sleep 0.05
  done
done
wait $pid
is "the first one ends" "$?" 0

# --- settings -----------------------------------------------------------------------------------------------------------
# Each of these would break its own ledger row or what the check behind it sees.
n=0
spoil() { # SQL, which a check follows
  n=$((n + 1))
  printf '%s\n' "$1" > "$dir/${n}0_spoil.sql"
  printf '%s%s\n' "${head:-}" "insert into clean select $n where current_user = session_user and current_setting('search_path') = '\"\$user\", public'
  and current_setting('statement_timeout') = '0' and current_setting('default_transaction_read_only') = 'off'
  and current_setting('datestyle') = 'ISO, MDY' and to_regclass('pg_temp.tt') is null;" > "$dir/${n}5_check.sql"
}
folder() { # DIR [HEAD]: spoilers and checks
  dir=$1 head=${2:-} n=0
  mkdir -p "$dir"
  echo 'create table clean (n int); create table if not exists mine (n int); grant insert on mine to sess_low;' > "$dir/1_clean.sql"
  spoil "${head}set role sess_low; insert into mine values (1);"
  spoil "${head}set session authorization sess_low; insert into mine values (1);"
  spoil "${head}select set_config('search_path', '', false);"
  spoil "${head}set search_path = pg_catalog, sess_none;"
  spoil "${head}set statement_timeout = '30s'; set lock_timeout = '30s';"
  spoil "${head}reset all;"
  spoil "${head}set datestyle = 'German, DMY';"
  spoil "${head}create temp table tt (n int); prepare pp as select 1; declare cc cursor with hold for select 1; listen ll;"
  spoil "${head}create temp table tt (n int); prepare pp as select 1; declare cc cursor with hold for select 1;"
}
check() { # NAME DB ARG...
  local name=$1 db=$2
  shift 2
  run pgc-migrate up -d "$db" "$@"
  is "$name" "$RC $(sql -d "${check_db:-$db}" -c "select string_agg(n::text, ',' order by n) from clean")" "0 1,2,3,4,5,6,7,8,9"
  is "$name: applied" "$(sql -d "${check_db:-$db}" -c "select count(*) from pgc.migrations where state = 'applied'")" 19
  [ "$RC" = 0 ] || fail "$name" "$ERR"
}
folder in
folder out '-- migrate:up transaction:false
'
for kind in in out; do
  new_db "direct_$kind"
  check "direct: $kind a transaction" "direct_$kind" --dir $kind
done
new_db direct_batch
check "direct: in batches" direct_batch --dir in --batch 5

# --- pgbouncer ----------------------------------------------------------------------------------------------------------
if bouncer_start 3; then
  for kind in in out; do
    new_db "pooled_$kind"
    check_db=pooled_$kind
    check "pooled: $kind a transaction" "$(pooled "pooled_$kind")" --dir $kind
    is "pooled: nothing is left for strangers ($kind)" "$("$PGBIN/psql" -XAtq "$(pooled "pooled_$kind")" -c \
      "select current_user, current_setting('search_path'), current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('datestyle')")" \
      "$PGUSER|\"\$user\", public|0|0|ISO, MDY"
  done
  new_db pooled_lock
  rm lock/*_held.sql
  status "pooled: scripts that give every lock back" 0 pgc-migrate up --dir lock -d "$(pooled pooled_lock)"
  # One builds for a while, four others wait for it.
  new_db pooled_cic
  mkdir c
  echo 'create table big as select n from generate_series(1, 300000) n;' > c/1_t.sql
  echo 'create index concurrently big_n on big (n);' > c/2_i.sql
  pids=() bad=0
  for _ in 1 2 3 4 5; do timeout 120 pgc-migrate up --dir c -d "$(pooled pooled_cic)" --log-level error > /dev/null 2>> cic.err & pids+=($!); done
  for p in "${pids[@]}"; do wait "$p" || bad=$((bad + 1)); done
  is "pooled: CREATE INDEX CONCURRENTLY with four waiting" "$bad $(sql -d pooled_cic -c "select bool_and(indisvalid) from pg_index where indexrelid = 'big_n'::regclass")" "0 t"
  bouncer_stop
fi

# --- a lease that another run has taken over, a lock that is lost ---------------------------------------------------------
new_db lost
file lost/1_a.sql <<< 'create table a (n int);'
file lost/2_b.sql <<< '\set n 1
insert into a values (:n);'
file lost/3_other.sql << 'E'
-- migrate:up transaction:false
vacuum a;
update pgc.migrations set statements_done = 3 where key = '3';
insert into a values (3);
E
run pgc-migrate up --dir lost -d lost
is "another run has gone on with this migration" "$RC" 75
like "it is told" "$ERR" "the migration lock is lost: another run has taken over"
is "nothing is done on top of it" "$(sql -d lost -c 'select count(*) from a where n = 3')" 0

# --- a transaction that an included file ends -----------------------------------------------------------------------------
new_db ends
printf 'commit;\nbegin;\n' > ends.inc
file ends/1_a.sql <<< 'create table a (n int);
\i ends.inc
insert into a values (1);'
run pgc-migrate up --dir ends -d ends
is "an included file ends our transaction" "$RC" 65
like "is told" "$ERR" "ends/1_a.sql: the script ended the transaction that was opened for it"
file hint/1_a.sql <<< 'create procedure c() language plpgsql as $$ begin commit; end $$; call c();'
run pgc-migrate up --dir hint -d ends
like "a procedure that commits in a transaction: the way out" "$ERR" "invalid transaction termination.*transaction:false"
file iso/1_a.sql <<< 'set transaction isolation level serializable; create table iso as select 1 as n;'
file iso/2_a.sql <<< 'set transaction isolation level serializable; insert into iso values (2);'
new_db iso
status "a script chooses its isolation" 0 pgc-migrate up --dir iso -d iso

# --- hooks set things for one file ------------------------------------------------------------------------------------------
new_db hooked
file hooked/before_all.sql <<< "create table seen (at serial, name text, mem text); set work_mem = '9MB';"
file hooked/before_each.sql <<< "set work_mem = '7MB'; insert into seen (name, mem) values ('each', '');"
file hooked/after_each.sql <<< "insert into seen (name, mem) values ('after', current_setting('work_mem'));"
file hooked/after_versioned.sql <<< "insert into seen (name, mem) values ('versioned', current_setting('work_mem'));"
file hooked/after_error.sql <<< "insert into seen (name, mem) values ('error', current_setting('work_mem'));"
file hooked/1_in.sql <<< "insert into seen (name, mem) values ('1', current_setting('work_mem'));"
file hooked/2_out.sql <<< "-- migrate:up transaction:false
insert into seen (name, mem) values ('2', current_setting('work_mem'));
select 1 / (select count(*)::int from seen where name = 'go');
insert into seen (name, mem) values ('3', current_setting('work_mem'));"
file hooked/R__r.sql <<< "insert into seen (name, mem) values ('r', current_setting('work_mem'));"
status "a hooked run breaks" 1 pgc-migrate up --dir hooked -d hooked
sql -d hooked -c "insert into seen (name, mem) values ('go', '')"
sed -i 's/create table seen.*;.*/set work_mem = 1234;/' hooked/before_all.sql
status "and goes on" 0 pgc-migrate up --dir hooked -d hooked
is "each hook at its time, settings for its file" "$(sql -d hooked -c "select string_agg(name || ':' || mem, ' ' order by at) from seen")" \
  "each: 1:7MB after:7MB each: 2:7MB error:4MB go: each: 3:7MB after:7MB versioned:4MB each: r:7MB after:7MB"

# --- who is in the way ----------------------------------------------------------------------------------------------------
sql -c 'create table busy (n int); create table other (n int)'
file busy/1_x.sql <<< 'alter table busy add x int;'
# The one that holds another table longer has nothing to do with it.
rm -f free
PGAPPNAME=innocent "$PGBIN/psql" -Xq -c 'begin' -c 'lock table other' -c '\! touch innocent; until [ -e free ]; do sleep 0.05; done' > /dev/null 2>&1 &
a=$!
for _ in $(seq 200); do [ -e innocent ] && break; sleep 0.05; done
PGAPPNAME=holder "$PGBIN/psql" -Xq -c 'begin' -c "lock table busy; select 'alter role x password ''hush''', 'postgres://u:hush@h/'" \
  -c '\! touch holding; until [ -e free ]; do sleep 0.05; done' > /dev/null 2>&1 &
b=$!
for _ in $(seq 200); do [ -e holding ] && break; sleep 0.05; done
holder=$(sql -c "select pid from pg_stat_activity where application_name = 'holder'")
run pgc-migrate up --dir busy -d sess --ignore-foreign-ledger --ledger-schema busy --lock-timeout 400ms --lock-retries 1
is "gives up" "$RC" 75
like "the retry names the one in the way" "$ERR" "blockers=.*pid $holder \($PGUSER, holder\) idle in transaction, its transaction began 20.*lock table busy"
like "and so does the failure" "$ERR" "busy/1_x.sql:1:1: canceling statement due to lock timeout; in the way: pid $holder "
unlike "nobody else" "$ERR" "innocent"
unlike "no password" "$ERR" "hush"
touch free
wait $a $b
status "when it is free" 0 pgc-migrate up --dir busy -d sess --ignore-foreign-ledger --ledger-schema busy
# Outside a transaction too, where nothing waits for the transactions of others.
rm -f free holding
file full/1_v.sql <<< 'vacuum full busy;'
file full/2_own.sql <<< 'begin; alter table busy add y int; insert into busy (y) values (2); commit;'
PGAPPNAME=holder "$PGBIN/psql" -Xq -c 'begin' -c "select * from busy" -c '\! touch holding; until [ -e free ]; do sleep 0.05; done' > /dev/null 2>&1 &
b=$!
for _ in $(seq 200); do [ -e holding ] && break; sleep 0.05; done
run pgc-migrate up --dir full -d sess --ledger-schema full --lock-timeout 200ms --lock-retries 1
is "VACUUM FULL does not queue up either" "$RC" 75
like "and names who is in the way" "$ERR" "1_v.sql:1:1: .*lock timeout; in the way: pid [0-9]+ \($PGUSER, holder\)"
sql -c "insert into \"full\".migrations (key, version, name, kind, state, started_at, applied_by, tool_version) values ('9', '9', 'x', 'versioned', 'applied', now(), 'x', 'x')"
touch free
wait $b
sql -c "delete from \"full\".migrations where key = '9'"
status "later" 0 pgc-migrate up --dir full -d sess --ledger-schema full
rm -f free holding
file full/3_own.sql <<< 'begin; insert into busy (y) values (3); alter table busy add z int; commit;'
PGAPPNAME=holder "$PGBIN/psql" -Xq -c 'begin' -c "select * from busy" -c '\! touch holding; until [ -e free ]; do sleep 0.05; done' > /dev/null 2>&1 &
b=$!
for _ in $(seq 200); do [ -e holding ] && break; sleep 0.05; done
pgc-migrate up --dir full -d sess --ledger-schema full --lock-timeout 200ms > own.out 2>&1 &
pid=$!
for _ in $(seq 200); do grep -q 'trying again' own.out && break; sleep 0.05; done
touch free
wait $b
wait $pid
is "the script's own transaction begins again" "$? $(sql -c 'select count(*) from busy where y = 3')" "0 1"
finish
