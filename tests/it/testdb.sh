#!/bin/bash
# pgc testdb: throw-away servers that leave nothing behind.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
export TMPDIR=$T XDG_CACHE_HOME=$T/cache
unset PGHOST PGPORT PGUSER
left() { find "$T" -maxdepth 1 -name 'pgc-testdb.*' | wc -l; }
alive() { pgrep -f "$T/pgc-testdb" | wc -l; }

# start, use, list, stop
status "start" 0 pgc-testdb start
url=$OUT
like "the URL names the socket" "$url" '^postgresql://postgres@/test\?host=%2F.*pgc-testdb\.[A-Za-z0-9]{6}&port=[0-9]+$'
is "the server answers" "$("$PGBIN/psql" "$url" -XAtc 'select current_database(), current_user')" "test|postgres"
is "durability is off" "$("$PGBIN/psql" "$url" -XAtc "select string_agg(setting, ',' order by name) from pg_settings where name in ('fsync','full_page_writes','synchronous_commit','listen_addresses')")" "off,off,,off"
run pgc-testdb list
is "list names it" "${OUT#*$'\t'}" "$url"
run pgc-testdb list --json
is "list as JSON" "$(jq -r '.servers[0].url' <<< "$OUT")" "$url"
is "the state folder is private" "$(stat -c %a "$T"/pgc-testdb.*)" 700
[ "$(id -u)" != 0 ] || unlike "not run by root" "$(stat -c %U "$T"/pgc-testdb.*/data)" '^root$'
status "stop by URL" 0 pgc-testdb stop "$url"
is "stop says nothing" "$OUT$ERR" ""
is "nothing is left" "$(left)$(alive)" "00"
status "a second stop has nothing to do" 1 pgc-testdb stop
is "and says so" "$ERR" "pgc-testdb stop: no test server runs"

# TCP with a password
run pgc-testdb start --tcp --database "o'dd %db" --set max_connections=17 --set "cluster_name=it's" --json
is "start --json" "$RC" 0
url=$(jq -r .url <<< "$OUT") dir=$(jq -r .dir <<< "$OUT")
is "settings reach the server" "$("$PGBIN/psql" "$url" -XAtc 'show max_connections' -c 'show cluster_name' -c 'select current_database()')" "17"$'\n'"it's"$'\n'"o'dd %db"
# shellcheck disable=SC2001
status "TCP wants the password" 2 env PGPASSWORD=wrong "$PGBIN/psql" "$(sed 's/postgres:[0-9a-f]*@/postgres@/' <<< "$url")" -Xc 'select 1'
run pgc-testdb start
status "stop without name, two run" 64 pgc-testdb stop
status "stop by folder" 0 pgc-testdb stop "$dir"
status "stop --all" 0 pgc-testdb stop --all
is "all are gone" "$(left)$(alive)" "00"

# a chosen folder
mkdir "$T/full"; echo x > "$T/full/precious"
status "a folder that is not empty is refused" 1 pgc-testdb start --dir "$T/full"
is "it stays as it was" "$(ls "$T/full")" precious
status "stop refuses a folder that is no server" 64 pgc-testdb stop "$T/full"
is "and leaves it alone" "$(ls "$T/full")" precious
status "start in a chosen folder" 0 pgc-testdb start --dir "$T/mine"
status "stop it" 0 pgc-testdb stop --dir "$T/mine"
ok "the folder is gone" test ! -e "$T/mine"

# failures leave nothing
status "a wrong setting" 1 pgc-testdb start --set no_such_setting=1
like "the log says why" "$ERR" 'unrecognized configuration parameter "no_such_setting"'
status "a malformed setting" 64 pgc-testdb start --set fsync
status "a folder without programs" 1 pgc-testdb start --bindir /nonexistent
status "an absent major version" 1 env -u PGBIN pgc-testdb start --pg-version 3
is "failed starts leave nothing" "$(left)$(alive)" "00"

# run
status "run hands over the exit status" 7 pgc-testdb run -- sh -c 'exit 7'
# shellcheck disable=SC2016
status "run gives the connection" 0 pgc-testdb run -- sh -c '"$PGBIN/psql" -XAtc "select 1" && "$PGBIN/psql" "$DATABASE_URL" -XAtc "select 2"'
is "both ways" "$OUT" $'1\n2'
# shellcheck disable=SC2016
status "run over TCP" 0 pgc-testdb run --tcp -- sh -c '"$PGBIN/psql" -XAtc "select inet_server_addr()"'
is "it was TCP" "$OUT" "127.0.0.1"
status "run without command" 64 pgc-testdb run
status "run with an unknown command" 1 pgc-testdb run -- /nonexistent/command
is "run leaves nothing" "$(left)$(alive)" "00"

# signals: at any moment of a start, and while a command runs
for ms in 0.02 0.15 0.4; do
  pgc-testdb start --no-cache > /dev/null 2>&1 & pid=$!
  sleep "$ms"; kill -TERM "$pid" 2> /dev/null; wait "$pid"; rc=$?
  if [ "$rc" -eq 0 ]; then pgc-testdb stop --all; fi
  is "a start ended after $ms s leaves nothing" "$(left)$(alive)" "00"
done
pgc-testdb run -- sh -c "echo up > '$T/up'; exec sleep 60" & pid=$!
for _ in $(seq 200); do [ -s "$T/up" ] && break; sleep 0.05; done
kill -TERM "$pid"; wait "$pid"; rc=$?
is "SIGTERM ends run" "$rc" 143
is "and everything under it" "$(left)$(alive)" "00"

# the cached cluster
is "one cluster is cached" "$(find "$T/cache/pgc/testdb" -mindepth 1 -maxdepth 1 | wc -l)" 1
finish
