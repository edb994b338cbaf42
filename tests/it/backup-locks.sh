#!/bin/bash
# Dumps and migrations keep out of each other's way; a lock that is held for ever ends a dump, not the application.
. tests/support/lib.sh
cd "$T" || exit 1
S=$T/store
# shellcheck disable=SC2317 # called through status
backup() { pgc backup run --progress none --store "$S" --no-encryption "$@"; }
migrate() { pgc migrate up --dir "$T/m" -d bl_app "$@"; }
active() { sql -d postgres -c "select count(*) from pg_stat_activity where datname = 'bl_app' and ($1)"; }
# A session that holds a lock until let_go: hold DB SQL...
hold() {
  coproc HOLDER { exec "$PGBIN/psql" -XAtq -d "$1" 2> /dev/null; }
  printf '%s;\n' "${@:2}" "select 'held'" >&"${HOLDER[1]}"
  local line=''
  until [ "$line" = held ]; do read -r -u "${HOLDER[0]}" line || return 1; done
}
let_go() { local pid=$HOLDER_PID; printf '\\q\n' >&"${HOLDER[1]}"; wait "$pid" 2> /dev/null; }
new_db bl_app
sql -d bl_app -c "create table t as select generate_series(1, 1000) i"
mkdir m client
echo 'select pg_advisory_lock(42); select pg_advisory_unlock(42);' > m/1_gate.sql
printf -- 'create index concurrently t_i on t (i);\n' > m/2_index.sql
# shellcheck disable=SC2016 # for the script that is written
printf '#!/bin/bash\n[ "$1" = --version ] || read -r < "%s"\nexec %s "$@"\n' "$T/gate" "$PGBIN/pg_dump" > client/pg_dump
chmod +x client/pg_dump; ln -s "$PGBIN/pg_dumpall" client/pg_dumpall; mkfifo gate

# --- a migration is under way ---
hold bl_app "select pg_advisory_lock(42)"
migrate > m.out 2>&1 & migration=$!
comes "the migration has begun" 1 active "query ~ 'pg_advisory_lock\(42\)' and wait_event = 'advisory'"
status "a backup gives up: 75" 75 backup -d bl_app --lock-wait-timeout 300ms
like "... says so" "$ERR" "a migration holds the schema lock of 'bl_app'"
is "... nothing was left" "$(find "$S" -type f 2> /dev/null)" ""
backup -d bl_app --lock-wait-timeout 60s > b.out 2> b.err & waiting=$!
comes "a backup that waits says so" 1 grep -c 'a migration is under way: waiting' b.err
is "... and waits outside the server" "$(active "application_name = 'pgc-backup' and state <> 'idle'")" 0
let_go
wait $migration; is "the migration ends, index concurrently and all" $? 0
wait $waiting; is "... and then the backup" $? 0
is "... without a deadlock" "$(sql -d postgres -c "select deadlocks from pg_stat_database where datname = 'bl_app'")" 0
is "... which holds what was migrated" "$(zstd -dc "$S"/main/bl_app/*/dump.zst | "$PGBIN/pg_restore" -l | grep -c 'INDEX public t_i')" 1

# --- a backup is under way ---
echo 'create table u (i int);' > m/3_table.sql
backup -d bl_app --client-dir "$T/client" > b.out 2>&1 & dump=$!
exec 9> gate # opened when pg_dump waits behind it
status "a migration gives up: 75" 75 migrate --lock-wait 300ms
like "... names who is in the way" "$ERR" 'pgc-backup'
is "... nothing was migrated" "$(sql -d bl_app -c "select to_regclass('u')")" ""
status "another backup does not mind" 0 backup -d bl_app
migrate --lock-wait 60s > m.out 2>&1 & migration=$!
echo go >&9; exec 9>&-
wait $dump; is "the backup ends" $? 0
wait $migration; is "... and then the migration" $? 0

# --- behind a pooler: the lease ---
sql -d bl_app -c "$(cat "$OLDPWD/sql/migrate_create_lease.sql")" -c "insert into pgc.migration_lease values (1, 'x', 'somebody', now(), now(), now() + interval '1 hour')"
status "a lease counts: 75" 75 backup -d bl_app --lock-wait-timeout 300ms
is "... the lock is not kept meanwhile" "$(sql -d postgres -c "select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = 'bl_app')")" 0
sql -d bl_app -c "update pgc.migration_lease set expires_at = now() - interval '1 second'"
status "a lease that ran out does not" 0 backup -d bl_app
sql -d bl_app -c "create role bl_reader login; grant select on all tables in schema public to bl_reader; update pgc.migration_lease set expires_at = now() + interval '1 hour'"
status "who may not read it: pg_dump's word" 77 backup -d bl_app -U bl_reader
sql -d bl_app -c "drop table pgc.migration_lease"

# --- tables ---
hold bl_app "begin" "lock table t in access exclusive mode"
status "a table is locked: 75" 75 backup -d bl_app --lock-wait-timeout 300ms
like "... which one" "$ERR" "cannot lock public.t: "
status "a table is locked, no fingerprint: pg_dump gives up" 1 backup -d bl_app --lock-wait-timeout 300ms --fingerprint none
like "... pg_dump's words" "$ERR" 'LOCK TABLE public.t'
let_go
comes "no session is left" 0 active "application_name like 'pgc-backup%'"
finish
