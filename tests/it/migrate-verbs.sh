#!/bin/bash
# Every verb of pgc migrate: its dry run changes nothing anywhere, its JSON is one document; `up` with nothing to do is one query;
# --watch and its signals.
. "$(dirname "$0")/../support/lib.sh"
cd "$T" || exit 1
file() { mkdir -p "$(dirname "$1")"; cat > "$1"; }
json() { python3 -c 'import json,sys; d=json.load(sys.stdin); print(eval(sys.argv[1]))' "$1" <<< "$OUT"; }
export PGDATABASE=verbs
new_db verbs
new_db virgin
new_db theirs

file m/1_a.sql << 'E'
-- migrate:up
create table a (n int);
-- migrate:down
drop table a;
E
file m/2_b.sql << 'E'
-- migrate:up
create table b (n int);
insert into b values (1), (1);
-- migrate:down
drop table b;
E
file m/R__view.sql <<< 'create or replace view v as select n from a;'
status "set up" 0 pgc-migrate up --dir m
file m/3_half.sql << 'E'
-- migrate:up transaction:false
create unique index concurrently b_n on b (n);
-- migrate:down
drop index b_n;
E
status "and one half done" 1 pgc-migrate up --dir m
file m/4_c.sql << 'E'
-- migrate:up
create table c (n int);
-- migrate:down
drop table c;
E
echo '-- changed' >> m/2_b.sql
echo '-- changed' >> m/R__view.sql
file t/1_a.sql << 'E'
-- migrate:up
create table ta ();
-- migrate:down
drop table ta;
E
sql -d theirs -c 'create table schema_migrations (version varchar primary key); insert into schema_migrations values (1); create table ta ()'

# --- dry runs and JSON ----------------------------------------------------------------------------------------------------
world() { # DB: the database with everything in it, which others there are, and the folders
  if [ "$1" != made ]; then "$PGBIN/pg_dump" -d "$1" | grep -vE '^\\(un)?restrict'; fi
  sql -d postgres -c "select datname from pg_database where datname in ('verbs', 'virgin', 'theirs', 'made') order by 1"
  sql -c "select indexrelid::regclass, indisvalid from pg_index where not indisvalid"
  find . -type f -name '*.sql' -exec sha256sum {} + | sort
  ls -d ./*/
}
declare -A before
for db in verbs virgin theirs made; do before[$db]=$(world $db); done
# quiet STATUS DB VERB ARG...: with --json, changes nothing.
quiet() {
  local want=$1 db=$2 now
  shift 2
  run pgc-migrate "$@" -d "$db" --json
  is "$* on $db: status" "$RC" "$want"
  is "$* on $db: one JSON document" "$(json 'type(d).__name__' 2>&1)" dict
  now=$(world "$db")
  is "$* on $db changes nothing" "$(diff <(echo "${before[$db]}") <(echo "$now"))" ""
}
dry() { quiet "$@" --dry-run; }
dry 0 verbs up --dir m --drift ignore
dry 0 verbs up --dir m --drift ignore --to 3
dry 65 verbs up --dir m
dry 0 verbs down --dir m --drift ignore
dry 0 verbs down --dir m --drift ignore --to 0
dry 0 verbs redo --dir m --drift ignore --count 2
dry 0 verbs goto 1 --dir m --drift ignore
dry 0 verbs goto 4 --dir m --drift ignore
dry 0 verbs mark applied 4 --dir m
dry 0 verbs mark pending 1 --dir m
dry 65 verbs baseline 1 --dir m
dry 0 verbs repair --dir m
dry 0 verbs repair --dir m --invalid-indexes drop --interrupted skip
dry 0 verbs repair --dir m --invalid-indexes rebuild --interrupted rerun
dry 0 verbs squash --to 2 --dir m --remove
dry 0 virgin up --dir m
dry 0 virgin baseline 2 --dir m
dry 0 virgin mark applied 1 --dir m
dry 0 virgin down --dir m
dry 0 virgin repair --dir m
dry 0 virgin squash --to 2 --dir m
dry 0 theirs adopt --dir t
dry 0 theirs adopt --dir t --mode copy
dry 0 made create
dry 0 verbs drop
dry 0 virgin drop --force
for db in verbs virgin; do
  quiet 0 $db status --dir m
  quiet 0 $db history
  quiet 0 $db dump
done
quiet 65 verbs plan --dir m
quiet 0 virgin plan --dir m
quiet 65 verbs validate --dir m
quiet 0 virgin validate --dir m
run pgc-migrate new thing --dir fresh --dry-run --json
like "new --dry-run" "$RC $OUT $(ls fresh 2>&1)" '^0 \{"version":"[0-9]{14}","path":"fresh/[0-9]{14}_thing.sql",.*\} .*No such file'
is "no scratch database is left" "$(sql -c "select count(*) from pg_database where datname like 'pgc_squash%'")" 0

# For real they print one document too.
sql -c 'delete from b'
loud() { local db=$1; shift; run pgc-migrate "$@" -d "$db" --json; is "$*" "$RC $(json 'type(d).__name__' 2>&1)" "0 dict"; }
loud verbs repair --dir m
loud verbs up --dir m
loud verbs redo --dir m --to 3
loud verbs goto 2 --dir m
loud verbs mark applied 4 --dir m
loud verbs mark pending 4 --dir m
loud verbs down --dir m
loud virgin baseline 2 --dir m
loud theirs adopt --dir t --mode copy
loud verbs squash --to 1 --dir m
loud made create
loud made drop
loud verbs dump --file schema.sql
run pgc-migrate new thing --dir fresh --json
is "new" "$RC $(json 'sorted(d)')" "0 ['path', 'paths', 'version']"

# --- nothing to do ------------------------------------------------------------------------------------------------------------
new_db idle
file i/1_a.sql <<< 'create table a (n int);'
file i/2_b.sql <<< 'create index concurrently a_n on a (n);'
file i/R__r.sql <<< 'create view r as select 1 as one;'
file i/before_all.sql <<< 'select 1;'
status "applied" 0 pgc-migrate up --dir i -d idle
lines=$(wc -l < "$PGHOST/server.log")
PGOPTIONS='-c log_statement=all' run pgc-migrate up --dir i -d idle
is "up again" "$RC $OUT" "0 nothing to do"
for _ in $(seq 100); do tail -n "+$((lines + 1))" "$PGHOST/server.log" | grep -qE 'LOG:  (statement|execute)' && break; sleep 0.05; done
said=$(tail -n "+$((lines + 1))" "$PGHOST/server.log" | grep -E 'LOG:  (statement|execute)')
is "is one query" "$(wc -l <<< "$said")" 1
like "that reads the ledger" "$said" 'LOG:  execute <unnamed>: .*'
"$PGBIN/psql" -Xqd idle -c "select pg_advisory_lock(x'7067632d736368'::bigint)" -c '\! touch locked; until [ -e go ]; do sleep 0.05; done' > /dev/null &
other=$!
for _ in $(seq 200); do [ -e locked ] && break; sleep 0.05; done
run pgc-migrate up --dir i -d idle --lock-wait 0
is "and wants no lock" "$RC $OUT" "0 nothing to do"
echo 'select 1;' > i/3_c.sql
run pgc-migrate up --dir i -d idle --lock-wait 0
is "which others have" "$RC" 75
touch go
wait $other

# --- watch ------------------------------------------------------------------------------------------------------------------------
new_db watched
mkdir w
echo 'create table w1 (n int);' > w/1_a.sql
pgc-migrate up --watch --dir w -h "$T/sock" -d watched > watch.log 2>&1 &
pid=$!
for _ in $(seq 200); do grep -q 'error' watch.log && break; sleep 0.05; done
ln -s "$PGHOST" sock
comes "watch waits for the server" t sql -d watched -c "select to_regclass('w1') is not null"
echo 'create table w2 (n int' > w/2_b.sql
for _ in $(seq 200); do grep -q '2_b.sql' watch.log && break; sleep 0.05; done
echo 'create table w2 (n int);' > w/2_b.sql
comes "a broken file is tried again when it is mended" t sql -d watched -c "select to_regclass('w2') is not null"
sleep 0.5
kill -TERM $pid
wait $pid
is "a signal while it waits is its good end" "$?" 0
pgc-migrate up --watch --dir w -d watched > watch.log 2>&1 &
pid=$!
for _ in $(seq 200); do grep -q 'nothing to do' watch.log && break; sleep 0.05; done
echo 'create table w3 (n int); select pg_sleep(60);' > w/3_c.sql
for _ in $(seq 200); do
  [ "$(sql -c "select count(*) from pg_stat_activity where datname = 'watched' and wait_event = 'PgSleep'")" = 0 ] || break
  sleep 0.05
done
kill -TERM $pid
wait $pid
is "a signal that interrupts something is not" "$?" 143
is "and that is rolled back" "$(sql -d watched -c "select to_regclass('w3') is null, count(*) from pgc.migrations")" "t|2"
finish
