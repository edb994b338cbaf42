#!/bin/bash
# Scripts outside a transaction: detection, progress, resuming, invalid indexes; psql-written scripts; locks and signals.
. "$(dirname "$0")/../support/lib.sh"
cd "$T" || exit 1
export PGDATABASE=out
new_db out
file() { mkdir -p "$(dirname "$1")"; cat > "$1"; }
up() { pgc-migrate up --dir m "$@"; }
state() { sql -c "select coalesce(state, '') || ' ' || coalesce(statements_done::text, '-') || ' ' || coalesce(in_flight::text, '-') from pgc.migrations where key = '$1'"; }

# --- detected, resumed at its statement ----------------------------------------------------------------------------
file m/1_t.sql << 'E'
create table t (id int, v int);
insert into t select n, n / 2 from generate_series(1, 100) n;
E
file m/2_index.sql << 'E'
insert into t values (1000, 1);
create unique index concurrently t_v on t (v);
insert into t values (1001, 1001);
E
run up
is "a unique index over duplicates fails" "$RC" 1
like "with its place" "$ERR" 'm/2_index.sql:2:1: could not create unique index "t_v"'
is "progress is in the ledger" "$(state 2)" "applying 1 false"
is "an invalid index is left" "$(sql -c "select indisvalid from pg_index where indexrelid = 't_v'::regclass")" f
run pgc-migrate status --dir m
like "status shows where it stopped" "$OUT" "incomplete    2_index.sql  1 statements done; m/2_index.sql:2:1"
run pgc-migrate repair --dir m
like "repair finds the invalid index" "$OUT" "invalid index public.t_v"
sql -c 'delete from t a using t b where a.v = b.v and a.ctid > b.ctid'
status "it goes on at its statement" 0 up
is "the invalid index was built again" "$(sql -c "select indisvalid from pg_index where indexrelid = 't_v'::regclass")" t
is "finished" "$(state 2)" "applied - -"
is "each insert once" "$(sql -c 'select count(*) from t where id in (1000, 1001)')" 1

# The first insert was one of the duplicates; what counts is that it did not run again.
file m/3_stop.sql << 'E'
-- migrate:up transaction:false
create table s (n int);
insert into s values (1);
select 1 / 0;
insert into s values (2);
E
status "marked transaction:false" 1 up
is "two are done" "$(state 3)" "applying 2 false"
sed -i 's|1 / 0|1 / 1|' m/3_stop.sql
status "mended and finished" 0 up
is "nothing ran twice" "$(sql -c 'select string_agg(n::text, chr(44) order by n) from s')" "1,2"
file m/4_changed.sql << 'E'
-- migrate:up transaction:false
insert into s values (4);
select 1 / 0;
E
status "stops again" 1 up
sed -i 's|values (4)|values (5)|' m/4_changed.sql
run up
is "changed where it is finished" "$RC" 65
like "says so" "$ERR" "1 statements that were finished before it broke have changed"
sed -i 's|values (5)|values (4)|; s|1 / 0|1 / 1|' m/4_changed.sql
status "restored" 0 up

# --- transactions of its own, settings, procedures ----------------------------------------------------------------
file m/5_own.sql << 'E'
set work_mem = '7MB';
begin;
insert into s values (51);
insert into s values (52);
commit;
begin;
insert into s values (53);
select 1 / (select count(*) from s where n = 99);
commit;
insert into s select 54 where current_setting('work_mem') = '7MB';
E
status "own transactions" 1 up
is "done up to its commit" "$(state 5) $(sql -c 'select count(*) from s where n > 50')" "applying 5 false 2"
sql -c 'insert into s values (99)'
status "resumed behind the commit" 0 up
is "and settings came back" "$(sql -c "select string_agg(n::text, ',' order by n) from s where n between 50 and 60")" "51,52,53,54"
file m/6_open.sql << 'E'
begin;
insert into s values (61);
E
run up
is "a transaction left open" "$RC" 65
like "names the line" "$ERR" "m/6_open.sql:1: this transaction is never committed"
echo 'commit;' >> m/6_open.sql
status "closed" 0 up
file m/7_proc.sql << 'E'
-- migrate:up transaction:false
create procedure p() language plpgsql as $$
begin
  insert into s values (71);
  commit;
  insert into s values (72);
end $$;
call p();
do $$ begin insert into s values (73); end $$;
E
status "a procedure that commits" 0 up
is "ran once" "$(sql -c 'select count(*) from s where n between 71 and 73')" 3
sql -c 'create database tmpl_gone'
file m/8_db.sql << 'E'
drop database tmpl_gone;
vacuum s;
reindex table concurrently s;
alter system reset work_mem;
E
status "what cannot run in a transaction" 0 up
file m/9_on.sql << 'E'
-- migrate:up transaction:true
vacuum s;
E
run up
is "transaction:true against it" "$RC" 65
like "says why" "$ERR" "m/9_on.sql:1: marked transaction:true, but VACUUM in line 2"
rm m/9_on.sql

# --- an in-flight statement whose effect is there ------------------------------------------------------------------
file m/10_flight.sql << 'E'
create index concurrently s_n on s (n);
create database made_before;
E
sql -c 'create index s_n on s (n)' -c "insert into pgc.migrations (key, version, name, kind, checksum, state, started_at, applied_by, tool_version, statements_done, statements_checksum, in_flight)
  values ('10', '10', 'flight', 'versioned', 'x', 'applying', now(), 'x', 'x', 0, '', true)"
status "an index that was finished by the killed run" 0 up
sql -c "update pgc.migrations set state = 'applying', statements_done = 1, in_flight = true, statements_checksum = null where key = '10'"
status "a database that was made by the killed run" 0 up
is "finished" "$(state 10)" "applied - -"

# --- psql-written ----------------------------------------------------------------------------------------------------
file m/11_dump.sql << 'E'
\restrict abc
select pg_catalog.set_config('search_path', '', false);
create table public.dumped (id int, t text);
copy public.dumped (id, t) from stdin;
1	one;
2	two \\ back
\.
\unrestrict abc
E
file inc.sql << 'E'
create table included (id int);
E
printf '\\set n 5\n\\i inc.sql\ninsert into included values (:n);\n' > m/12_inc.sql
status "dump and include" 0 up
is "COPY data" "$(sql -c 'select count(*) from dumped')" 2
is "variables and \\i" "$(sql -c 'select id from included')" 5
printf '\\i inc.sql\n' > m/13_bad.sql
run up
is "a broken include" "$RC" 1
like "names the file" "$ERR" 'inc.sql:1: .*already exists'
is "is rolled back" "$(sql -c "select count(*) from pgc.migrations where key = '13'")" 0
rm m/13_bad.sql

# --- locks: retried, blockers named, nobody queues behind us --------------------------------------------------------
echo 'alter table s add x int;' > m/14_alter.sql
sql -c 'begin' -c 'lock table s' -c 'select pg_sleep(2.5)' -c 'commit' > /dev/null &
sleep 0.5
run up --lock-timeout 300ms
is "retried until the lock was free" "$RC" 0
like "names the blocker" "$ERR" 'blockers="?pid [0-9]+ .*lock table s|blockers=.*pg_sleep'
wait
echo 'alter table s add y int;' > m/15_alter.sql
sql -c 'begin' -c 'lock table s' -c 'select pg_sleep(2)' -c 'commit' > /dev/null &
sleep 0.5
run up --lock-timeout 100ms --lock-retries 1
is "gives up" "$RC" 75
wait
status "later" 0 up
echo 'select pg_sleep(5);' > m/30_slow.sql
run up --statement-timeout 200ms
is "statement timeout" "$RC" 1
like "says so" "$ERR" "statement timeout"
rm m/30_slow.sql

printf '\\set who us\nalter table s add z int;\n' > m/16_psql.sql
sql -c 'begin' -c 'lock table s' -c 'select pg_sleep(1.5)' -c 'commit' > /dev/null &
sleep 0.5
status "a psql-written one is tried again too" 0 up --lock-timeout 200ms
wait

# --- batches -----------------------------------------------------------------------------------------------------------
for n in 20 21 22 23 24 25; do echo "insert into s values ($n);" > m/${n}_b.sql; done
echo 'insert into s values (0); insert into s values (1 / 0);' > m/23_b.sql
run up --batch 4
is "a batch with a broken one" "$RC" 1
like "names its place" "$ERR" 'm/23_b.sql:1:27: division by zero'
is "what comes before it is applied" "$(sql -c "select string_agg(key, ',' order by key) from pgc.migrations where key in ('20','21','22','23','24','25')")" "20,21,22"
is "once" "$(sql -c 'select count(*) from s where n between 20 and 25')" 3
echo 'vacuum s;' > m/23_b.sql
status "a batch around one that has to go alone" 0 up --batch 4
is "all are there" "$(sql -c "select count(*) from pgc.migrations where key in ('20','21','22','23','24','25') and state = 'applied'")" 6

# --- signals ---------------------------------------------------------------------------------------------------------
echo 'create table never (id int); select pg_sleep(30);' > m/30_slow.sql
pgc-migrate up --dir m > /dev/null 2>&1 &
pid=$!
for _ in $(seq 100); do
  [ "$(sql -c "select count(*) from pg_stat_activity where query like '%pg_sleep(30)%' and pid <> pg_backend_pid()")" != 0 ] && break
  sleep 0.1
done
kill -TERM $pid
wait $pid
is "SIGTERM" "$?" 143
is "rolled back" "$(sql -c "select to_regclass('never') is null, count(*) from pgc.migrations where key = '30'")" "t|0"
comes "statement is cancelled" 0 sql -c "select count(*) from pg_stat_activity where query like '%pg_sleep(30)%' and state = 'active' and pid <> pg_backend_pid()"
comes "lock is free" 0 sql -c "select count(*) from pg_locks where locktype = 'advisory'"

# A process that was killed does not keep the server working for it, with its locks.
echo 'select pg_sleep(60);' > m/30_slow.sql
pgc-migrate up --dir m > /dev/null 2>&1 &
pid=$!
for _ in $(seq 100); do
  [ "$(sql -c "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = 'out'")" != 0 ] && break
  sleep 0.1
done
{ kill -KILL $pid; wait $pid; } 2> /dev/null
for _ in $(seq 100); do
  [ "$(sql -c "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = 'out'")" = 0 ] && break
  sleep 0.1
done
is "the server notices that we are gone" "$(sql -c "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = 'out'")" 0
rm m/30_slow.sql

# shellcheck disable=SC2016 # the dollars are SQL's and ours
{
# --- hooks, requires, environment ---------------------------------------------------------------------------------
rm -r m
new_db hooks
export PGDATABASE=hooks
file m/before_all.sql <<< 'create table if not exists log (at serial, t text); insert into log (t) values ($$before all$$);'
file m/before_each.sql <<< 'insert into log (t) values ($$before each$$);'
file m/after_each.sql <<< 'insert into log (t) values ($$after each$$);'
file m/after_all.sql <<< 'insert into log (t) values ($$after all$$);'
file m/1_a.sql <<< '-- pgc:requires b
insert into log (t) values ($$one ${WHAT}$$);'
file m/2_b.sql <<< 'insert into log (t) values ($$two ${HOME}$$);'
WHAT=here run up --env-subst WHAT
is "hooks, requires and substitution" "$(sql -c "select string_agg(t, ',' order by at) from log")" \
  'before all,before each,two ${HOME},after each,before each,one here,after each,after all'
echo "vacuum log;" > m/3_v.sql
run up
is "hooks around what runs without a transaction" "$RC $(sql -c "select string_agg(t, ',' order by at) from (select * from log order by at desc limit 4) l")" \
  '0 before all,before each,after each,after all'
rm m/3_v.sql
sql -c "delete from pgc.migrations where key = '3'"
status "an unset variable" 0 up --env-subst NOT_SET
echo 'select $$${NOT_SET}$$;' > m/3_c.sql
run up --env-subst NOT_SET
is "an error where it is used" "$RC" 78
like "with its place" "$ERR" "m/3_c.sql:1:10: the environment variable NOT_SET is not set"
}
finish
