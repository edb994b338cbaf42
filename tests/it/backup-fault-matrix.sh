#!/bin/bash
# The fault matrix of pgc backup run: pg_dump, the server, pgc and the disk go wrong; see tests/support/fault_matrix.sh.
# shellcheck disable=SC2317 # functions are called by name
# shellcheck source=tests/support/lib.sh
. tests/support/lib.sh
# shellcheck source=tests/support/fault_matrix.sh
. tests/support/fault_matrix.sh

# --- pg_dump ---------------------------------------------------------------------------------------------------
major=$(sql -d postgres -c "select current_setting('server_version_num')::int / 10000")
fake killed "$major.1" "head -c 300000 /dev/urandom; kill -9 \$\$"
row 'pg_dump kills itself' 1 'ended by signal 9' -d bm_app --client-dir "$T/killed"
fake fails "$major.1" "head -c 300000 /dev/urandom; echo 'pg_dump: error: the last words' >&2; exit 1"
row 'pg_dump fails' 1 'exited with status 1: pg_dump: error: the last words' -d bm_app --client-dir "$T/fails"
fake silent "$major.1" "head -c 1000 /dev/urandom; exec sleep 60"
row 'pg_dump says nothing' 124 'sent nothing for 0 s' -d bm_app --client-dir "$T/silent" --idle-timeout 500ms
fake old $((major - 1)).3 "exit 0"
row 'server newer than the client' 78 "server is PostgreSQL $major,.*found: $((major - 1)) in .*'pgc-backup:pg$major'" -d bm_app --client-dir "$T/old"
kill_dump() { kill -9 "$(its_dump)"; }
broken 'kill -9 of pg_dump' 1 'ended by signal 9' kill_dump -d bm_app
stop_dump() { kill -STOP "$(its_dump)"; }
broken 'pg_dump stands still' 124 'sent nothing for 2 s' stop_dump -d bm_app --idle-timeout 2s

# --- the server ------------------------------------------------------------------------------------------------
dump_pid() { sql -d postgres -c "select pid from pg_stat_activity where application_name like 'pgc-backup 2%' limit 1"; }
end_backend() { sql -d postgres -c "select pg_terminate_backend($(dump_pid))"; }
broken 'backend ended' 1 'pg_dump: error' end_backend -d bm_app
kill_backend() { kill -9 "$(dump_pid)"; }
broken 'kill -9 of the backend' 1 'pg_dump: error' kill_backend -d bm_app
comes "the server is back" 1 sql -d postgres -c 'select 1'
# The fingerprint is taken beside the dump: when its session ends, so does the whole.
sql -d postgres -c "do \$\$ begin
  for i in 1 .. 10000 loop
    perform pg_stat_clear_snapshot(), pg_sleep(0.002);
    if (select count(pg_terminate_backend(pid)) > 0 from pg_stat_activity
        where datname = 'bm_app' and application_name = 'pgc-backup' and state = 'active' and query like 'select count(*)%') then
      return;
    end if;
  end loop;
  raise 'no fingerprint was seen';
end \$\$" & killer=$!
row 'session of the fingerprint ended' 75 'terminating connection' -d bm_app --bandwidth-limit 100kB --fingerprint contents
ok "... it was that one" wait $killer
python3 "$home/tests/support/slow-proxy.py" 127.0.0.1 "$PGPORT" 0 < <(sleep 600) > proxy & proxy=$!
until [ -s proxy ]; do sleep 0.05; done
cut_line() { kill -9 "$proxy"; }
broken 'connection loss' 1 'pg_dump: error' cut_line -d "host=127.0.0.1 port=$(cat proxy) dbname=bm_app"
row 'no server' 69 'refused' -d 'host=127.0.0.1 port=1 dbname=x connect_timeout=2'
coproc HOLDER { exec "$PGBIN/psql" -XAtq -d bm_app; }
printf 'begin;\nlock table t;\nselect 1;\n' >&"${HOLDER[1]}"; read -r -u "${HOLDER[0]}" _
row 'lock held for ever' 75 'lock timeout' -d bm_app
row 'lock held for ever, pg_dump waits' 1 'LOCK TABLE public.t' -d bm_app --fingerprint none
printf '\\q\n' >&"${HOLDER[1]}"
row 'row security' 77 'row security hides rows of public.hidden' -d bm_small -U bm_reader
row 'no such database' 1 'does not exist' -d bm_none

# --- pgc -------------------------------------------------------------------------------------------------------
term() { kill -TERM "$RUN"; }
broken 'SIGTERM' 143 'interrupted by signal 15' term -d bm_app
int() { kill -INT "$RUN"; }
broken 'SIGINT' 130 'interrupted by signal 2' int -d bm_app
row 'wrong recipient' 64 "age1x" -d bm_app -r age1x
row 'hook before fails' 1 'nothing was backed up' -d bm_app --hook-before '["false"]'

# --- the store -------------------------------------------------------------------------------------------------
small_files() (ulimit -f 300; backup --store "$S" -r "$recipient" --job 'file size limit' -d bm_app)
run small_files
five 'file size limit' 1 "$RC"
like 'file size limit: says why' "$ERR" 'File too large'
if [ "$(id -u)" = 0 ] && mkdir small && mount -t tmpfs -o size=256k tmpfs small 2> /dev/null; then
  URL=$T/small
  remember
  row 'disk full' 1 'No space left' -d bm_app
  is 'disk full: nothing is left' "$(find small -mindepth 1)" ""
  umount small; URL=$S
  remember
else
  skip 'disk full' 'cannot mount a tmpfs'
fi
URL=/proc/nowhere
run backup --store $URL -r "$recipient" --job 'store that cannot be written' -d bm_app
URL=$S
five 'store that cannot be written' 1 "$RC"

# --- two targets: one failing does not spoil the other ----------------------------------------------------------
mkdir blocked && echo x > blocked/main
status "one of two targets fails" 1 backup --store "$T/blocked" --store "$T/second" -r "$recipient" -d bm_small --job two
like "... it is named, with the cause" "$ERR" "target=$T/blocked.*Not a directory"
is "... told" "$(told two)" 1
is "... the other one has its backup" "$(pgc backup list --store "$T/second" | wc -l)" 1
is "... the failing one has nothing" "$(find blocked -mindepth 1)" "blocked/main"
finish
