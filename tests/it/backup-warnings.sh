#!/bin/bash
# What pgc backup run says about a database: what is not in the dump, what a restore needs, what the role may not see.
. tests/support/lib.sh
cd "$T" || exit 1
S=$T/store
# shellcheck disable=SC2317 # called through status
backup() { pgc backup run --progress none --store "$S" --no-encryption "$@"; }
warns() { if grep -qF -- "$2" <<< "$ERR"; then pass "$1"; else fail "$1" "got:    $ERR" "wanted: $2"; fi; }

# --- everything at once ---
new_db bw_all
"$PGBIN/psql" -XAtq -v ON_ERROR_STOP=1 -d bw_all > /dev/null << 'SQL'
create role bw_owner;
create extension hstore; create extension pg_trgm;
create table t (i int); alter table t enable row level security;
create unlogged table quick (i int); create unlogged table "Quick ""2" (i int);
create extension file_fdw; create server files foreign data wrapper file_fdw;
create foreign table far (line text) server files options (filename '/etc/hostname');
select lo_create(0), lo_create(0);
do $$ begin execute format('alter large object %s owner to bw_owner', (select min(oid) from pg_largeobject_metadata)); end $$;
create function f() returns event_trigger language plpgsql as 'begin end'; create event trigger watch on ddl_command_end execute function f();
create subscription sub connection 'dbname=nowhere' publication p with (connect = false);
begin; insert into quick values (1); prepare transaction 'half way';
SQL
status "a database with everything" 0 backup -d bw_all --json
warns "row security" 'row security is on for 1 table (public.t): the dump holds all of their rows'
warns "unlogged tables" '2 unlogged tables (public."Quick ""2", public.quick): their rows are in the dump'
warns "foreign tables" '1 foreign table (public.far): their rows live on another server'
warns "large objects" '2 large objects (of bw_owner, of postgres) are in the dump'
warns "event triggers" '1 event trigger (watch): only a superuser can restore them'
warns "subscriptions" '1 subscription (sub): they come back disabled'
warns "extensions, with versions" 'a restore needs 3 extensions (file_fdw '
like "... versions" "$ERR" 'hstore [0-9.]+, pg_trgm [0-9.]+\)'
warns "prepared transactions" '1 prepared transaction (half way): what they changed is not in the dump'
is "all in the result" "$(python3 -c 'import json, sys; print(len(json.load(sys.stdin)["backups"][0]["warnings"]))' <<< "$OUT")" 8
is "... and in the manifest" "$(python3 -c 'import json, sys; print(len(json.load(sys.stdin)["warnings"]))' < "$(find "$S" -name manifest.json)")" 8
like "versions of extensions in the manifest" "$(cat "$(find "$S" -name manifest.json)")" '"extensions": \["file_fdw", "hstore", "pg_trgm"\],\s+"extension_versions": \["[0-9.]+", "[0-9.]+", "[0-9.]+"\]'
sql -d bw_all -c "rollback prepared 'half way'" -c "alter subscription sub set (slot_name = none)" -c "drop subscription sub"

# --- a plain one ---
new_db bw_plain
sql -d bw_plain -c "create table t (i int)"
status "a plain database" 0 backup -d bw_plain
is "... nothing to say" "$ERR" ""

# --- row security against the role ---
new_db bw_rls
sql -d bw_rls -c "create role bw_reader login; grant pg_read_all_data to bw_reader" \
  -c "create table a (i int); create table b (i int); create table open (i int); alter table a enable row level security; alter table b enable row level security" \
  -c "insert into a values (1), (2); create policy half on a for select using (i = 1)"
before=$(find "$S" -type f | sort)
status "row security hides rows: 77" 77 backup -d bw_rls -U bw_reader
warns "... names the tables, the role, the remedy" "row security hides rows of public.a, public.b from role 'bw_reader': dump as a superuser, or give the role bypassrls"
is "... nothing was left" "$(find "$S" -type f | sort)" "$before"
sql -d postgres -c "alter role bw_reader bypassrls"
status "... with bypassrls" 0 backup -d bw_rls -U bw_reader
sql -d postgres -c "alter role bw_reader nobypassrls"
sql -d bw_rls -c "alter table a owner to bw_reader; alter table b disable row level security; grant create, usage on schema public to bw_reader"
status "... as its owner" 0 backup -d bw_rls -U bw_reader
sql -d bw_rls -c "alter table a force row level security"
status "... whom it is forced upon: 77" 77 backup -d bw_rls -U bw_reader
for k in 1 2 3 4 5 6 7; do sql -d bw_rls -c "create table many_$k (i int); alter table many_$k enable row level security"; done
status "many" 77 backup -d bw_rls -U bw_reader
warns "... the first five" "public.a, public.many_1, public.many_2, public.many_3, public.many_4 and 3 more from role"

# --- words of pg_dump that ended well ---
mkdir "$T/client"
# shellcheck disable=SC2016 # for the script that is written
printf '#!/bin/bash\n[ "$1" = --version ] || echo "pg_dump: warning: a word" >&2\nexec %s "$@"\n' "$PGBIN/pg_dump" > "$T/client/pg_dump"
chmod +x "$T/client/pg_dump"; ln -s "$PGBIN/pg_dumpall" "$T/client/pg_dumpall"
status "pg_dump warns" 0 backup -d bw_plain --client-dir "$T/client" --json
warns "... is told" 'pg_dump: warning: a word'
like "... in the result" "$OUT" '"ok": true.*"warnings": \["pg_dump: warning: a word"\]'

# --- globals ---
globals() { zstd -dc "$S/main/bw_plain/$(sed -E 's/^bw_plain ([^:]*):.*/\1/' <<< "$1")/globals.sql.zst"; }
sql -d bw_plain -c "create role bw_secret password 'x'; create role bw_poor login; grant select on t to bw_poor"
status "a role that reads passwords" 0 backup -d bw_plain
like "... they are in the globals" "$(globals "$OUT")" "ALTER ROLE bw_secret .* PASSWORD 'SCRAM-SHA-256"
status "a role that may not" 0 backup -d bw_plain -U bw_poor
warns "... is told" "the globals hold no password hashes: the role may not read pg_authid"
like "... the roles are there" "$(globals "$OUT")" "CREATE ROLE bw_secret;"
unlike "... without passwords" "$(globals "$OUT")" "PASSWORD '"
install -d -m 700 "$T/space"; [ "$(id -u)" != 0 ] || chown "$(stat -c %U "$PGHOST")" "$T/space"
"$PGBIN/psql" -XAtq -d postgres -v ON_ERROR_STOP=1 << SQL
create role bw_group; create role bw_boss; grant bw_group to bw_boss with admin option;
alter role bw_boss set work_mem = '7MB'; alter role bw_boss in database bw_plain set work_mem = '9MB';
create tablespace bw_space location '$T/space';
SQL
status "roles, memberships, settings, tablespaces" 0 backup -d bw_plain
like "globals: memberships with their options" "$(globals "$OUT")" 'GRANT bw_group TO bw_boss WITH ADMIN OPTION'
like "globals: settings of roles" "$(globals "$OUT")" "ALTER ROLE bw_boss SET work_mem TO '7MB'"
like "globals: tablespaces" "$(globals "$OUT")" "CREATE TABLESPACE bw_space .*LOCATION '$T/space'"
like "dump: settings of roles in this database" "$(zstd -dc "$S/main/bw_plain/$(sed -E 's/^bw_plain ([^:]*):.*/\1/' <<< "$OUT")/dump.zst" | "$PGBIN/pg_restore" --create -f -)" \
  "ALTER ROLE bw_boss IN DATABASE bw_plain SET work_mem TO '9MB'"
sql -d postgres -c "drop tablespace bw_space"
finish
