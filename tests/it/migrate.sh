#!/bin/bash
# pgc migrate on a real server: order, ledger, sections, failures with places, down, redo, goto, marks, drift, dry runs.
. "$(dirname "$0")/../support/lib.sh"
cd "$T" || exit 1
export PGDATABASE=mig
new_db mig
count() { sql -c "select count(*) from $1"; }
ledger() { sql -c "select coalesce(string_agg(key || ':' || state, ' ' order by key), '') from pgc.migrations"; }
file() { mkdir -p "$(dirname "$1")"; cat > "$1"; }
up() { pgc-migrate up --dir m "$@"; }

file m/1_users.sql << 'E'
-- migrate:up
create table users (id int primary key);
-- migrate:down
drop table users;
E
file m/10_more.sql << 'E'
-- migrate:up
alter table users add name text;
-- migrate:down
alter table users drop name;
E
file m/9_items.sql << 'E'
create table items (id int references users);
E
file m/R__view.sql << 'E'
create or replace view names as select name from users;
E

# --- what it would do ---------------------------------------------------------------------------------------------
run pgc-migrate plan --dir m --offline
is "plan: numeric order, repeatable last" "$OUT" "up       1_users.sql
up       9_items.sql
up       10_more.sql
up       R__view.sql"
file m/notes.sql <<< 'select 1;'
run pgc-migrate plan --dir m --offline
like "plan names a file that is passed over" "$ERR" 'says that it is no migration path=m/notes.sql'
rm m/notes.sql
status "status of pending with --exit-code" 1 pgc-migrate status --dir m --exit-code
status "status of pending" 0 pgc-migrate status --dir m
status "dry run" 0 up --dry-run
is "a dry run leaves no schema" "$(sql -c "select count(*) from pg_namespace where nspname = 'pgc'")" 0
status "plan --exit-code" 1 pgc-migrate plan --dir m --exit-code

# --- up -----------------------------------------------------------------------------------------------------------
status "up --to" 0 up --to 9
is "ledger after --to" "$(ledger)" "1:applied 9:applied"
status "up --count" 0 up --count 1
is "ledger after --count" "$(ledger)" "1:applied 10:applied 9:applied"
status "up" 0 up
is "ledger after up" "$(ledger)" "1:applied 10:applied 9:applied R:view:applied"
run up
is "nothing to do" "$RC $OUT" "0 nothing to do"
is "checksum is SHA-256 of the file" "$(sql -c "select checksum from pgc.migrations where key = '9'")" \
  "$(sha256sum < m/9_items.sql | cut -d ' ' -f 1)"
is "who, times, tool" "$(sql -c "select applied_by, started_at <= finished_at, duration_ms >= 0, tool_version like 'pgc %'
  from pgc.migrations where key = '1'")" "postgres|t|t|t"
status "status --exit-code when done" 0 pgc-migrate status --dir m --exit-code

# --- line ends, drift ---------------------------------------------------------------------------------------------
sed -i 's/$/\r/' m/9_items.sql
run up
is "CRLF is no drift" "$RC $OUT" "0 nothing to do"
echo '-- more' >> m/9_items.sql
run up
is "drift is refused" "$RC" 65
like "drift names the file" "$ERR" "'m/9_items.sql' has changed since it was applied"
status "validate finds it" 65 pgc-migrate validate --dir m
status "--drift ignore" 0 up --drift ignore
status "repair --dry-run" 0 pgc-migrate repair --dir m --dry-run
status "still there" 65 up
status "repair" 0 pgc-migrate repair --dir m
status "accepted" 0 up
status "validate" 0 pgc-migrate validate --dir m
echo '-- touched' >> m/R__view.sql
run up
like "a changed repeatable runs again" "$OUT" "rerun R__view.sql"

# --- out of order, duplicates -------------------------------------------------------------------------------------
echo 'create table late (id int);' > m/5_late.sql
run up
is "out of order is an error" "$RC" 65
like "out of order names file and version" "$ERR" "'m/5_late.sql' is older than version 10"
run pgc-migrate status --dir m
like "status says so" "$OUT" "out-of-order  5_late.sql"
run up --out-of-order warn
is "warn applies" "$RC $(count late)" "0 0"
like "and warns" "$ERR" "warn .*5_late.sql"
echo 'select 1;' > m/05_twice.sql
run up
is "duplicates" "$RC" 65
like "duplicates name both" "$ERR" "version (0)?5 is used twice: 'm/05_twice.sql' and 'm/5_late.sql'"
rm m/05_twice.sql

# --- several folders, requirements -----------------------------------------------------------------------------------
file f1/1_x.sql <<< 'select 1;'
file f1/3_z.sql <<< 'select 3;'
file f2/2_y.sql <<< '-- pgc:requires 3, x
select 2;'
file f1/R__b.sql <<< 'select 1;'
file f2/R__a.sql <<< '-- pgc:requires b
select 1;'
run pgc-migrate plan --offline --dir f1 --dir f2
is "several folders, one order" "$(awk '{ print $2 }' <<< "$OUT" | xargs)" "1_x.sql 3_z.sql 2_y.sql R__b.sql R__a.sql"
file f2/2_y.sql <<< '-- pgc:requires nope
select 2;'
run pgc-migrate plan --offline --dir f1 --dir f2
like "a requirement that is missing" "$RC $ERR" "65 .*f2/2_y.sql:1: requires 'nope', which is not in the folder"
file f2/2_y.sql <<< '-- pgc:requires 3'
file f1/3_z.sql <<< 'select 3;
-- pgc:requires 2'
run pgc-migrate plan --offline --dir f1 --dir f2
like "a circle" "$RC $ERR" "65 .*circle: f2/2_y.sql:1 requires 3, f1/3_z.sql:2 requires 2"
file f1/3_z.sql <<< 'select 3;'
file f2/3_w.sql <<< 'select 3;'
run pgc-migrate plan --offline --dir f1 --dir f2
like "a version in two folders" "$RC $ERR" "65 .*version 3 is used twice: 'f1/3_z.sql' and 'f2/3_w.sql'|65 .*'f2/3_w.sql' and 'f1/3_z.sql'"
file f2/3_w.sql <<< '-- pgc:requires y, z
select 3;'
mv f2/3_w.sql f2/4_z.sql
run pgc-migrate plan --offline --dir f1 --dir f2
like "a name that two have" "$RC $ERR" "65 .*f2/4_z.sql:1: requires 'z', which can mean 'f1/3_z.sql' or 'f2/4_z.sql'"

# --- failures -----------------------------------------------------------------------------------------------------
file m/11_broken.sql << 'E'
-- migrate:up
create table half (id int);
insert into half values (1);
  select nothing from nowhere;
E
run up
is "a broken migration" "$RC" 1
like "file, line and column" "$ERR" 'm/11_broken.sql:4:23: relation "nowhere" does not exist'
is "leaves nothing" "$(sql -c "select to_regclass('half') is null")" t
is "is not in the ledger" "$(sql -c "select count(*) from pgc.migrations where key = '11'")" 0
file m/11_broken.sql << 'E'
create table half (id int unique);
insert into half values (1);
insert into half
values (1);
E
run up
like "a place without a position" "$ERR" 'm/11_broken.sql:3:1: duplicate key'
printf 'create table half (id int);\nselect '"'ü€'"', oops;' > m/11_broken.sql
run up
like "columns count characters" "$ERR" 'm/11_broken.sql:2:14: column "oops"'
file m/11_broken.sql << 'E'
create table half (
E
run up
like "syntax error at the end" "$ERR" 'm/11_broken.sql.*syntax error'
rm m/11_broken.sql

# --- down, redo, goto ---------------------------------------------------------------------------------------------
file m/11_down.sql << 'E'
-- migrate:up
create table d11 (id int);
-- migrate:down
drop table d11;
E
file m/12_down.sql << 'E'
-- migrate:up
create table d12 (id int);
-- migrate:down
drop table d12;
E
status "two more" 0 up
run pgc-migrate down --dir m
like "down takes the newest" "$OUT" "^down 12_down.sql \([0-9]+ ms\)
1 done$"
status "redo" 0 pgc-migrate redo --dir m
is "redo keeps it" "$(sql -c "select to_regclass('d11') is not null")" t
status "goto up" 0 pgc-migrate goto 12 --dir m
status "goto down" 0 pgc-migrate goto 10 --dir m
is "goto" "$(sql -c "select to_regclass('d11') is null and to_regclass('d12') is null")" t
run pgc-migrate down --dir m --to 0
is "without a down part" "$RC" 65
like "irreversible names the file" "$ERR" "'m/9_items.sql' cannot be reverted: it has no down part"
is "and nothing is reverted" "$(ledger)" "1:applied 10:applied 5:applied 9:applied R:view:applied"
status "unknown version" 64 pgc-migrate goto 77 --dir m

# --- marks, baseline ----------------------------------------------------------------------------------------------
status "mark applied" 0 pgc-migrate mark applied 11 --dir m
like "marked" "$(ledger)" "11:applied"
status "mark applied --dry-run" 0 pgc-migrate mark applied 12 --dir m --dry-run
unlike "not marked" "$(ledger)" "12:applied"
status "mark pending" 0 pgc-migrate mark pending 11 --dir m
unlike "unmarked" "$(ledger)" "11:applied"
new_db mig2
export PGDATABASE=mig2
sql -c 'create table users (id int primary key, name text); create table items (id int); create table late (id int)'
status "baseline" 0 pgc-migrate baseline 10 --dir m
status "up after baseline" 0 up
is "only what is newer ran" "$(ledger)" "10:baseline 11:applied 12:applied R:view:applied"
status "baseline again" 65 pgc-migrate baseline 11 --dir m

# --- history ------------------------------------------------------------------------------------------------------
export PGDATABASE=mig
run pgc-migrate history
like "history knows the reverted ones" "$OUT" "down      12 down"
like "history knows repairs" "$OUT" "repair    9 items"

# --- the session is put back between files --------------------------------------------------------------------------
new_db mig3
export PGDATABASE=mig3
rm -r m
file m/1_a.sql << 'E'
select pg_catalog.set_config('search_path', '', false);
set standard_conforming_strings = off;
set role pg_read_all_data;
E
echo "create table plain (id int); insert into plain select 1
  where current_setting('standard_conforming_strings') = 'on' and current_user = 'postgres';" > m/2_b.sql
status "hostile settings" 0 up
is "do not reach the next file" "$(count plain)" 1

# --- new ----------------------------------------------------------------------------------------------------------
run pgc-migrate new 'add users table' --dir fresh
is "new" "$RC" 0
like "new prints the path" "$OUT" '^fresh/[0-9]{14}_add_users_table.sql$'
first=$OUT
run pgc-migrate new second --dir fresh
if [[ $OUT > $first ]]; then pass "new is newer"; else fail "new is newer" "$first" "$OUT"; fi
is "new content" "$(tr '\n' '|' < "$OUT")" "-- migrate:up|||-- migrate:down||"
status "new without a name" 64 pgc-migrate new --dir fresh
status "no folder" 1 pgc-migrate plan --offline
finish
