#!/bin/bash
# Statements outside a transaction that were started and whose end nobody saw: never run twice without being asked, or looked
# at first; invalid indexes and half detached partitions are put right.
. "$(dirname "$0")/../support/lib.sh"
cd "$T" || exit 1
export PGDATABASE=inter
new_db inter
file() { mkdir -p "$(dirname "$1")"; cat > "$1"; }
up() { pgc-migrate up --dir m "$@"; }
state() { sql -c "select state || ' ' || coalesce(statements_done::text, '-') || ' ' || coalesce(in_flight::text, '-') from pgc.migrations where key = '$1'"; }
rows() { sql -c "select coalesce(string_agg(n::text, ',' order by n), '') from s"; }
json() { python3 -c 'import json,sys; d=json.load(sys.stdin); print(eval(sys.argv[1]))' "$1" <<< "$OUT"; }
start() { pgc-migrate up --dir m > up.out 2>&1 & pid=$!; }
seen() { # WHERE: waits until a session of ours looks like that
  for _ in $(seq 200); do
    [ "$(sql -c "select count(*) from pg_stat_activity where datname = 'inter' and application_name = 'pgc migrate' and $1")" = 0 ] || return 0
    sleep 0.05
  done
  fail "came to: $1" "$(cat up.out)"
}
end() { # SIGNAL: for the process; its server process goes the same way, as when a machine dies
  { kill -s "$1" "$pid"; wait "$pid"; } 2> /dev/null
  RC=$?
  sql -c "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = 'inter' and application_name = 'pgc migrate'" > /dev/null
  comes "its server process is gone" 0 sql -c "select count(*) from pg_stat_activity where datname = 'inter' and application_name = 'pgc migrate'"
}
old() { # QUERY: a transaction with a snapshot, for which CONCURRENTLY waits; young ends it
  rm -f go old
  "$PGBIN/psql" -Xqd inter -c 'begin isolation level repeatable read' -c "$1" -c '\! touch old; until [ -e go ]; do sleep 0.05; done' > /dev/null 2>&1 &
  old=$!
  for _ in $(seq 200); do [ -e old ] && break; sleep 0.05; done
}
young() { touch go; wait "$old"; }

# --- a procedure that commits ---------------------------------------------------------------------------------------
file m/1_p.sql << 'E'
-- migrate:up transaction:false
create table s (n int);
create procedure p(i int, wait float, fails bool) language plpgsql as $$
begin
  insert into s values (i);
  commit;
  perform pg_sleep(wait);
  if fails then raise 'broken after the commit'; end if;
end $$;
E
status "set up" 0 up
file m/2_kill.sql << 'E'
-- migrate:up transaction:false
insert into s values (1);
call p(2, 60, false);
insert into s values (3);
E
start
seen "wait_event = 'PgSleep'"
end KILL
is "killed in the middle of a procedure" "$(state 2) $(rows)" "applying 1 true 1,2"
run up
is "is not run again" "$RC $(rows)" "65 1,2"
like "names file and line, and both ways on" "$ERR" 'm/2_kill.sql:3: this statement was started .*repair --interrupted rerun.*repair --interrupted skip.*pgc:idempotent'
run pgc-migrate status --dir m
like "status shows it" "$OUT" 'incomplete    2_kill.sql  1 statements done; the next one was started'
run pgc-migrate status --dir m --json
is "and its JSON" "$(json '[(x["statements_done"], x["in_flight"]) for x in d["migrations"] if x["state"] == "incomplete"]')" "[(1, True)]"
run pgc-migrate repair --dir m
like "repair tells" "$ERR" "'m/2_kill.sql' is half done: 1 statements; the next one was started"
is "and changes nothing" "$RC $(state 2)" "0 applying 1 true"
run pgc-migrate repair --dir m --interrupted skip --dry-run
is "a dry run neither" "$RC $OUT $(state 2)" "0 skip     2_kill.sql applying 1 true"
status "it has had its effect" 0 pgc-migrate repair --dir m --interrupted skip
is "counts as done" "$(state 2)" "applying 2 false"
status "and goes on behind it" 0 up
is "nothing twice, nothing left out" "$(state 2) $(rows)" "applied - - 1,2,3"

sql -c 'truncate s'
file m/3_rerun.sql << 'E'
-- migrate:up transaction:false
call p(1, 60, false);
E
start
seen "wait_event = 'PgSleep'"
end TERM
is "SIGTERM in the middle of a procedure" "$RC $(state 3)" "143 applying 0 true"
status "is not known either" 65 up
sed -i 's/60/0/' m/3_rerun.sql
status "repair --interrupted rerun" 0 pgc-migrate repair --dir m --interrupted rerun
is "may run again" "$(state 3)" "applying 0 false"
status "runs again" 0 up
is "because we said so" "$(rows)" "1,1"

sql -c 'truncate s'
printf -- '-- migrate:up transaction:false\ncall p(1, 0, true);\n' > m/4_fails.sql
run up
is "a procedure that breaks after its commit" "$RC $(rows)" "1 1"
status "is not run again" 65 up
is "not even in part" "$(rows)" 1
printf -- '-- migrate:up transaction:false\n-- pgc:idempotent\ncall p(1, 0, false);\n' > m/4_fails.sql
status "a marker says that it may be" 0 up
is "and it is" "$(rows)" "1,1"
printf -- '-- migrate:up transaction:false\ncall p(9, 0, 1);\n' > m/5_wrong.sql
status "what breaks before any commit" 1 up
sed -i 's/1);/false);/' m/5_wrong.sql
status "is tried again without a question" 0 up

# --- a script for psql ------------------------------------------------------------------------------------------------
sql -c 'truncate s'
printf '\\set n 1\nvacuum s;\ninsert into s values (:n);\nselect 1 / 0;\ninsert into s values (2);\n' > m/6_psql.sql
status "a psql script breaks outside a transaction" 1 up
run up
is "it is not run from its beginning" "$RC $(rows)" "65 1"
like "the message says so" "$ERR" 'm/6_psql.sql: this script was started outside a transaction'
status "taken as done" 0 pgc-migrate repair --dir m --interrupted skip
is "it is applied" "$(state 6) $(rows)" "applied - - 1"
status "nothing is left" 0 up

# --- indexes ------------------------------------------------------------------------------------------------------------
sql -c 'create schema a; create schema b; create table a.t as select n from generate_series(1, 1000) n; create table b.t (n int); create index "I" on b.t (n)'
printf 'set search_path = a;\ncreate index concurrently "I" on t (n);\n' > m/7_i.sql
old 'select count(*) from pg_class'
start
seen "query like 'create index concurrently%' and wait_event_type = 'Lock'"
end KILL
young
is "an invalid index is left" "$(sql -c "select indisvalid from pg_index where indexrelid = 'a.\"I\"'::regclass")" f
run up
is "it is built again" "$RC $(sql -c "select indisvalid from pg_index where indexrelid = 'a.\"I\"'::regclass")" "0 t"
like "and told" "$ERR" 'an invalid index is left of an earlier try.*index="?a\.'
sql -c "update pgc.migrations set state = 'applying', statements_done = 1, in_flight = true, statements_checksum = null where key = '7'" -c 'drop index a."I"'
status "the same name in another schema is another index" 0 up
is "it is built" "$(sql -c "select indisvalid from pg_index where indexrelid = 'a.\"I\"'::regclass")" t
printf 'create index concurrently on a.t (n);\n' > m/8_noname.sql
old 'select count(*) from pg_class'
start
seen "query like 'create index concurrently%' and wait_event_type = 'Lock'"
end KILL
young
run up
is "an index without a name" "$RC" 65
like "is not told apart from another one" "$ERR" 'm/8_noname.sql:1: this statement was started'
run pgc-migrate repair --dir m --invalid-indexes drop --interrupted rerun --json
is "dropped, and built again" "$RC $(json '[(x["index"], x["result"]) for x in d["invalid_indexes"]], [s["action"] for s in d["steps"]]')" \
  "0 ([('a.t_n_idx', 'drop')], ['retry'])"
status "by the next up" 0 up
is "once" "$(sql -c "select count(*), bool_and(indisvalid) from pg_index where indrelid = 'a.t'::regclass")" "2|t"
printf 'reindex table concurrently a.t;\n' > m/9_re.sql
old 'select count(*) from pg_class'
start
seen "query like 'reindex%' and wait_event_type = 'Lock'"
end KILL
young
unlike "REINDEX left its copies" "$(sql -c "select count(*) from pg_class where relname ~ '_ccnew'")" '^0$'
run up
is "they are dropped" "$RC $(sql -c "select count(*) from pg_class where relname ~ '_cc(new|old)'")" "0 0"
sql -c 'insert into b.t values (1), (1)'
printf 'create unique index concurrently u on b.t (n);\n' > m/90_u.sql
run up
is "a unique index over duplicates" "$RC" 1
like "what it left is told at once" "$ERR" "an invalid index is left; the next run drops it .*index=b.u"
run pgc-migrate repair --dir m --json
is "repair reports it" "$(json '[(x["index"], x["result"]) for x in d["invalid_indexes"]]')" "[('b.u', 'invalid index')]"
sql -c 'delete from b.t'
run pgc-migrate repair --dir m --invalid-indexes rebuild --dry-run
is "a dry run of a repair" "$RC $(sql -c "select indisvalid from pg_index where indexrelid = 'b.u'::regclass")" "0 f"
run pgc-migrate repair --dir m --invalid-indexes rebuild
is "and the repair" "$RC $OUT $(sql -c "select indisvalid from pg_index where indexrelid = 'b.u'::regclass")" "0 rebuild b.u t"
status "what was mended by hand" 0 pgc-migrate repair --dir m --interrupted skip
run up
like "is passed over" "$RC $OUT" "^0 resume 90_u.sql"

# --- partitions -----------------------------------------------------------------------------------------------------------
sql -c 'create table parted (n int) partition by list (n); create table part1 partition of parted for values in (1)'
printf 'alter table parted detach partition part1 concurrently;\n' > m/91_detach.sql
old 'select * from parted'
start
seen "query like 'alter table parted%' and wait_event_type = 'Lock'"
end KILL
young
is "a partition is half detached" "$(sql -c 'select inhdetachpending from pg_inherits')" t
status "it is brought to its end" 0 up
is "and gone" "$(sql -c 'select count(*) from pg_inherits')" 0

# --- without its file ---------------------------------------------------------------------------------------------------------
printf -- '-- migrate:up transaction:false\nselect 1;\nselect 1 / 0;\n' > m/92_half.sql
status "half done" 1 up
mv m/92_half.sql half.keep
run up
is "and its file is gone" "$RC" 65
like "is not passed over" "$ERR" "version 92 \(92_half.sql\) is half done \(1 statements\) and not in the folder.*'mark pending 92'"
run pgc-migrate status --dir m --exit-code
like "status says so" "$RC $OUT" "^1 .*incomplete    92_half.sql"
status "it cannot be marked applied" 65 pgc-migrate mark applied 92 --dir m
status "it can be marked pending" 0 pgc-migrate mark pending 92 --dir m
status "and nothing is left" 0 up
finish
