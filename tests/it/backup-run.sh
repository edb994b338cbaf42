#!/bin/bash
# pgc backup run, list, show, pin, copy: the way into the store, and stock tools on the way back.
. tests/support/lib.sh
cd "$T" || exit 1
S=$T/store
pgc backup keygen -o key 2> /dev/null
recipient=$(sed -n 's/^# public key: //p' key)
# shellcheck disable=SC2317 # called through status
backup() { pgc backup run --progress none --store "$S" -r "$recipient" "$@"; }

new_db bk_app
sql -d bk_app -c "create table t as select i, md5(i::text) x from generate_series(1, 20000) i" \
  -c "create role bk_owner; create table u (a int); alter table u owner to bk_owner"
status "run" 0 backup -d bk_app
like "... tells the id" "$OUT" '^bk_app [0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}: [0-9.]+ KiB -> '
is "... and nothing else" "$ERR" ""
id=$(sed -E 's/^bk_app ([^:]*):.*/\1/' <<< "$OUT")
is "objects" "$(cd "$S/main/bk_app/$id" && ls)" "contents.json.zst.age
dump.zst.age
globals.sql.zst.age
manifest.json"
is "objects are private" "$(find "$S" -type f -perm /077; find "$S" -mindepth 1 -type d -perm /077)" ""
status "show" 0 pgc backup show "$id" --store "$S"
like "... schema" "$OUT" '"schema": "pgc-backup/1"'
like "... recipients" "$OUT" "\"recipients\": \\[\"$recipient\"\\]"
like "... roles" "$OUT" '"roles": \["bk_owner", "'
like "... size and hash of the stored object" "$OUT" \
  "\"after\": \"age\", \"bytes\": $(stat -c %s "$S/main/bk_app/$id/dump.zst.age"), \"sha256\": \"$(sha256sum < "$S/main/bk_app/$id/dump.zst.age" | cut -c 1-64)\""
status "show by the end of the id" 0 pgc backup show "${id#*-}" --store "$S"
status "show of nothing" 1 pgc backup show nonsense --store "$S"

# --- stock tools ---
if command -v age > /dev/null && command -v zstd > /dev/null; then
  new_db bk_stock
  cp "$S/main/bk_app/$id/dump.zst.age" "$T/"; cp key key.txt
  recovery=$(sed -n 's/^  "recovery": "\(.*\)",$/\1/p' "$S/main/bk_app/$id/manifest.json")
  is "recovery command" "$recovery" "age -d -i key.txt dump.zst.age | zstd -d | pg_restore -d bk_app"
  ok "... works" bash -o pipefail -c "PATH=$PGBIN:\$PATH; ${recovery/-d bk_app/-d bk_stock}"
  is "... content" "$(sql -d bk_stock -c 'select count(*), min(x) from t')" "$(sql -d bk_app -c 'select count(*), min(x) from t')"
  like "globals" "$(age -d -i key "$S/main/bk_app/$id/globals.sql.zst.age" | zstd -dc)" 'CREATE ROLE bk_owner;'
  like "contents" "$(age -d -i key "$S/main/bk_app/$id/contents.json.zst.age" | zstd -dc)" '"table": "public.t", "rows": 20000'
else
  skip "stock tools" "age or zstd is not installed"
fi

# --- names, neighbours, selection ---
new_db bk_app_staging
odd="bk \"q\" 'a'/b=c ..ä\\"
sql -d postgres -c "create database \"${odd//\"/\"\"}\""
status "a beginning of a name" 0 backup -d bk_app_staging
status "an odd name by --database" 0 backup -d postgres --database "$odd" --database bk_app
is "three folders and no more" "$(cd "$S/main" && ls -A)" "bk%20%22q%22%20%27a%27%2Fb%3Dc%20..%C3%A4%5C
bk_app
bk_app_staging"
is "list of one database" "$(pgc backup list --store "$S" --database bk_app | wc -l)" 2
is "list of the neighbour" "$(pgc backup list --store "$S" --database bk_app_staging | wc -l)" 1
like "list as JSON" "$(pgc backup list --store "$S" --json)" '"database": "bk \\"q\\" '
status "globs" 0 backup -d postgres --include 'bk_*' --exclude '*stag*' --exclude bk_stock --json
is "... chosen" "$(grep -c '"ok": true' <<< "$OUT")" 1
status "globs that match nothing: 78" 78 backup -d postgres --include 'none*'
status "a database that is not there" 1 backup -d postgres --database bk_none --database bk_app
like "... named" "$ERR" 'bk_none'
is "... the other has its backup" "$(grep -c '^bk_app ' <<< "$OUT")" 1

# --- settings ---
status "no recipient: 64" 64 pgc backup run -d bk_app --store "$S"
status "malformed recipient: 64" 64 pgc backup run -d bk_app --store "$S" -r age1x
status "no store: 64" 64 pgc backup run -d bk_app -r "$recipient"
status "unknown scheme: 64" 64 pgc backup run -d bk_app -r "$recipient" --store gopher://x
status "without encryption" 0 pgc backup run -d bk_app --store "$T/plain" --no-encryption --no-globals
ok "... readable by zstd and pg_restore" bash -o pipefail -c "zstd -dc '$T'/plain/main/bk_app/*/dump.zst | $PGBIN/pg_restore -f /dev/null"
is "... no globals" "$(find "$T/plain" -name 'globals*')" ""

# --- several targets ---
mkdir "$T/blocked" && echo x > "$T/blocked/main"
status "one of two targets fails" 1 pgc backup run -d bk_app --store "$T/blocked" --store "$T/second" -r "$recipient"
like "... it is named" "$ERR" "blocked"
is "... the other one has its backup" "$(find "$T/second" -name manifest.json | wc -l)" 1
status "two targets" 0 pgc backup run -d bk_app --store "$T/a" --store "$T/b" -r "$recipient"
is "... the same bytes" "$(cd "$T/a" && find . -type f -exec sha256sum {} + | sort)" "$(cd "$T/b" && find . -type f -exec sha256sum {} + | sort)"

# --- pin, copy ---
status "pin" 0 pgc backup pin "$id" --store "$S"
like "... shown" "$(pgc backup list --store "$S" | grep "$id")" ' pinned$'
status "unpin" 0 pgc backup unpin "$id" --store "$S"
unlike "... gone" "$(pgc backup list --store "$S" | grep "$id")" 'pinned'
status "copy" 0 pgc backup copy "$id" --store "$S" --to "$T/copy"
is "... the same bytes" "$(cd "$T/copy" && find . -type f -exec sha256sum {} + | sort)" "$(cd "$S" && find . -type f -path "*$id*" -exec sha256sum {} + | sort)"
status "copy again" 1 pgc backup copy "$id" --store "$S" --to "$T/copy"

# --- the latest one, where it is clear which ---
status "the latest of a store with one database" 0 pgc backup show latest --store "$T/copy"
like "... is its backup" "$OUT" "\"id\": \"$id\""
status "a backup of a second server" 0 pgc backup run -d bk_app --store "$T/copy" -r "$recipient" --cluster other
status "the latest of two servers" 64 pgc backup show latest --store "$T/copy"
like "... names both" "$ERR" "'main/bk_app' and of 'other/bk_app': choose with --database or --cluster"
status "... nor is it restored" 64 pgc restore --store "$T/copy" -i key --database bk_app --into bk_back --create
status "the latest of one of them" 0 pgc backup show latest --store "$T/copy" --cluster main
like "... is the first" "$OUT" "\"id\": \"$id\""

# --- damage is seen in the list ---
truncate -s -1 "$S/main/bk_app/$id/dump.zst.age"
like "a cut artefact" "$(pgc backup list --store "$S" | grep "$id")" ' DAMAGED$'
status "a cut artefact is not copied" 65 pgc backup copy "$id" --store "$S" --to "$T/copy2"
is "... nothing is there" "$(find "$T/copy2" -type f 2> /dev/null)" ""
finish
