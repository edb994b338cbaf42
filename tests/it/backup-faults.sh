#!/bin/bash
# Versions of pg_dump, secrets, damaged backups, an interrupted restore. (What goes wrong in a run: backup-fault-*.sh.)
. tests/support/lib.sh
cd "$T" || exit 1
S=$T/store
pgc backup keygen -o key 2> /dev/null
recipient=$(sed -n 's/^# public key: //p' key)
# shellcheck disable=SC2317 # called through status
backup() { pgc backup run --progress none --store "$S" -r "$recipient" "$@"; }
# shellcheck disable=SC2317 # called through status
restore() { pgc restore --progress none --store "$S" -i key "$@"; }
objects() { find "$S" -type f 2> /dev/null | sort; }
nothing_new() { is "$1: nothing was left" "$(objects)" "$good"; }
new_db bf_app
sql -d bf_app -c "create table t as select i, md5(i::text) x from generate_series(1, 200000) i"
backup -d bf_app > /dev/null
good=$(objects)

slow() { exec timeout 60 pgc-backup run --progress none --store "$S" -r "$recipient" -d bf_app --bandwidth-limit 400kB; }
its_dump() { pgrep -f "pg_dump --format=custom.*dbname='bf_app'" | head -n 1; }

# --- pg_dump: a stand-in that goes wrong after some bytes ---
# shellcheck disable=SC2016 # for the script that is written
fake() { # fake NAME MAJOR BODY: a folder with pg_dump
  mkdir -p "$T/$1"
  printf '#!/bin/bash\n[ "$1" = --version ] && { echo "pg_dump (PostgreSQL) %s"; exit 0; }\n%s\n' "$2" "$3" > "$T/$1/pg_dump"
  ln -sf "$PGBIN/pg_dumpall" "$T/$1/pg_dumpall"
  chmod +x "$T/$1/pg_dump"
}
major=$(sql -d postgres -c "select current_setting('server_version_num')::int / 10000")
fake fails "$major.1" "head -c 300000 /dev/urandom; echo 'pg_dump: error: the last words' >&2; exit 1"
status "json tells of the failure" 1 backup -d bf_app --client-dir "$T/fails" --json
like "... ok is false" "$OUT" '"id": null, "ok": false,.*"error": ".*the last words"'

# --- versions ---
fake newer $((major + 2)).1 "exec $PGBIN/pg_dump \"\$@\""
status "pg_dump newer than the server: 78" 78 backup -d bf_app --client-dir "$T/newer"
like "... names the way out" "$ERR" '--allow-newer-client'
nothing_new "versions"
status "... allowed" 0 backup -d bf_app --client-dir "$T/newer" --allow-newer-client --store "$T/newer-store"
like "... with a warning" "$ERR" "newer client"
fake same "$major.9" "exec $PGBIN/pg_dump \"\$@\""
status "the equal one is preferred" 0 backup -d bf_app --client-dir "$T/newer" --client-dir "$T/same" --store "$T/newer-store"
rm -rf "$S"; backup -d bf_app > /dev/null; good=$(objects)

# --- server and secrets ---
status "no server: 69" 69 backup -d 'host=127.0.0.1 port=1 dbname=x connect_timeout=2'
sql -d postgres -c "create role bf_login login password 'the-secret-one'"
nothing_new "no server"
(export PGPASSWORD=the-secret-one; slow) > out 2> err & pid=$!
for _ in $(seq 400); do [ -n "$(its_dump)" ] && break; sleep 0.05; done
cat /proc/"$(pgrep -P $pid)"/cmdline /proc/"$(its_dump)"/cmdline > cmdlines; kill "$(pgrep -P $pid)"; wait $pid
like "command lines were looked at" "$(tr '\0' ' ' < cmdlines)" 'pgc-backup run.*pg_dump --format=custom'
PGPASSWORD=the-secret-one status "a role that may not read: 77" 77 backup -d bf_app -U bf_login
unlike "... the password is nowhere" "$OUT$ERR$(tr '\0' ' ' < cmdlines)" 'the-secret-one'
like "... the server's words" "$ERR" 'permission denied'
rm -rf "$S"; backup -d bf_app > /dev/null; good=$(objects)

# --- damage: restore refuses before the server is touched ---
artefact=$(find "$S" -name dump.zst.age) size=$(stat -c %s "$artefact")
cp "$artefact" sound
before=$(sql -d postgres -c "select string_agg(datname, ',' order by datname) from pg_database where datname like 'bf\\_%'")
bad=0 tried=0
refused() { # refused: 65 and no word to the server
  tried=$((tried + 1))
  PGHOST=/nonexistent run pgc restore --progress none --store "$S" -i key --database bf_app --into bf_none --create
  [ "$RC" -eq 65 ] || { bad=$((bad + 1)); fail "damage $1" "exit status $RC" "$ERR"; }
}
for at in 0 1 100 $((size / 2)) $((size - 1)); do cp sound "$artefact"; truncate -s "$at" "$artefact"; refused "cut at $at"; done
for ((k = 1; k * 65536 < size && k < 6; k++)); do
  for at in $((k * 65536 - 1)) $((k * 65536)) $((k * 65536 + 1)); do
    cp sound "$artefact"; truncate -s "$at" "$artefact"; refused "cut at $at"
  done
done
for at in 0 30 120 180 220 300 65700 $((size / 2)) $((size - 17)) $((size - 1)); do
  cp sound "$artefact"
  byte=$(od -An -tu1 -j "$at" -N 1 "$artefact")
  # shellcheck disable=SC2059 # the byte is the format
  printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$artefact" bs=1 seek="$at" conv=notrunc status=none
  refused "bit flipped at $at"
done
cp sound "$artefact"; printf x >> "$artefact"; refused "a byte more"
rm "$artefact"; refused "artefact missing"
cp sound "$artefact"
manifest=$(dirname "$artefact")/manifest.json; cp "$manifest" manifest
truncate -s -10 "$manifest"; refused "manifest cut"
sed 's/"database": "bf_app"/"database": "bf_xpp"/' manifest > "$manifest"; refused "manifest of another database"
cp manifest "$manifest"
is "damage refused" "$bad of $tried" "0 of $tried"
is "... no database was made" "$(sql -d postgres -c "select string_agg(datname, ',' order by datname) from pg_database where datname like 'bf\\_%'")" "$before"
status "sound again" 0 restore --database bf_app --into bf_back --create

# --- a restore that is interrupted ---
mkdir slow-restore
# shellcheck disable=SC2016 # for the script that is written
printf '#!/bin/bash\n[ "$1" = --version ] && exec %s --version\nsleep 3; exec %s "$@"\n' "$PGBIN/pg_restore" "$PGBIN/pg_restore" > slow-restore/pg_restore
chmod +x slow-restore/pg_restore
(exec pgc restore --progress none --store "$S" -i key --database bf_app --into bf_int --create --client-dir "$T/slow-restore") > out 2> err & pid=$!
sleep 1.5; kill -TERM $pid; wait $pid
is "SIGTERM while restoring" $? 143
is "... the half-made database is gone" "$(sql -d postgres -c "select count(*) from pg_database where datname = 'bf_int'")" 0
finish
