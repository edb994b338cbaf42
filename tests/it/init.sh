#!/bin/bash
# pgc init on a real server: once, resumed, again when asked, refused before anything is changed, by several at once.
. "$(dirname "$0")/../support/lib.sh"
d=$T/d
fresh() { sql -d postgres -c 'set client_min_messages = error' -c "drop database if exists \"$1\" with (force)" -c "create database \"$1\""; rm -rf "$d"; mkdir -p "$d"; }

fresh init1
echo 'create table a (n int);' > "$d/1.sql"
printf 'create table b (n int);\nselect nope;\n' > "$d/2.sql"
echo 'create table c (n int);' > "$d/3.sql"
status 'a failing script gives its own status' 3 pgc-init -d init1 "$d"
like 'and its place' "$ERR" '2\.sql:2: ERROR:  column "nope" does not exist'
is 'what came before stays' "$(sql -d init1 -c "select string_agg(relname, ',' order by relname) from pg_class where relname in ('a','b','c')")" 'a,b'
status 'status tells of it' 1 pgc-init status -d init1
like 'with the file' "$OUT" 'failed .* 2\.sql'
echo 'create table if not exists b (n int);' > "$d/2.sql"
status 'the next run goes on there' 0 pgc-init -d init1 "$d"
is 'and skips what is done' "$OUT" "pgc-init: skipping $d/1.sql (done before)
pgc-init: running $d/2.sql
CREATE TABLE
pgc-init: running $d/3.sql
CREATE TABLE
pgc-init: done: 2 run, 1 skipped, 0 ignored"
status 'a third run has nothing to do' 0 pgc-init -d init1 "$d"
like 'and says so' "$OUT" 'done: 0 run, 3 skipped'
status 'status is clean now' 0 pgc-init status -d init1
echo 'create table if not exists a2 (n int);' > "$d/1.sql"
run pgc-init -d init1 "$d"
like 'a changed script is not run by itself' "$OUT" 'skipping .*1\.sql \(done before, changed since\)'
run pgc-init -d init1 --rerun changed "$d"
like 'but with --rerun changed' "$OUT" 'running .*1\.sql'
mkdir -p "$d/always"; echo 'create table if not exists z (n int);' > "$d/always/9.sql"
run pgc-init -d init1 --recursive "$d"; run pgc-init -d init1 --recursive "$d"
like 'a folder named always runs always' "$OUT" 'running .*always/9\.sql'

fresh init2
echo 'create table a (n int);' > "$d/1.sql"; echo 'select 1;' > "$d/2.sql"
status 'plan changes nothing' 0 pgc-init -d init2 --plan "$d"
is 'and says what would run' "$OUT" 'run     psql        1.sql  (new)
run     psql        2.sql  (new)'
is 'not even a schema' "$(sql -d init2 -c "select count(*) from pg_namespace where nspname = 'pgc'")" 0
status 'plan needs no server' 0 env PGHOST=/nonexistent pgc-init --plan --offline --json "$d"
like 'as JSON' "$OUT" '"file":"1.sql","path":"[^"]*1\.sql","how":"psql","action":"run"'

fresh init3
echo 'create table a (n int);' > "$d/1.sql"
printf "select 'open;\n" > "$d/2.sql"
printf '\\\\if true\nselect 1;\n' > "$d/3.sql"
printf '#!/bin/bash\r\ntrue\r\n' > "$d/4.sh"; chmod +x "$d/4.sh"
printf '#!/no/such/shell\ntrue\n' > "$d/5.sh"; chmod +x "$d/5.sh"
printf '#!/usr/bin/python3\nprint()\n' > "$d/6.sh"
status 'what cannot run is refused' 65 pgc-init -d init3 "$d"
like 'an open quote with its line' "$ERR" '2\.sql:1: .*never ends'
like 'an open \if with its line' "$ERR" '3\.sql:1: .if without .endif'
like 'CR LF in a shell script' "$ERR" '4\.sh:1: has CR LF'
like 'a missing interpreter' "$ERR" "5\.sh:1: wants the interpreter '/no/such/shell'"
like 'a script of another language without x' "$ERR" '6\.sh:1: .*chmod \+x'
is 'before anything is changed' "$(sql -d init3 -c "select count(*) from pg_class where relname = 'a'")" 0

fresh init4
printf 'export GREETING="it works"; exit 0\n' > "$d/1.sh"
# shellcheck disable=SC2016
printf '#!/bin/sh\npsql -At -c "create table t as select '"'"'$GREETING'"'"'::text as g" "$POSTGRES_DB"\n' > "$d/2.sh"; chmod +x "$d/2.sh"
status 'exit 0 in a sourced script does not end the run' 0 pgc-init -d init4 "$d"
is 'and what it exports arrives' "$(sql -d init4 -c 'select g from t')" 'it works'

fresh init4b
echo 'export X=1' > "$d/1.sh"; echo 'create table t ();' > "$d/2.sql"
status 'an image without a shell' 127 env PATH=/nonexistent "$B/bin/pgc-init" -d init4b "$d"
like 'is told with the file' "$ERR" "cannot source '$d/1\.sh': there is no shell in this image"
rm "$d/1.sh"
status 'SQL needs none' 0 env PATH=/nonexistent "$B/bin/pgc-init" -d init4b "$d"

fresh init5
echo 'create table items (id int, "full name" text);' > "$d/10_schema.sql"
printf 'id,full name\n1,Ann\n2,"B, C"\n' > "$d/20_items.csv"
sql -d init5 -c 'create schema x' -c 'create table x.t as select generate_series(1,3) n'
"$PGBIN/pg_dump" -Fc -d init5 -n x > "$d/30.dump"
sql -d init5 -c 'drop schema x cascade'
status 'csv files and archives are steps' 0 env PATH="$B/bin:$PGBIN:$PATH" pgc-init -d init5 "$d"
is 'csv rows' "$(sql -d init5 -c 'select string_agg("full name", $$|$$ order by id) from items')" 'Ann|B, C'
is 'archive rows' "$(sql -d init5 -c 'select sum(n) from x.t')" 6

fresh init6
printf 'select pg_sleep(0.3);\ncreate table once (n int);\n' > "$d/1.sql"
for _ in 1 2 3 4; do pgc-init -d init6 "$d" > "$T/o.$_" 2>&1 & done; wait
is 'four at once run it once' "$(sql -d init6 -c "select status || runs from pgc.init")" 'done1'

echo 'create table t (n int); select nope;' > "$d/1.sql"; sql -d postgres -c 'create database init7'
status '--transaction auto' 3 pgc-init -d init7 --transaction auto "$d"
is 'leaves nothing of the failed file' "$(sql -d init7 -c "select count(*) from pg_class where relname = 't'")" 0

status 'a missing database is created' 0 pgc-init -d 'init 8' --plan "$d"
echo 'select 1;' > "$d/1.sql"
status 'on the way' 0 pgc-init -d 'init 8' "$d"
is 'and is there' "$(sql -d postgres -c "select count(*) from pg_database where datname = 'init 8'")" 1

printf 's3cret\n' > "$T/pw"
declared() { env PGC_INIT_PASSWORD_APP_RW_FILE="$T/pw" PGC_INIT_DATABASES=shop:app_rw,other pgc-init -d init8b --users app_rw --users ro --schemas shop.sales:app_rw --extensions shop.pg_trgm --grants shop:ro:reader; }
sql -d postgres -c 'create database init8b'
status 'declarations' 0 declared
status 'are idempotent' 0 declared
is 'owner' "$(sql -d postgres -c "select pg_get_userbyid(datdba) from pg_database where datname = 'shop'")" app_rw
is 'schema and extension' "$(sql -d shop -c "select (select count(*) from pg_namespace where nspname='sales')::text || (select count(*) from pg_extension where extname='pg_trgm')")" 11
like 'the password is a verifier' "$(sql -d postgres -c "select rolpassword from pg_authid where rolname = 'app_rw'")" '^SCRAM-SHA-256\$'
status 'a malformed grant is refused first' 64 pgc-init -d init8b --grants shop:ro:king
sql -d postgres -c 'drop database shop' -c 'drop database other' -c 'drop role app_rw' -c 'drop role ro'
status 'no folder' 64 pgc-init -d init1
status 'an absent folder' 1 pgc-init -d init1 /nonexistent
finish
