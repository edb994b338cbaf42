#!/bin/bash
# Which databases pgc backup run takes, whatever their names, and how it shows its progress.
. tests/support/lib.sh
cd "$T" || exit 1
home=$OLDPWD
vars=$("$home/tests/support/pg.sh" start "$T/own") || { fail "own server" "$vars"; finish; } # --all is about all of them
for v in $vars; do export "${v?}"; done
trap '"$home/tests/support/pg.sh" stop "$T/own"' EXIT
S=$T/store
# shellcheck disable=SC2317 # called through status
backup() { pgc backup run --progress none --store "$S" --no-encryption "$@"; }
chosen() { python3 -c 'import json, sys; print(" ".join(b["database"] for b in json.load(sys.stdin)["backups"]))' <<< "$OUT"; }

# --- all, templates, databases that are closed, patterns ---
for db in app app_staging closed revoked tpl; do new_db $db; done
sql -d postgres -c "alter database closed allow_connections false" -c "alter database tpl is_template true" \
  -c "revoke connect on database revoked from public" -c "create role reader login; grant pg_read_all_data to reader"
status "all" 0 backup -d postgres --all --json
is "... found, without templates and the closed one" "$(chosen)" "app app_staging postgres revoked"
new_db app_new
status "found anew in each run" 0 backup -d postgres --all --json
is "... the new one is there" "$(chosen)" "app app_new app_staging postgres revoked"
status "one that the role is kept out of" 0 backup -d postgres --all -U reader --json
is "... is left out" "$(chosen)" "app app_new app_staging postgres"
like "... and told" "$ERR" 'a database is not backed up.*database=revoked reason="?the role may not connect to it'
status "excluded: nothing to tell" 0 backup -d postgres --all --exclude 'rev*' --exclude app_staging -U reader --json
is "... chosen" "$(chosen)" "app app_new postgres"
unlike "... nothing told" "$ERR" 'revoked'
status "include" 0 backup -d postgres --include 'app?*' --exclude '*_n[a-f]w' --json
is "... chosen" "$(chosen)" "app_staging"
status "a template by name" 0 backup -d tpl --json
is "... chosen" "$(chosen)" "tpl"
status "a closed one by name: 69" 69 backup -d postgres --database closed
like "... says so" "$ERR" 'not currently accepting connections'
is "app is not app_staging" "$(pgc backup list --store "$S" --database app | wc -l) $(pgc backup list --store "$S" --database app_staging | wc -l)" "4 4"
status "restore of app" 0 pgc restore --progress none --store "$S" --database app --into back --create

# --- every character of ASCII, and a line end ---
python3 - << 'P' > names
import sys
def text(*spans): return "".join(chr(c) for a, b in spans for c in range(a, b + 1))
names = ["regress_" + text(*s) for s in ([(1, 9), (11, 12), (14, 33)], [(34, 34), (35, 43), (45, 54)], [(55, 65), (67, 96)], [(98, 127), (44, 44)])]
names += ["line\nend", "x=y", "postgresql://a/b?c", "..", "a/../b", " lead", "ä€𝄞"]
sys.stdout.write("\0".join(names) + "\0")
P
n=0
while IFS= read -r -d '' name; do
  n=$((n + 1))
  sql -d postgres -v "n=$name" <<< 'create database :"n"'
  sql -d postgres <<< "select format('create table t as select %L::text as name', datname) from pg_database where datname = :'n'" -v "n=$name" > create.sql
  python3 -c 'import os, sys; sys.exit(os.spawnvp(os.P_WAIT, sys.argv[1], [sys.argv[1], "-XAtq", "-d", "dbname=\x27" + sys.argv[2].replace("\\", "\\\\").replace("\x27", "\\\x27") + "\x27", "-f", "create.sql"]))' "$PGBIN/psql" "$name"
  status "name $n is backed up" 0 backup -d postgres --database "$name" --json
  if [ "$n" -le 7 ]; then
    status "name $n is restored" 0 pgc restore --progress none --store "$S" --database "$name" --into "back_$n" --create
    is "name $n comes back" "$(sql -d "back_$n" -c 'select encode(convert_to(name, $$UTF8$$), $$hex$$) from t')" "$(printf %s "$name" | od -An -v -tx1 | tr -d ' \n')"
  fi
done < names
is "all of them" "$n" 11
is "... each in a folder of its own" "$(find "$S/main" -mindepth 1 -maxdepth 1 | wc -l)" 17
is "... by --all too" "$(backup -d postgres --include '*' --json | grep -c '"ok": true')" 24

# --- progress ---
sql -d app -c "create table big as select i, md5(i::text) x from generate_series(1, 300000) i"
status "without a terminal" 0 pgc backup run --store "$S" --no-encryption -d app --bandwidth-limit 4MB --progress-interval 100ms
is "... lines of JSON" "$(python3 -c '
import json, sys
lines = [json.loads(l) for l in sys.stdin]
print(len(lines) > 0, all(l["event.action"] == "backup.progress" and l["database"] == "app" and l["bytes"] > 0 and l["bytes_per_second"] > 0 and 0 <= l["percent"] <= 99 for l in lines),
      [l["bytes"] for l in lines] == sorted(l["bytes"] for l in lines))' <<< "$ERR")" "True True True"
status "as lines of the log" 0 pgc backup run --store "$S" --no-encryption -d app --bandwidth-limit 4MB --progress-interval 100ms --progress log
like "... indeed" "$ERR" ' info +progress database=app bytes=[0-9]+ stored_bytes=[0-9]+ bytes_per_second=[0-9]+ percent=[0-9]+'
status "off" 0 backup -d app --bandwidth-limit 4MB --progress-interval 100ms
is "... nothing" "$ERR" ""
python3 - "$S" << 'P' > screen
import os, pty, sys
pty.spawn(["pgc", "backup", "run", "--store", sys.argv[1], "--no-encryption", "-d", "app", "--bandwidth-limit", "4MB"], lambda fd: os.read(fd, 4096))
P
like "on a terminal: bytes, rate, share" "$(tr '\r\033' '\n^' < screen)" 'app: [0-9.]+ [KM]iB -> [0-9.]+ [KM]?i?B, [0-9.]+ [KM]iB/s, about [0-9]+ %'
like "... and the result on a clean line" "$(tr '\r\033' '\n^' < screen)" $'\n\\^\\[Kapp [0-9]{8}T'

# --- bandwidth: at least as long as the bytes need ---
began=$(date +%s%N)
status "with a bandwidth limit" 0 backup -d app --bandwidth-limit 2MB --json
bytes=$(sed -n 's/.*"stored_bytes": \([0-9]*\).*/\1/p' <<< "$OUT")
ok "... it takes its time" test $((($(date +%s%N) - began) / 1000000)) -ge $((bytes * 1000 / 2097152 - 500))
finish
