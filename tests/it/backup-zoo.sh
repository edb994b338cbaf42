#!/bin/bash
# The edge zoo: databases of every odd kind, there and back by pgc and by the stock tools of the manifest's recovery command;
# equal in schema (pg_dump -s) and in content (tests/support/zoo-content.sql). ZOO=full (make check-zoo): in full size, with
# time and peak memory of each step in $ZOO_REPORT (default: stderr).
. tests/support/lib.sh
. tests/support/round-trip.sh
support=$PWD/tests/support
cd "$T" || exit 1
S=$T/store
full() { [ "${ZOO:-}" = full ]; }
pgc backup keygen -o key.txt 2> /dev/null
recipient=$(sed -n 's/^# public key: //p' key.txt)
command -v age > /dev/null || { skip "stock age" "not installed"; }

# --- a server of its own: logical replication, and an extension folder that may be written ---
# PostgreSQL finds its folders from where its binary is: a copy of the binary brings copies of them.
R=$T/root/lib/postgresql/x
share=$("$PGBIN/pg_config" --sharedir) lib=$("$PGBIN/pg_config" --pkglibdir)
if [ "$share" = "${PGBIN%/lib/*}/share${PGBIN#*/lib}" ] || [ "$share" = "/usr/share/postgresql/$(basename "$(dirname "$PGBIN")")" ]; then
  R=$T/root/lib/postgresql/$(basename "$(dirname "$PGBIN")")
  mkdir -p "$R/bin" "$T/root/share/postgresql"
  cp "$PGBIN"/{postgres,initdb,pg_ctl} "$R/bin/"
  ln -s "$lib" "$R/lib"
  cp -rL "$share" "$T/root/share/postgresql/"
  X=$T/root/share/postgresql/$(basename "$share")/extension
fi
if [ -d "${X:-}" ]; then
  printf "default_version = '2'\nrelocatable = false\nschema = zoo_ext\n" > "$X/pgc_zoo.control"
  for v in 1 2; do
    echo "create table config (id int, builtin bool default false, t text); insert into config values (1, true, 'made by version $v');
      create table all_rows (a int); create sequence ids; create table internal (a int); insert into internal values ($v);
      select pg_extension_config_dump('config', 'where not builtin'); select pg_extension_config_dump('all_rows', '');
      select pg_extension_config_dump('ids', '');" > "$X/pgc_zoo--$v.sql"
  done
  chmod -R a+rX "$T/root"
  vars=$(PGBIN=$R/bin PG_EXTRA="-c wal_level=logical" "$support/pg.sh" start "$T/own")
else
  skip "extension with configuration tables" "the server's folders cannot be copied"
  vars=$(PG_EXTRA="-c wal_level=logical" "$support/pg.sh" start "$T/own")
fi
trap '"$support/pg.sh" stop "$T/own"' EXIT
for v in $vars; do [[ $v == PGBIN=* ]] || export "${v?}"; done

# --- there and back ---
# shellcheck disable=SC2317 # called through status
measure() { # measure NAME CMD...: runs, and reports time and peak memory of CMD when the zoo is full
  local name=$1; shift
  if ! full; then "$@"; return; fi
  python3 - "$name" "${ZOO_REPORT:-/dev/stderr}" "$@" <<'EOF'
import os, sys, time
begun = time.monotonic()
pid = os.spawnvp(os.P_NOWAIT, sys.argv[3], sys.argv[3:])
_, status, use = os.wait4(pid, 0)
with open(sys.argv[2], "a") as out:
    print(f"{sys.argv[1]}: {time.monotonic() - begun:.1f} s, {use.ru_maxrss / 1024:.0f} MiB", file=out)
sys.exit(os.waitstatus_to_exitcode(status))
EOF
}
round_trip() { # round_trip DATABASE [RESTORE_OPTION...]: leaves only the source
  local d=$1; shift
  status "$d: run" 0 measure "$d run" pgc backup run --progress none --store "$S" -r "$recipient" -d "$d" --fingerprint contents
  status "$d: restore" 0 measure "$d restore" pgc restore --progress none --store "$S" -i key.txt --database "$d" --into "${d}_back" --create "$@"
  equal "$d: restored" "$d" "${d}_back"
  drop "${d}_back"
  status "$d: verify" 0 measure "$d verify 2" pgc backup verify --progress none --store "$S" -i key.txt --level 2 -d postgres --database "$d"
  like "$d: verified" "$OUT" 'by content$'
  command -v age > /dev/null || return
  recover "$d: recovery command" "$S" "$d"
}

new_db zoo_nothing
round_trip zoo_nothing

sql -d postgres -c 'create role zoo_owner' -c 'create role zoo_guest'
new_db zoo_kinds
ok "kinds: load" "$PGBIN/psql" -XAtq -v ON_ERROR_STOP=1 -d zoo_kinds -f "$support/zoo.sql"
round_trip zoo_kinds
status "kinds: four jobs" 0 pgc restore --progress none --store "$S" -i key.txt --database zoo_kinds --into zoo_jobs --create --jobs 4
equal "kinds: four jobs" zoo_kinds zoo_jobs
drop zoo_jobs
new_db zoo_existing
status "kinds: into one that is there" 0 pgc restore --progress none --store "$S" -i key.txt --database zoo_kinds --into zoo_existing
equal "kinds: into one that is there" zoo_kinds zoo_existing
status "kinds: not empty" 1 pgc restore --progress none --store "$S" -i key.txt --database zoo_kinds --into zoo_existing
sql -d zoo_existing -c "alter default privileges grant execute on functions to public" # what is made anew would follow it
status "kinds: clean" 0 pgc restore --progress none --store "$S" -i key.txt --database zoo_kinds --into zoo_existing --clean
equal "kinds: clean" zoo_kinds zoo_existing
like "kinds: clean leaves subscriptions" "$ERR" 'subscriptions stay as they are'
drop zoo_existing; drop zoo_kinds

if [ -d "${X:-}" ]; then
  new_db zoo_ext
  ok "extension: load" sql -d zoo_ext -c "create schema zoo_ext; create extension pgc_zoo version '1'; insert into zoo_ext.config values (2, false, 'mine')" \
    -c "insert into zoo_ext.all_rows values (7); select setval('zoo_ext.ids', 99); create table mine as select 1 as a"
  # Version 2 is what comes back: its own row of config differs and is not of the dump, the user's is.
  status "extension: run" 0 pgc backup run --progress none --store "$S" -r "$recipient" -d zoo_ext --fingerprint contents
  status "extension: restore" 0 pgc restore --progress none --store "$S" -i key.txt --database zoo_ext --into zoo_ext_back --create
  is "extension: rows of its own and of the user" "$(sql -d zoo_ext_back -c 'select id, t from zoo_ext.config order by id; select a from zoo_ext.all_rows; select last_value from zoo_ext.ids; select a from zoo_ext.internal')" \
    "1|made by version 2
2|mine
7
99
2"
  status "extension: verify" 0 pgc backup verify --progress none --store "$S" -i key.txt --level 2 -d postgres --database zoo_ext
  drop zoo_ext_back; drop zoo_ext
fi

# --- sizes: each by itself when the zoo is full, else all in one ---
size() { if full; then echo "$2"; else echo "$1"; fi; } # size QUICK FULL
begin() { D=$(size zoo_sizes "$1"); if full || [ "$1" = zoo_tables ]; then new_db "$D"; fi; }
end() { if full || [ "$1" = zoo_big ]; then round_trip "$D"; drop "$D"; fi; }
begin zoo_tables
ok "many tables: load" sql -d "$D" -c "do \$\$ begin for i in 1..$(size 300 10000) loop
    execute format('create table t%s (a int primary key, b text, p int references t%s)', i, greatest(i - 1, 1));
    execute format('insert into t%s values (1, %L, null)', i, i); if i % 500 = 0 then commit; end if; end loop; end \$\$"
end zoo_tables
begin zoo_objects
for ((i = 0; i < $(size 1 10); i++)); do # in steps: each large object takes a lock
  sql -d "$D" -c "select count(lo_from_bytea(0, decode(md5(i::text), 'hex'))) from generate_series(1, $(size 300 1000)) i" > /dev/null
done
end zoo_objects
begin zoo_bytea
ok "a large value: load" sql -d "$D" -c "create table value (id int, b bytea)" \
  -c "insert into value select 1, decode(repeat(md5('1') || md5('2'), $(size 65536 6553600)), 'hex')"
end zoo_bytea
begin zoo_big
ok "a large table: load" sql -d "$D" -c "create table big (id bigint, a text, b numeric, c timestamptz)" \
  -c "insert into big select i, md5(i::text) || md5((i + 1)::text), i / 7.0, '2026-01-01'::timestamptz + i * interval '1 s' from generate_series(1, $(size 50000 8500000)) i"
! full || echo "zoo_big: $(sql -d "$D" -c "select pg_size_pretty(pg_table_size('big'))")" >> "${ZOO_REPORT:-/dev/stderr}"
end zoo_big

# --- names: every ASCII character in schemas, tables, columns and roles ---
new_db zoo_names
for ((i = 1; i < 128; i += 25)); do
  sql -d zoo_names -v "from=$i" <<'EOF'
select string_agg(chr(c), '' order by c) as n from generate_series(:from, least(:from + 24, 127)) c
\gset
create schema :"n";
create role :"n";
create table :"n".:"n" (:"n" int primary key, "public" text);
insert into :"n".:"n" values (1, :'n');
alter table :"n".:"n" owner to :"n";
grant select on :"n".:"n" to zoo_guest;
comment on table :"n".:"n" is :'n';
EOF
done
is "names: six of each" "$(sql -d zoo_names -c "select count(*) from pg_tables where schemaname !~ '^(pg_|information_schema)'")" 6
round_trip zoo_names
sql -d zoo_names <<'EOF' > /dev/null
select format('reassign owned by %1$I to postgres; drop owned by %1$I; drop role %1$I', rolname) from pg_roles where rolname ~ '[^a-z_]' and rolname !~ '^pg_'
\gexec
EOF
status "names: roles missing" 78 pgc restore --progress none --store "$S" -i key.txt --database zoo_names --into zoo_names_back --create
status "names: roles from the globals" 0 pgc restore --progress none --store "$S" -i key.txt --database zoo_names --into zoo_names_back --create --globals
is "names: owners" "$(sql -d zoo_names_back -c "select count(*) from pg_tables where tableowner = tablename")" 6
status "names: one table of them" 0 pgc restore --progress none --store "$S" -i key.txt --database zoo_names --into zoo_one --create --no-owner \
  --table "$(sql -d zoo_names_back -c "select schemaname || '.' || tablename from pg_tables where tablename like '%.%'")"
is "names: that one" "$(sql -d zoo_one -c "select count(*) from pg_tables where tablename like '%.%'")" 1
for d in zoo_names zoo_names_back zoo_one; do drop "$d"; done

# --- neighbours ---
new_db app; new_db app_staging
sql -d app -c "create table t as select 'app' as a"; sql -d app_staging -c "create table t as select 'staging' as a"
status "neighbours: run" 0 pgc backup run --progress none --store "$S" -r "$recipient" -d app --database app --database app_staging
status "neighbours: restore" 0 pgc restore --progress none --store "$S" -i key.txt --database app --into app_back --create
is "neighbours: the right one" "$(sql -d app_back -c 'select a from t')" app
finish
