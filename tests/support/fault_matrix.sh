# shellcheck shell=bash
# The five conditions of the fault matrix (tests/it/backup-fault-*.sh), and ways to make faults. Sourced behind lib.sh; starts a
# server of its own, because backends are killed, and makes $S hold a backup of bm_app (25 MB) and one of bm_small.
#   row NAME STATUS WORDS ARG...             a fault that is there from the beginning
#   broken NAME STATUS WORDS COMMAND ARG...  a fault that COMMAND makes in the middle of the dump ($RUN: the run's pid)
# After each: the exit status is that of the fault, nothing new is visible, nothing is left open (uploads, temporary files, sessions,
# processes), somebody was told, and the earlier backups are untouched (none is missing either: retention did not run).
home=$PWD
cd "$T" || exit 1
# Backends are killed here: a server of our own.
own_server
export AWS_ACCESS_KEY_ID=AK AWS_SECRET_ACCESS_KEY=SK AWS_EC2_METADATA_DISABLED=true HOME=$T
HELPERS=()
trap 'kill "${HELPERS[@]}" 2> /dev/null; "$home/tests/support/pg.sh" stop "$T/own"' EXIT
S=$T/store
pgc backup keygen -o key 2> /dev/null
recipient=$(sed -n 's/^# public key: //p' key)
sink=$("$home/tests/support/free-port.sh")
python3 "$home/tests/support/sink.py" http "$sink" "$T/told" & HELPERS+=($!)
comes "the sink listens" 501 curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$sink/"
new_db bm_app
sql -d bm_app -c "create table t as select i, md5(i::text) x from generate_series(1, 500000) i"
new_db bm_small
sql -d bm_small -c "create table t as select generate_series(1, 100) i" -c "create role bm_reader login; grant select on t to bm_reader" \
  -c "create table hidden (i int); alter table hidden enable row level security; grant select on hidden to bm_reader"

files() { find "$S" -type f 2> /dev/null | sort; }
sums() { find "$S" -type f -exec sha256sum {} + 2> /dev/null | sort; }
s3_state() { curl -s "http://127.0.0.1:$S3_PORT/_state" | python3 -c 'import json, sys; d = json.load(sys.stdin); print(sorted(d["objects"].items()), d["uploads"])'; }
sessions() { sql -d postgres -c "select count(*) from pg_stat_activity where application_name like 'pgc-backup%'"; }
# Processes of this script's runs: others may run beside it.
own() { local p; for p in $(pgrep -f "$1"); do grep -qzxF "T=$T" "/proc/$p/environ" 2> /dev/null && echo "$p"; done; }
clients() { own "^$PGBIN/pg_dump(all)? .*dbname='bm_(app|small)'"; }
told() { grep -c "\"event\":\"backup.failure\",\"job\":\"$1\"" "$T/told"; }
URL=$S S3_PORT=''
visible() { pgc backup list --store "$URL"; }
remember() { listed=$(visible) kept=$(sums) s3_kept=; [ -z "$S3_PORT" ] || s3_kept=$(s3_state); }
five() { # five NAME WANT RC: what must hold after a fault
  [ -z "${VERBOSE:-}" ] || echo "# $SECONDS s"
  is "$1: exit status" "$3" "$2"
  is "$1: nothing new is visible" "$(visible)" "$listed"
  comes "$1: no session is left on the server" 0 sessions
  is "$1: no process is left" "$(clients)" ""
  [ "$(told "$1")" = 1 ] && pass "$1: told once" || fail "$1: told once" "$(told "$1") times" "$(cat "$T/told" | tail -n 3)" "${ERR:-}"
  is "$1: earlier backups are untouched, and nothing else is there" "$(sums)" "$kept"
  [ -z "$S3_PORT" ] || is "$1: no object more, no upload open" "$(s3_state)" "$s3_kept"
}
backup() { pgc backup run --progress none --notify "http://127.0.0.1:$sink/" --lock-wait-timeout 500ms "$@"; }
row() { # row NAME STATUS WORDS ARG...: a fault that is there from the beginning
  local name=$1 want=$2 words=$3; shift 3
  run backup --store "$URL" -r "$recipient" --job "$name" "$@"
  five "$name" "$want" "$RC"
  like "$name: says why" "$ERR" "$words"
}
# A run of which much is still to come, and a moment when pg_dump is in the middle of it.
in_the_middle() { [ -n "$(its_dump)" ] && [ -n "$(find "$S" -name '.pgc-tmp-*' -size +100k)" ]; }
its_dump() { own "^$PGBIN/pg_dump .*dbname='bm_app'" | head -n 1; }
broken() { # broken NAME STATUS WORDS COMMAND ARG...: a fault that COMMAND makes in the middle; $RUN is the run's pid
  local name=$1 want=$2 words=$3 command=$4; shift 4
  exec 3> err
  (trap - INT; exec pgc-backup run --progress none --notify "http://127.0.0.1:$sink/" --store "$S" -r "$recipient" \
    --bandwidth-limit 300kB --job "$name" "$@") > out 2>&3 & RUN=$!
  for _ in $(seq 400); do in_the_middle && break; sleep 0.05; done
  in_the_middle || fail "$name: never in the middle" "$(cat err)"
  $command > /dev/null 2>&1
  wait "$RUN" 2> /dev/null
  five "$name" "$want" $?
  like "$name: says why" "$(cat err)" "$words"
}
# shellcheck disable=SC2016 # for the script that is written
fake() { # fake NAME MAJOR BODY: a folder with a pg_dump that goes wrong
  mkdir -p "$T/$1"
  printf '#!/bin/bash\n[ "$1" = --version ] && { echo "pg_dump (PostgreSQL) %s"; exit 0; }\n%s\n' "$2" "$3" > "$T/$1/pg_dump"
  ln -sf "$PGBIN/pg_dumpall" "$T/$1/pg_dumpall"
  chmod +x "$T/$1/pg_dump"
}

for db in bm_app bm_small; do run backup --store "$S" -r "$recipient" -d $db; done
remember
