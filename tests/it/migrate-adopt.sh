#!/bin/bash
# Databases that another tool has migrated: refused without saying so, reported, kept or copied; the old lock is respected.
. "$(dirname "$0")/../support/lib.sh"
cd "$T" || exit 1
file() { mkdir -p "$(dirname "$1")"; cat > "$1"; }

# --- dbmate: files that look like ours ------------------------------------------------------------------------------
file m/20240101000000_a.sql << 'S'
-- migrate:up
create table a (i int);
-- migrate:down
drop table a;
S
file m/20240102000000_b.sql << 'S'
-- migrate:up
create table b (i int);
-- migrate:down
drop table b;
S
new_db dbm
export PGDATABASE=dbm
sql -c 'create table schema_migrations (version varchar primary key)' -c 'create table a (i int)' \
  -c "insert into schema_migrations values ('20240101000000')"
run pgc-migrate up --dir m
is "another tool's database is refused" "$RC" 78
like "says whose" "$ERR" "migrated by dbmate \(public.schema_migrations\)"
is "and nothing is made" "$(sql -c "select to_regclass('b') is null, to_regclass('pgc.migrations') is null")" "t|t"
run pgc-migrate adopt --dir m --dry-run
is "adopt --dry-run" "$RC $OUT" "0 applied       20240101000000_a.sql
pending       20240102000000_b.sql
1 applied, 1 pending
nothing was changed"
is "changes nothing" "$(sql -c "select to_regclass('pgc.migrations') is null")" t
run pgc-migrate adopt --dir m
like "keep" "$OUT" "schema_migrations is kept: use --format dbmate"
status "up beside the old tool" 0 pgc-migrate up --dir m --format dbmate
is "its ledger is written" "$(sql -c "select string_agg(version, ',' order by version) from schema_migrations")" "20240101000000,20240102000000"
status "down beside the old tool" 0 pgc-migrate down --dir m --format dbmate
is "its row goes" "$(sql -c "select string_agg(version, ',' order by version) from schema_migrations")" "20240101000000"
run pgc-migrate adopt --dir m --mode copy
like "copy" "$RC $OUT" "^0 .*1 rows copied into pgc.migrations"
run pgc-migrate status --dir m --json
like "then it is ours" "$OUT" '"ledger":"pgc.migrations","current":"20240101000000","applied":1,"pending":1'
status "up into ours" 0 pgc-migrate up --dir m
is "theirs is not written any more" "$(sql -c 'select count(*) from schema_migrations')" 1
status "adopted twice" 1 pgc-migrate adopt --dir m --mode copy

# --- golang-migrate: one row, and its lock --------------------------------------------------------------------------
file g/1_a.up.sql <<< 'create table a (i int);'
file g/1_a.down.sql <<< 'drop table a;'
file g/2_b.up.sql <<< 'create table b (i int);'
file g/2_b.down.sql <<< 'drop table b;'
file g/3_c.up.sql <<< 'create table c (i int);'
new_db gom
export PGDATABASE=gom
sql -c 'create table schema_migrations (version bigint not null primary key, dirty boolean not null)' \
  -c 'insert into schema_migrations values (2, false)' -c 'create table a (i int)' -c 'create table b (i int)'
run pgc-migrate status --dir g --format golang-migrate
is "a high-water mark" "$(head -n 3 <<< "$OUT" | cut -c 1-24)" "applied       1_a.up.sql
applied       2_b.up.sql
pending       3_c.up.sql"
status "up moves the mark" 0 pgc-migrate up --dir g --format golang-migrate
is "to the newest" "$(sql -c 'select version, dirty from schema_migrations')" "3|f"
sql -c "update schema_migrations set dirty = true"
run pgc-migrate up --dir g --format golang-migrate
is "a dirty mark is refused" "$RC" 65
like "with the way out" "$ERR" "mark (applied|pending) 3"
sql -c "update schema_migrations set dirty = false"
run pgc-migrate adopt --dir g --format golang-migrate --mode copy
like "copied" "$RC $OUT" "^0 .*3 rows copied"
is "all of them" "$(sql -c "select string_agg(key, ',' order by key) from pgc.migrations")" "1,2,3"

# --- goose: its lock is nobody's, its rows are kept -------------------------------------------------------------------
file o/00001_a.sql << 'S'
-- +goose Up
create table a (i int);
-- +goose Down
drop table a;
S
file o/00002_i.sql << 'S'
-- +goose NO TRANSACTION
-- +goose Up
create index concurrently a_i on a (i);
-- +goose Down
drop index concurrently a_i;
S
new_db goo
export PGDATABASE=goo
status "goose from nothing" 0 pgc-migrate up --dir o
is "its ledger" "$(sql -c "select string_agg(version_id || ' ' || is_applied, ',' order by id) from goose_db_version")" "0 true,1 true,2 true"
status "down outside a transaction" 0 pgc-migrate down --dir o
is "its row is gone" "$(sql -c "select string_agg(version_id::text, ',' order by id) from goose_db_version")" "0,1"
status "again" 0 pgc-migrate up --dir o
run pgc-migrate up --dir o
is "nothing to do" "$RC $OUT" "0 nothing to do"

# --- tern: its lock is taken too ------------------------------------------------------------------------------------
file t/001_a.sql << 'S'
create table a (i int);
---- create above / drop below ----
drop table a;
S
new_db ter
export PGDATABASE=ter
sql -c 'select pg_advisory_lock(9628173550095224)' -c 'select pg_sleep(3)' > /dev/null &
holder=$!
sleep 0.5
run pgc-migrate up --dir t --format tern --lock-wait 500ms
is "the old tool is at work" "$RC" 75
like "says who" "$ERR" "holds the lock: pid [0-9]+"
wait $holder
status "it is done" 0 pgc-migrate up --dir t --format tern
is "tern's ledger" "$(sql -c 'select version from schema_version')" 1

# --- golang-migrate: broken on the way down to nothing ----------------------------------------------------------------
new_db gon
export PGDATABASE=gon
sql -c 'create table schema_migrations (version bigint not null primary key, dirty boolean not null)' -c 'insert into schema_migrations values (-1, true)'
status "dirty at nothing is refused" 65 pgc-migrate up --dir g --format golang-migrate
like "with the way out" "$ERR" "mark pending 0"
status "mark pending 0" 0 pgc-migrate mark pending 0 --dir g --format golang-migrate
status "then up" 0 pgc-migrate up --dir g --format golang-migrate

# --- goose: a migration in Go ------------------------------------------------------------------------------------------
file o/00003_c.go <<< 'package main'
export PGDATABASE=goo
status "what only goose can run" 65 pgc-migrate up --dir o
like "is named" "$ERR" "o/00003_c.go' cannot be run here: it is written in Go"
sql -c 'insert into goose_db_version (version_id, is_applied) values (3, true)'
status "goose has run it" 0 pgc-migrate status --dir o --exit-code

# --- placeholders that only a server can fill --------------------------------------------------------------------------
# shellcheck disable=SC2016 # they are Flyway's
file f/V1__a.sql <<< 'create table a as select '"'"'${flyway:database} ${flyway:user} ${flyway:defaultSchema} ${flyway:table}'"'"' as t;'
new_db fly
export PGDATABASE=fly
status "built-in placeholders" 0 pgc-migrate up --dir f
is "have the server's values" "$(sql -c 'select t from a')" "fly postgres public flyway_schema_history"
status "and are no drift" 0 pgc-migrate validate --dir f
file gr/current.sql <<< "create table a as select ':DATABASE_NAME :DATABASE_OWNER' as t;"
new_db gra
export PGDATABASE=gra
status "graphile-migrate: commit" 0 pgc-migrate new a --dir gr --format graphile-migrate
status "up" 0 pgc-migrate up --dir gr
is "its placeholders too" "$(sql -c 'select t from a')" "gra postgres"
finish
