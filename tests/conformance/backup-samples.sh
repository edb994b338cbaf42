#!/bin/bash
# Sample databases: loaded by the real psql, backed up, restored by pgc and by the recovery command of the manifest; equal in
# schema and content. Names of databases with every ASCII character. (Odd kinds and sizes: tests/it/backup-zoo.sh.)
. tests/support/lib.sh
. tests/support/round-trip.sh
cd "$T" || exit 1
S=$T/store
pgc backup keygen -o key.txt 2> /dev/null
recipient=$(sed -n 's/^# public key: //p' key.txt)
round_trip() { # round_trip DATABASE
  status "$1: run" 0 pgc backup run --progress none --store "$S" -r "$recipient" -d "$1" --fingerprint contents
  status "$1: restore" 0 pgc restore --progress none --store "$S" -i key.txt --database "$1" --into "$1_back" --create
  equal "$1: restored" "$1" "$1_back"
  if command -v age > /dev/null; then recover "$1: recovery command" "$S" "$1"; else skip "$1: recovery command" "no stock age"; fi
}

if need_corpus sample-dbs; then
  for file in "$CORPUS"/sample-dbs/*.sql; do
    name=bs_$(basename "$file" .sql)
    new_db "$name"
    # chinook.sql creates and enters a database of its own: without those lines it loads where we are.
    grep -vE '^(DROP DATABASE|CREATE DATABASE|\\c )' "$file" > load.sql
    ok "$name: load" "$PGBIN/psql" -XAtq -v ON_ERROR_STOP=1 -d "$name" -f load.sql
    round_trip "$name"
  done
fi

# --- names: every ASCII character, in pieces that are names of databases ---
all=$(printf '%b' "$(printf '\\x%02x' $(seq 32 126))")
chars=$(printf '%b' '\x01\x09\x0a\x0d\x7f')$all
n=0
for ((i = 0; i < ${#chars}; i += 40)); do
  name="bs ${chars:i:40}"
  "$PGBIN/psql" -XAtq -d postgres -v "n=$name" <<< 'create database :"n";' > /dev/null
  sql -d postgres -c "select 1 from pg_database where datname = '${name//\'/\'\'}'" > there
  is "name $n: there" "$(cat there)" 1
  status "name $n: run" 0 pgc backup run --progress none --store "$S" -r "$recipient" -d postgres --database "$name"
  status "name $n: restore" 0 pgc restore --progress none --store "$S" -i key.txt -d postgres --database "$name" --into "x$name" --create
  like "name $n: listed" "$(pgc backup list --store "$S" --database "$name")" '  main '
  n=$((n + 1))
done
is "nothing is outside of the layout" "$(find "$S" -mindepth 1 -maxdepth 1 -printf '%f\n')" main
is "every folder is one database" "$(find "$S/main" -mindepth 4 | wc -l)" 0
finish
