#!/bin/bash
# pgc restore: choosing a backup, all ways into a database, and what it refuses.
. tests/support/lib.sh
cd "$T" || exit 1
S=$T/store
pgc backup keygen -o key 2> /dev/null
pgc backup keygen -o other 2> /dev/null
recipient=$(sed -n 's/^# public key: //p' key)
backup() { pgc backup run --progress none --store "$S" -r "$recipient" "$@"; }
# shellcheck disable=SC2317 # called through status
restore() { pgc restore --progress none --store "$S" -i key "$@"; }
exists() { sql -d postgres -c "select count(*) from pg_database where datname = '$1'"; }
dump() { "$PGBIN/pg_dump" -d "$1" | grep -vE '^\\(un)?restrict|^-- (Started|Completed) on'; }

new_db rs_app
sql -d rs_app -c "create role rs_owner" -c "create role \"rs grantee\"" \
  -c "create schema s; create table s.t (i int primary key, x text)" \
  -c "insert into s.t select i, md5(i::text) from generate_series(1, 5000) i" \
  -c "create table u (a int generated always as identity, b bytea, c numeric, d timestamptz default now())" \
  -c "insert into u (b, c) select decode(md5(i::text), 'hex'), i / 7.0 from generate_series(1, 100) i" \
  -c "alter table u owner to rs_owner; grant select on u to \"rs grantee\"" \
  -c "create materialized view m as select count(*) n from u; create view v as select * from s.t" \
  -c "select lo_from_bytea(0, 'large object')" > lo
backup -d rs_app > /dev/null
first=$(pgc backup list --store "$S" --json | sed -n 's/.*"id": "\([^"]*\)".*/\1/p')
sleep 1.1
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
sql -d rs_app -c "insert into s.t values (99999, 'newer')"
sleep 1.1
backup -d rs_app > /dev/null
before=$(sql -d postgres -c "select string_agg(datname, ',' order by datname) from pg_database where datname ~ '^rs_'")

# --- refusals that touch nothing ---
status "target that is not there" 1 restore --database rs_app --into rs_new
like "... says what to do" "$ERR" '^pgc-restore: database '\''rs_new'\'' does not exist: use --create$'
status "wrong key: 77" 77 pgc restore --store "$S" -i other --database rs_app --into rs_new --create
status "no key: 77" 77 pgc restore --store "$S" --database rs_app --into rs_new --create
status "no such backup" 1 restore --database rs_none --into rs_new --create
status "time before all backups" 1 restore --database rs_app --at 2001-01-01T00:00:00Z --into rs_new --create
status "malformed time: 64" 64 restore --database rs_app --at yesterday --into rs_new --create
status "no target: 64" 64 restore --database rs_app
status "impossible combination: 64" 64 restore --database rs_app --into rs_new --replace --clean
is "... no database was made" "$(sql -d postgres -c "select string_agg(datname, ',' order by datname) from pg_database where datname ~ '^rs_'")" "$before"

# --- into a new database ---
status "create" 0 restore --database rs_app --into rs_new --create
is "... equal in schema and content" "$(dump rs_new)" "$(dump rs_app)"
status "not empty" 1 restore --database rs_app --into rs_new
like "... says what to do" "$ERR" 'not empty: use --replace'
status "by --id" 0 restore --id "$first" --into rs_id --create
is "... that one" "$(sql -d rs_id -c 'select count(*) from s.t')" 5000
status "by --at" 0 restore --database rs_app --at "$now" --into rs_at --create
is "... the older one" "$(sql -d rs_at -c 'select count(*) from s.t')" 5000
status "latest as a word, four jobs" 0 restore latest --database rs_app --into rs_jobs --create --jobs 4
is "... equal" "$(dump rs_jobs)" "$(dump rs_app)"
is "... nothing is left in the spool" "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'pgc-restore-*' 2> /dev/null)" ""
new_db rs_empty
status "into an empty database" 0 restore --database rs_app --into rs_empty
is "... equal" "$(dump rs_empty)" "$(dump rs_app)"

# --- clean, replace ---
sql -d rs_new -c "delete from s.t; create table mine (a int)"
status "clean" 0 restore --database rs_app --into rs_new --clean
is "... content is back" "$(sql -d rs_new -c 'select count(*) from s.t')" 5001
is "... what is not in the backup stays" "$(sql -d rs_new -c "select count(*) from pg_class where relname = 'mine'")" 1
sql -d rs_empty -c "create table mine (a int)"
"$PGBIN/psql" -XAtq -d rs_empty -c "select pg_sleep(60)" > /dev/null 2>&1 &
status "replace with somebody connected" 0 restore --database rs_app --into rs_empty --replace --json
kept=$(sed -n 's/.*"kept_as": "\([^"]*\)".*/\1/p' <<< "$OUT")
like "... the old one is kept" "$kept" '^rs_empty_before_[0-9]{8}T[0-9]{6}Z$'
is "... with its content" "$(sql -d "$kept" -c "select count(*) from pg_class where relname = 'mine'")" 1
is "... the new one is there" "$(dump rs_empty)" "$(dump rs_app)"
wait
status "replace where nothing was" 0 restore --database rs_app --into rs_fresh --replace
is "... equal" "$(dump rs_fresh)" "$(dump rs_app)"

long=rs_$(printf 'ä%.0s' $(seq 30))
status "a long name" 0 restore --database rs_app --into "$long" --replace
status "... replaced" 0 restore --database rs_app --into "$long" --replace --json
like "... kept under a name that is cut between characters" "$OUT" '"kept_as": "rs_ä{18}_before_[0-9]{8}T[0-9]{6}Z"'
for d in "$long" "$(sed -n 's/.*"kept_as": "\([^"]*\)".*/\1/p' <<< "$OUT")"; do sql -d postgres -c "drop database \"$d\""; done

# --- parts ---
new_db rs_parts
status "schema only" 0 restore --database rs_app --into rs_parts --schema-only
is "... no rows" "$(sql -d rs_parts -c 'select count(*) from s.t')" 0
status "data only" 0 restore --database rs_app --into rs_parts --data-only
is "... rows" "$(sql -d rs_parts -c 'select count(*) from s.t')" 5001
sql -d rs_parts -c 'drop view v; drop table s.t'
status "one table, the other spelling" 0 restore --database rs_app --into rs_parts --tables s.t
sql -d rs_parts -c 'drop table s.t'
status "one table" 0 restore --database rs_app --into rs_parts --table s.t
is "... is back" "$(sql -d rs_parts -c 'select count(*) from s.t')" 5001
is "... with its primary key" "$(sql -d rs_parts -c "select count(*) from pg_constraint where conrelid = 's.t'::regclass and contype = 'p'")" 1
status "two tables of two schemas, elsewhere" 0 restore --database rs_app --into rs_two --create --table s.t --table u --no-owner
is "... both" "$(sql -d rs_two -c "select (select count(*) from s.t), (select count(*) from u)")" "5001|100"
sql -d postgres -c 'drop database rs_two'
status "one table that is there" 1 restore --database rs_app --into rs_parts --table s.t
is "... nothing has changed" "$(sql -d rs_parts -c 'select count(*) from s.t')" 5001

new_db rs_keys
sql -d rs_keys -c "create table z (id int primary key); create table a (z int references z); insert into z values (1); insert into a values (1)"
backup -d rs_keys > /dev/null
status "a table that refers to another one" 0 restore --database rs_keys --into rs_one --create --table a
like "... the foreign key is left out, and it says so" "$ERR" 'left out, as it refers to another table: FK CONSTRAINT public a a_z_fkey'
sql -d rs_one -c "drop table a; create table z (id int primary key); insert into z values (1)"
status "... beside the other one" 0 restore --database rs_keys --into rs_one --table a
is "... it comes too" "$(sql -d rs_one -c "select count(*) from pg_constraint where contype = 'f'")" 1
sql -d rs_keys -c 'truncate a, z'
status "data only, in the wrong order" 1 restore --database rs_keys --into rs_keys --data-only
is "... leaves nothing" "$(sql -d rs_keys -c 'select count(*) from z')" 0
status "data only, without triggers" 0 restore --database rs_keys --into rs_keys --data-only --disable-triggers
is "... both are there" "$(sql -d rs_keys -c 'select count(*) from a join z on z.id = a.z')" 1
status "triggers are of data only: 64" 64 restore --database rs_keys --into rs_keys --disable-triggers
new_db rs_par
status "several jobs into a database that is there" 0 restore --database rs_app --into rs_par --jobs 3
like "... says that a failure would leave something" "$ERR" 'several jobs cannot share a transaction'
is "... equal" "$(dump rs_par)" "$(dump rs_app)"
for d in rs_keys rs_one rs_par; do sql -d postgres -c "drop database $d"; done

# --- extensions ---
manifest=$(find "$S" -path "*/rs_app/*" -name manifest.json | sort | tail -n 1)
cp "$manifest" manifest
sed -i -e '/"checksum"/d' -e 's/"extensions": \[\]/"extensions": ["plpgsql", "no such thing"]/' "$manifest"
status "extension missing: 78" 78 restore --database rs_app --into rs_ext --create
like "... named" "$ERR" "no extension 'no such thing', which"
is "... no database was made" "$(exists rs_ext)" 0
cp manifest "$manifest"

# --- a restore that fails in the middle leaves nothing ---
new_db rs_half
sql -d rs_half -c "create table u (in_the_way int)"
status "pg_restore fails" 1 restore --database rs_app --into rs_half --data-only
like "... its last lines are told" "$ERR" 'pg_restore: error'
new_db rs_conflict
sql -d rs_conflict -c "create schema s; create table s.t (i int primary key); create table ref (i int references s.t)"
status "clean cannot drop" 1 restore --database rs_app --into rs_conflict --clean
is "... as it was" "$(sql -d rs_conflict -c "select string_agg(relname, ',' order by relname) from pg_class where relkind = 'r' and relnamespace::regnamespace::text !~ '^(pg_|information)'")" ref,t

# --- roles ---
sql -d postgres -c 'drop database rs_jobs'
for d in rs_app rs_new rs_id rs_at rs_empty "$kept" rs_fresh rs_parts; do
  sql -d "$d" -c 'reassign owned by rs_owner to postgres; drop owned by "rs grantee", rs_owner'
done
ok "roles are dropped" sql -d postgres -c 'drop role "rs grantee", rs_owner'
status "roles missing: 78" 78 restore --database rs_app --into rs_roles --create
like "... both are named" "$ERR" "no role 'rs grantee', 'rs_owner'"
is "... no database was made" "$(exists rs_roles)" 0
status "no owner" 0 restore --database rs_app --into rs_roles --create --no-owner
like "... grants are left out, and it says so" "$ERR" 'grants are left out'
is "... owner" "$(sql -d rs_roles -c "select relowner::regrole from pg_class where relname = 'u'")" postgres
sql -d postgres -c "create role rs_new_owner"
status "as another role" 0 restore --database rs_app --into rs_role --create --no-owner --role rs_new_owner
is "... owner" "$(sql -d rs_role -c "select relowner::regrole from pg_class where relname = 'u'")" rs_new_owner
status "globals" 0 restore --database rs_app --into rs_globals --create --globals
is "... owner" "$(sql -d rs_globals -c "select relowner::regrole from pg_class where relname = 'u'")" rs_owner
unlike "... no role refused" "$ERR" "'(CREATE|ALTER) ROLE|'GRANT" # tablespaces are those of other tests
finish
