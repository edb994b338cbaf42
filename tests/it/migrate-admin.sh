#!/bin/bash
# pgc migrate create, drop, dump, squash, watch, wait, and the JSON of the commands.
. "$(dirname "$0")/../support/lib.sh"
cd "$T" || exit 1
file() { mkdir -p "$(dirname "$1")"; cat > "$1"; }
json() { python3 -c 'import json,sys; d=json.load(sys.stdin); print(eval(sys.argv[1]))' "$1" <<< "$OUT"; }

# --- create, drop ---------------------------------------------------------------------------------------------------
run pgc-migrate create -d 'odd "name"' --dry-run
is "create --dry-run" "$RC $OUT" '0 odd "name": would be created'
is "makes nothing" "$(sql -d postgres -c "select count(*) from pg_database where datname like 'odd%'")" 0
run pgc-migrate create -d 'odd "name"'
is "create" "$RC $OUT" '0 odd "name": created'
run pgc-migrate create -d 'odd "name"'
is "create again" "$RC $OUT" '0 odd "name": exists already'
run pgc-migrate drop -d 'odd "name"'
is "drop" "$RC $OUT" '0 odd "name": dropped'
run pgc-migrate drop -d 'odd "name"' --json
is "drop again" "$RC $(json 'd["result"]')" '0 does not exist'
status "create by URL" 0 pgc-migrate create -d "postgresql:///adm?host=$PGHOST"
export PGDATABASE=adm

# --- dump -----------------------------------------------------------------------------------------------------------
file m/1_a.sql << 'E'
-- migrate:up
create table a (id int primary key, v text default 'a;b');
-- migrate:down
drop table a;
E
file m/2_f.sql << 'E'
-- migrate:up
create function f() returns int language plpgsql as $$
begin
  -- a comment that belongs to the body
  return 1;
end $$;
insert into a values (1);
-- migrate:down
drop function f();
E
file m/3_b.sql << 'E'
-- migrate:up
create view va as select * from a;
-- migrate:down
drop view va;
E
file m/R__r.sql <<< 'create view vr as select 1 as one;'
run pgc-migrate up --dir m --json
is "up --json" "$RC $(json 'd["count"], [s["file"] for s in d["steps"]], d["error"]')" "0 (4, ['1_a.sql', '2_f.sql', '3_b.sql', 'R__r.sql'], None)"
run pgc-migrate dump
is "dump" "$RC" 0
like "has the table" "$OUT" 'CREATE TABLE public.a'
like "keeps comments of bodies" "$OUT" 'a comment that belongs to the body'
unlike "no noise" "$OUT" 'Dumped|restrict|-- Name|OWNER|pgc\.|search_path|SET statement'
status "dump --file" 0 pgc-migrate dump --file schema.sql
new_db again
ok "the dump loads" sql -d again -f schema.sql
is "and dumps the same" "$(pgc-migrate dump -d again)" "$(cat schema.sql)"

# --- squash ---------------------------------------------------------------------------------------------------------
run pgc-migrate squash --to 2 --dir m --dry-run
is "squash --dry-run" "$OUT" "m/2_baseline.sql would stand for 2 migrations"
run pgc-migrate squash --to 2 --dir m --remove
is "squash" "$RC $OUT" "0 m/2_baseline.sql"
is "old files are gone" "$(echo m/*)" "m/2_baseline.sql m/3_b.sql m/R__r.sql"
is "the scratch database is gone" "$(sql -c "select count(*) from pg_database where datname like 'pgc_squash%'")" 0
run pgc-migrate up --dir m
is "a migrated database passes over it" "$RC $OUT" "0 nothing to do"
status "and is valid" 0 pgc-migrate validate --dir m
new_db fresh
run pgc-migrate up --dir m -d fresh
is "a new database starts there" "$RC" 0
is "with the same schema" "$(pgc-migrate dump -d fresh)" "$(cat schema.sql)"
is "ledger of the new one" "$(sql -d fresh -c "select string_agg(key || ' ' || kind, ',' order by key) from pgc.migrations")" \
  "2 baseline,3 versioned,R:r repeatable"
status "squash without --to" 64 pgc-migrate squash --dir m

# --- JSON -----------------------------------------------------------------------------------------------------------
run pgc-migrate status --dir m --json
is "status --json" "$(json 'd["current"], d["pending"], [(x["version"], x["state"]) for x in d["migrations"]]')" \
  "('3', 0, [('2', 'baseline'), ('3', 'applied'), (None, 'applied')])"
echo 'select 1 / 0;' > m/4_broken.sql
run pgc-migrate up --dir m --json
is "a failure in JSON" "$RC $(json 'd["count"], d["error"]')" "1 (0, 'm/4_broken.sql:1:1: division by zero')"
run pgc-migrate plan --dir m --json
is "plan --json" "$(json '[(s["action"], s["version"], s["transaction"]) for s in d["steps"]]')" "[('up', '4', True)]"
echo 'vacuum;' > m/4_broken.sql
run pgc-migrate plan --dir m --json --offline
is "plan --json --offline" "$(json '[(s["version"], s["transaction"], s["why"]) for s in d["steps"]]')" \
  "[('2', True, None), ('3', True, None), ('4', False, 'VACUUM in line 1 cannot run in a transaction'), (None, True, None)]"
run pgc-migrate history --json
is "history --json" "$(json 'len(d["events"]) >= 4')" True
status "unknown verb" 64 pgc-migrate sideways
if [ -e /var/run/postgresql/.s.PGSQL.5432 ]; then
  skip "plan without a server" "there is a server at the default place"
else
  status "plan without a server that anybody named" 0 env -u PGHOST -u PGPORT -u PGUSER -u PGDATABASE pgc-migrate plan --dir m
  like "says for what it plans" "$ERR" "plan for an empty database"
fi
status "plan with a named server that is not there" 69 env PGHOST=/nonexistent pgc-migrate plan --dir m
status "unknown format" 64 pgc-migrate plan --offline --dir m --format nonsense

# --- watch, wait ----------------------------------------------------------------------------------------------------
echo 'create table w1 ();' > m/4_broken.sql
pgc-migrate up --dir m --watch > watch.log 2>&1 &
pid=$!
for _ in $(seq 100); do [ "$(sql -c "select to_regclass('w1') is not null")" = t ] && break; sleep 0.1; done
echo 'create table w2 ();' > m/5_more.sql
for _ in $(seq 100); do [ "$(sql -c "select to_regclass('w2') is not null")" = t ] && break; sleep 0.1; done
is "watch applies what comes" "$(sql -c "select to_regclass('w1') is not null, to_regclass('w2') is not null")" "t|t"
kill -TERM $pid
wait $pid
is "and ends on SIGTERM" "$?" 0
status "no server" 69 pgc-migrate up --dir m -h 127.0.0.1 -p 1
start=$SECONDS
status "--wait" 69 pgc-migrate up --dir m -h 127.0.0.1 -p 1 --wait 2s
if [ $((SECONDS - start)) -ge 2 ]; then pass "it waited"; else fail "it waited"; fi
finish
