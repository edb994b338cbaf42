#!/bin/bash
# pgc backup verify --level 2: a writer beside the backup, roles and tablespaces that are not there, and nothing left behind.
. tests/support/lib.sh
own_server
cd "$T" || exit 1
S=$T/store
export TMPDIR=$T/tmp; mkdir tmp; chmod 777 tmp
pgc backup keygen -o key 2> /dev/null
recipient=$(sed -n 's/^# public key: //p' key)
# shellcheck disable=SC2317 # called through status
backup() { pgc backup run --progress none --store "$S" -r "$recipient" --fingerprint contents -d vs_app "$@"; }
# shellcheck disable=SC2317 # called through status
verify() { pgc backup verify --progress none --store "$S" -i key --level 2 --database vs_app "$@"; }
databases() { sql -d postgres -c "select string_agg(datname, ',' order by datname) from pg_database where datname ~ '^(vs|pgc)_'"; }
stand_in() { # stand_in FOLDER PROGRAM SCRIPT: a program that runs SCRIPT with the real one's arguments
  mkdir -p "$1"
  ln -sf "$PGBIN"/* "$1/"; rm "$1/$2"
  # shellcheck disable=SC2016 # for the script that is written
  printf '#!/bin/bash\n[ "$1" = --version ] && exec %s --version\n%s\nexec %s "$@"\n' "$PGBIN/$2" "$3" "$PGBIN/$2" > "$1/$2"
  chmod +x "$1/$2"
}

mkdir ts; chmod 777 ts; [ "$(id -u)" != 0 ] || chown "$(stat -c %U "$PGHOST/data" 2> /dev/null || echo postgres)" ts
sql -d postgres -c 'create role vs_role' -c "create tablespace vs_ts location '$T/ts'"
new_db vs_app
sql -d vs_app -c "create table t as select i, md5(i::text) x from generate_series(1, 2000) i" -c "create sequence s" \
  -c "create table far (a int) tablespace vs_ts; insert into far values (1)" \
  -c "alter table t enable row level security; create policy p on t to vs_role using (true)" \
  -c "create materialized view m as select count(*) from t"

# --- a writer beside it ---
# Between the fingerprint and the dump everything changes; both see the snapshot from before.
change="insert into t select i, 'new' from generate_series(5000, 5500) i; update t set x = 'changed' where i % 2 = 0; delete from t where i % 3 = 0"
stand_in busy pg_dump "case \"\$*\" in *--format=custom*) $PGBIN/psql -Xq -d vs_app -c \"$change\" ;; esac"
bash -c "while [ ! -e '$T/stop' ]; do '$PGBIN/psql' -Xq -d vs_app -c 'update far set a = a + 1; insert into far values (0)'; done" 2> /dev/null & writer=$!
status "run beside a writer" 0 backup --client-dir "$T/busy"
touch stop; wait $writer
status "verified: the rows of the snapshot" 0 verify -d postgres
like "... by content" "$OUT" '3 tables with 200[0-9]* rows compared by content|3 tables with 2[0-9]* rows compared by content'
stand_in blind pg_dump "case \"\$*\" in *--format=custom*) $PGBIN/psql -Xq -d vs_app -c \"$change\"; a=(); for x in \"\$@\"; do [[ \$x == --snapshot=* ]] || a+=(\"\$x\"); done; set -- \"\${a[@]}\" ;; esac"
status "a dump of another snapshot" 0 backup --client-dir "$T/blind"
status "... is found: 65" 65 verify -d postgres
like "... says where" "$OUT" 'public\.t: '
rm -rf "$S"
status "run" 0 backup

# --- what the server does not have ---
sql -d postgres -c 'alter role vs_role rename to vs_gone' -c 'alter tablespace vs_ts rename to vs_gone'
status "roles and tablespaces missing" 0 verify -d postgres
sql -d postgres -c 'alter role vs_gone rename to vs_role' -c 'alter tablespace vs_gone rename to vs_ts'
status "on a server of its own" 0 env -u PGHOST -u PGPORT -u PGUSER "PGBIN=$PGBIN" pgc backup verify --progress none --store "$S" -i key --level 2 --database vs_app
is "... which is gone" "$(ls tmp)" ""
before=$(databases)
is "the scratch databases are gone" "$before" vs_app

# --- ended in the middle ---
stand_in slow pg_restore "case \"\$*\" in *dbname=*) touch $T/begun; while [ ! -e $T/go ]; do sleep 0.1; done ;; esac"
begin() { rm -f begun go; (exec "$@") > out 2> err & pid=$!; comes "it has begun" begun ls begun; }
V=(pgc backup verify --progress none --store "$S" -i key --level 2 --database vs_app --client-dir "$T/slow")
begin "${V[@]}" -d postgres
like "there is a scratch database" "$(databases)" 'pgc_verify_'
kill -TERM $pid; wait $pid
is "SIGTERM: 143" $? 143
is "... nothing is left" "$(databases)" "$before"
begin env -u PGHOST -u PGPORT -u PGUSER "PGBIN=$PGBIN" "${V[@]}"
like "there is a server" "$(ls tmp)" 'pgc-testdb'
kill -TERM $pid; wait $pid
is "SIGTERM: 143" $? 143
is "... nothing is left" "$(ls tmp)" ""
begin "${V[@]}" -d postgres
kill -9 $pid; wait $pid 2> /dev/null
like "killed: it is left" "$(databases)" 'pgc_verify_'
sql -d "$(databases | grep -o 'pgc_verify_[0-9a-f]*')" -c 'create table half (a int)'
comes "... nobody works on it" 0 sql -d postgres -c "select count(*) from pg_stat_activity where application_name in ('pgc-restore', 'pgc-verify')"
touch go
status "the next one" 0 verify -d postgres
is "... drops it" "$(databases)" "$before"
sql -d postgres -c 'drop database vs_app' -c 'drop tablespace vs_ts' -c 'drop role vs_role'
finish
