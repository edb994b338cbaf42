#!/bin/bash
# pgc restore and the database itself: its properties, its name while it is not complete, and what a killed restore leaves.
. tests/support/lib.sh
cd "$T" || exit 1
S=$T/store
pgc backup keygen -o key 2> /dev/null
recipient=$(sed -n 's/^# public key: //p' key)
backup() { pgc backup run --progress none --store "$S" -r "$recipient" "$@"; }
# shellcheck disable=SC2317 # called through status
restore() { pgc restore --progress none --store "$S" -i key "$@"; }
databases() { sql -d postgres -c "select string_agg(datname, ',' order by datname) from pg_database where datname ~ '^rd_'"; }
# What pg_dump says about the database itself, under one name.
properties() {
  "$PGBIN/pg_dump" -C -s -d "$1" | sed "s/\\b$1\\b/DB/g" | grep -E '^((CREATE|ALTER|COMMENT ON) DATABASE|ALTER ROLE|GRANT .* ON DATABASE|REVOKE .* ON DATABASE)'
}

mkdir ts; chmod 777 ts; [ "$(id -u)" != 0 ] || chown "$(stat -c %U "$PGHOST/data" 2> /dev/null || echo postgres)" ts
sql -d postgres -c "create role rd_owner" -c "create role \"rd guest\"" -c "create role \"rd IN DATABASE x\"" -c "create tablespace rd_ts location '$T/ts'" \
  -c "create database rd_app owner rd_owner template template0 encoding 'UTF8' locale_provider icu icu_locale 'de' connection limit 7 tablespace rd_ts"
sql -d rd_app -c "create table t as select i, 'x' as x from generate_series(1, 100) i" -c "create table far (a int) tablespace pg_default" \
  -c "create function setting() returns text language sql as \$\$ select current_setting('rd.setting', true) \$\$" \
  -c "alter database rd_app set rd.setting = 'a, b'" \
  -c "alter database rd_app set work_mem = '1234kB'; alter database rd_app set default_transaction_read_only = on" \
  -c "alter role \"rd IN DATABASE x\" in database rd_app set search_path = a, \"b c\"" \
  -c "grant create, temp on database rd_app to \"rd guest\"; revoke all on database rd_app from public" \
  -c "comment on database rd_app is E'it''s \\\\ a\\ncomment'" 2> /dev/null
PGOPTIONS='-c default_transaction_read_only=off' sql -d rd_app -c "set rd.setting = 'a, b'; create materialized view needs_setting as select setting() as s from t limit 1; alter table t owner to rd_owner"
want=$(properties rd_app)
like "all of it is there" "$want" 'ICU_LOCALE.*TABLESPACE.*OWNER TO rd_owner.*CONNECTION LIMIT = 7.*read_only.*IN DATABASE DB.*GRANT'
backup -d rd_app > /dev/null

# --- restored with a database that is made ---
status "create" 0 restore --database rd_app --into rd_copy --create
is "... the same properties" "$(properties rd_copy)" "$want"
is "... the comment" "$(sql -d postgres -c "select shobj_description(oid, 'pg_database') from pg_database where datname = 'rd_copy'")" "it's \\ a
comment"
is "... settings were there while data came in" "$(sql -d rd_copy -c "select s from needs_setting")" "a, b"
new_db rd_other
sql -d rd_other -c "create table mine (a int); alter database rd_other set work_mem = '99kB'"
status "replace" 0 restore --database rd_app --into rd_other --replace
is "... the properties of the backup" "$(properties rd_other)" "$want"
new_db rd_empty
sql -d postgres -c "alter database rd_empty set work_mem = '99kB'"
status "into a database that is there" 0 restore --database rd_app --into rd_empty
like "... which keeps its own" "$(properties rd_empty)" "work_mem TO '99kB'"
unlike "... and gets no others" "$(properties rd_empty)" 'CONNECTION|GRANT|rd_owner'
status "without properties" 0 restore --database rd_app --into rd_plain --create --no-properties --no-tablespaces
is "... encoding and locale only" "$(properties rd_plain)" "CREATE DATABASE DB WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = icu LOCALE = 'C.UTF-8' ICU_LOCALE = 'de';
ALTER DATABASE DB OWNER TO postgres;"
status "another owner" 0 restore --database rd_app --into rd_role --create --no-owner --role rd_owner --no-privileges --no-tablespaces
unlike "... no grants" "$(properties rd_role)" 'GRANT|REVOKE'
status "two tables by name, in two schemas" 0 restore --database rd_app --into rd_part --create --table public.far --tables t
is "... both, and nothing else" "$(sql -d rd_part -c "select string_agg(relname, ' ' order by relname) from pg_class where relnamespace = 'public'::regnamespace")" "far t"
status "a table that is not in the backup" 1 restore --database rd_app --into rd_none --create --table nope
like "... is named" "$ERR" "holds no table 'nope'"

sql -d postgres -c "create database rd_latin template template0 encoding 'LATIN1' locale 'C'" -c "comment on database rd_latin is 'latin'"
sql -d rd_latin -c "create table \"tä\" as select 'ö'::text as a"
backup -d rd_latin > /dev/null
status "another encoding, a name of another one" 0 restore --database rd_latin --into rd_lö --create
is "... the comment" "$(sql -d postgres -c "select shobj_description(oid, 'pg_database') from pg_database where datname = 'rd_lö'")" latin
is "... and content" "$(sql -d rd_lö -c 'select a from "tä"')" ö
sql -d postgres -c 'drop database rd_latin' -c 'drop database "rd_lö"'

# --- names that are not there are told before anything is made ---
for d in rd_copy rd_other $(databases | tr , '\n' | grep rd_other_before) rd_role rd_part rd_plain; do sql -d postgres -c "drop database \"$d\""; done
before=$(databases)
sql -d postgres -c "alter role \"rd IN DATABASE x\" rename to rd_gone; alter role \"rd guest\" rename to rd_gone2"
status "roles of the database missing: 78" 78 restore --database rd_app --into rd_copy --create
like "... both are named" "$ERR" "no role 'rd IN DATABASE x', 'rd guest'"
is "... no database was made" "$(databases)" "$before"
status "without owner" 0 restore --database rd_app --into rd_copy --create --no-owner
like "... the setting that is left out is told" "$ERR" "setting of role 'rd IN DATABASE x' is left out"
is "... the others are there" "$(sql -d rd_copy -c 'show work_mem')" 1234kB
sql -d postgres -c 'drop database rd_copy'
sql -d postgres -c "alter role rd_gone rename to \"rd IN DATABASE x\"; alter role rd_gone2 rename to \"rd guest\""
sql -d postgres -c "alter tablespace rd_ts rename to rd_gone"
status "tablespace missing: 78" 78 restore --database rd_app --into rd_copy --create
like "... is named" "$ERR" "no tablespace 'rd_ts'.*--no-tablespaces"
status "without tablespaces" 0 restore --database rd_app --into rd_copy --create --no-tablespaces
is "... in the default one" "$(sql -d rd_copy -c "select spcname from pg_database d join pg_tablespace s on s.oid = dattablespace where datname = 'rd_copy'")" pg_default
sql -d postgres -c 'drop database rd_copy' -c "alter tablespace rd_gone rename to rd_ts"
status "verify needs neither" 0 pgc backup verify --progress none --store "$S" -i key --level 2 -d postgres --database rd_app

# --- an older server ---
manifest=$(find "$S" -path "*/rd_app/*" -name manifest.json | sort | tail -n 1)
cp "$manifest" manifest
sed -i -e '/"checksum"/d' -e 's/"version_num": 15[0-9]*/"version_num": 990001/' "$manifest"
status "an older server: 78" 78 restore --database rd_app --into rd_copy --create
like "... says what and how" "$ERR" 'from PostgreSQL 99, the server is 15: .*--allow-older-server'
is "... no database was made" "$(databases)" "$before"
status "all the same" 0 restore --database rd_app --into rd_copy --create --allow-older-server
sql -d postgres -c 'drop database rd_copy'
cp manifest "$manifest"

# --- not complete: not under its name ---
# A pg_restore that says when it has begun, and does not end before it is told.
mkdir slow
# shellcheck disable=SC2016 # for the script that is written
printf '#!/bin/bash\n[ "$1" = --version ] && exec %s --version\ncase "$*" in *exit-on-error*) touch %s/begun; while [ ! -e %s/go ]; do sleep 0.1; done ;; esac\nexec %s "$@"\n' \
  "$PGBIN/pg_restore" "$T" "$T" "$PGBIN/pg_restore" > slow/pg_restore
chmod +x slow/pg_restore
begin() { rm -f begun go; restore --client-dir "$T/slow" --database rd_app "$@" > out 2> err & pid=$!; comes "it has begun" begun ls begun; }
new_db rd_app2
sql -d rd_app2 -c 'create table mine as select 1 as a'
before=$(databases)
begin --into rd_app2 --replace
like "the new one has a name of its own" "$(databases)" 'rd_app2,rd_app2_restore_[0-9a-f]{8}'
like "... and a mark" "$(sql -d postgres -c "select shobj_description(oid, 'pg_database') from pg_database where datname like 'rd_app2_restore%'")" 'not complete'
status "a second one beside it stops" 1 restore --database rd_app --into rd_app2 --replace
like "... as the first is at work" "$ERR" 'already exists'
child=$(pgrep -P "$(pgrep -P $pid -x pgc-restore || echo $pid)" || true)
kill -9 "$(pgrep -P $pid -x pgc-restore || echo $pid)" 2> /dev/null; wait $pid 2> /dev/null
touch go
for p in $child; do comes "its pg_restore ends" "" ps -o pid= -p "$p"; done
is "killed: the old one serves" "$(sql -d rd_app2 -c 'select a from mine')" 1
is "... nothing is in the spool" "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'pgc-restore-*' 2> /dev/null)" ""
status "the next one" 0 restore --database rd_app --into rd_app2 --replace
like "... drops what is left" "$ERR" "dropped 'rd_app2_restore_[0-9a-f]{8}', which a killed restore had left"
like "... and nothing else" "$(databases)" "^rd_app,rd_app2,rd_app2_before_[0-9TZ]*,rd_empty$"
sql -d postgres -c "drop database rd_app2"

begin --into rd_new --create
unlike "create: not under its name either" ",$(databases)," ',rd_new,'
kill -TERM "$(pgrep -P $pid -x pgc-restore || echo $pid)"
wait $pid
is "SIGTERM: 143" $? 143
like "... nothing is left" "$(databases)" "^rd_app,rd_app2_before_[0-9TZ]*,rd_empty$"

# --- what stands against the swap ---
new_db rd_app2
sql -d rd_app2 -c "begin; create table p (a int); prepare transaction 'rd_prepared'"
status "a prepared transaction" 1 restore --database rd_app --into rd_app2 --replace
like "... says so" "$ERR" "has 1 prepared transactions"
sql -d rd_app2 -c "rollback prepared 'rd_prepared'"
cat > storm <<EOF
while [ ! -e stop ]; do "$PGBIN/psql" -XAtq -d rd_app2 -c 'select pg_sleep(30)' > /dev/null 2>&1; done
EOF
for _ in 1 2 3 4 5 6; do bash storm & done
comes "clients that come back at once" 6 sql -d postgres -c "select count(*) from pg_stat_activity where datname = 'rd_app2'"
status "... are ended for the swap" 0 restore --database rd_app --into rd_app2 --replace
like "... it says so" "$ERR" 'ended the sessions of the old database'
touch stop
sql -d postgres -c "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname ~ '^rd_'" > /dev/null
wait

# --- no lock to spare for one transaction ---
new_db rd_many
sql -d rd_many -c "do \$\$ begin for i in 1..1100 loop execute format('create table t%s (a int primary key, b text)', i); end loop; end \$\$"
backup -d rd_many > /dev/null
new_db rd_target
status "many tables into a database that is there" 0 restore --database rd_many --into rd_target
like "... says that it is not one transaction" "$ERR" 'not in one transaction: .* locks'
is "... all are there" "$(sql -d rd_target -c "select count(*) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace")" 1100
for d in $(databases | tr , ' '); do sql -d postgres -c "drop database \"$d\""; done
sql -d postgres -c 'drop tablespace rd_ts'
finish
