#!/bin/bash
# pgc backup verify and prune: proof, and what a policy deletes.
. tests/support/lib.sh
own_server
cd "$T" || exit 1
S=$T/store
pgc backup keygen -o key 2> /dev/null
pgc backup keygen -o other 2> /dev/null
recipient=$(sed -n 's/^# public key: //p' key)
# shellcheck disable=SC2317 # called through status
backup() { pgc backup run --progress none --store "$S" -r "$recipient" "$@"; }
# shellcheck disable=SC2317 # called through status
verify() { pgc backup verify --progress none --store "$S" -i key "$@"; }
databases() { sql -d postgres -c "select string_agg(datname, ',' order by datname) from pg_database where datname ~ '^(bv|pgc)_'"; }

new_db bv_app
sql -d bv_app -c "create role bv_owner" -c "create table t as select i, md5(i::text) x, i / 3.0::float8 f from generate_series(1, 3000) i" \
  -c "alter table t owner to bv_owner; create table empty (a int); create table same (same int, other text); insert into same values (1, 'a')" \
  -c "create materialized view m as select i from t; create materialized view never as select 1 with no data; delete from t where i > 2999; insert into t values (0, 'after', 0)" \
  -c "create table p (a int, b text) partition by range (a); create table p1 partition of p for values from (0) to (10)" \
  -c "insert into p values (1, 'one'); alter table p enable row level security; create policy own on p to bv_owner using (a = 1)"
new_db bv_none
backup -d bv_app --fingerprint contents > /dev/null
backup -d bv_none --fingerprint none --no-globals > /dev/null
before=$(databases)

# --- level 1 ---
status "level 1" 0 verify
like "... both databases" "$OUT" '  bv_app  ok: complete and readable
.*  bv_none  ok: complete and readable$'
is "... marked" "$(pgc backup list --store "$S" | grep -c ' verified$')" 2
status "wrong key: 77" 77 pgc backup verify --progress none --store "$S" -i other
status "no backup" 1 pgc backup verify --store "$T/none" -i key
status "level 3: 64" 64 verify --level 3

# --- level 2 ---
status "level 2 on a named server" 0 verify -d postgres --level 2 --database bv_app
like "... by content" "$OUT" 'ok: restored, 6 tables with 3002 rows compared by content$'
status "level 2 without a fingerprint" 0 verify -d postgres --level 2 --database bv_none
is "... the scratch databases are gone" "$(databases)" "$before"
status "level 2 on a server of its own" 0 env -u PGHOST -u PGPORT -u PGUSER "PGBIN=$PGBIN" pgc backup verify --progress none --store "$S" -i key --level 2 --database bv_app --json
like "... JSON" "$OUT" '"level": 2, "ok": true, "tables": 6, "rows": 3002, "contents": true, "error": null'

# A restore that loses a row is found: pg_restore's stand-in deletes one afterwards.
mkdir lossy
# shellcheck disable=SC2016 # for the script that is written
printf '#!/bin/bash\n%s/pg_restore "$@"; rc=$?\ncase "$*" in *pgc_verify*) %s/psql -Xq -d "${@: -1}" -c "%s" ;; esac\nexit $rc\n' \
  "$PGBIN" "$PGBIN" "update public.t set x = 'other' where i = 7" > lossy/pg_restore
chmod +x lossy/pg_restore
status "a changed row: 65" 65 verify -d postgres --level 2 --database bv_app --client-dir "$T/lossy"
like "... says where" "$OUT" 'FAILED: 1 of 6 tables came back different: public.t: the content differs'
sed -i "s/update public.t set x = 'other' where i = 7/delete from public.t where i = 7/" lossy/pg_restore
cp lossy/pg_restore lossy/first
sed -i "s/delete from public.t where i = 7/update same set other = 'b'/" lossy/pg_restore
status "a change behind a column with the table's name: 65" 65 verify -d postgres --level 2 --database bv_app --client-dir "$T/lossy"
like "... says where" "$OUT" 'public.same: the content differs'
cp lossy/first lossy/pg_restore
status "a lost row: 65" 65 verify -d postgres --level 2 --database bv_app --client-dir "$T/lossy"
like "... says how many" "$OUT" 'public.t: 2999 rows, the backup has 3000'
is "... the scratch databases are gone" "$(databases)" "$before"

# --- damage ---
artefact=$(find "$S" -path '*bv_app*' -name globals.sql.zst.age)
cp "$artefact" sound
printf '\x00' | dd of="$artefact" bs=1 seek=$(($(stat -c %s "$artefact") - 5)) conv=notrunc status=none
status "a flipped byte in the globals: 65" 65 verify --database bv_app --json
like "... says which artefact" "$OUT" '"ok": false.*globals.sql.zst.age'
cp sound "$artefact"
status "sound again" 0 verify --database bv_app

# --- prune: backups of many days, made by changing the dates of one ---
P=$T/prune
one=$(find "$S/main/bv_app" -name manifest.json -printf '%h\n')
clone() { # clone DATABASE YYYY-MM-DD
  local id to
  id=${2//-/}T030000Z-$(printf %08x $((RANDOM * 32768 + RANDOM)))
  to=$P/main/$1/$id
  mkdir -p "$to"; cp "$one"/*.age "$to/"
  sed -e "/\"checksum\"/d" -e "s/\"id\": \"[^\"]*\"/\"id\": \"$id\"/" -e "s/\"database\": \"bv_app\"/\"database\": \"$1\"/" \
    -e "s/\"started\": \"[^\"]*\"/\"started\": \"$2T03:00:00Z\"/" "$one/manifest.json" > "$to/manifest.json"
}
for d in 01 02 03 04 05 06 07 08 09 10; do clone app "2026-01-$d"; clone app_staging "2026-01-$d"; done
ids() { pgc backup list --store "$P" --database "$1" | cut -c 7-8 | tr '\n' ' '; }
status "no policy: 64" 64 pgc backup prune --store "$P"
status "dry run" 0 pgc backup prune --store "$P" --database app --keep-daily 4 --dry-run
is "... says what" "$(cut -d ' ' -f 1 <<< "$OUT" | uniq -c | tr -s ' ')" " 4 keep
 6 remove"
like "... and why" "$OUT" '^keep    20260110T030000Z-[0-9a-f]{8}  app  daily snapshot'
is "... and does nothing" "$(ids app)" "01 02 03 04 05 06 07 08 09 10 "
pgc backup pin "$(pgc backup list --store "$P" --database app | cut -c 1-25 | sed -n 2p)" --store "$P"
status "prune" 0 pgc backup prune --store "$P" --database app --keep-daily 4
is "... the policy and the pinned one" "$(ids app)" "02 07 08 09 10 "
is "... the neighbour is untouched" "$(ids app_staging)" "01 02 03 04 05 06 07 08 09 10 "
is "... nothing is left of the others" "$(find "$P/main/app" -mindepth 1 -maxdepth 1 | wc -l)" 5
status "floor" 0 pgc backup prune --store "$P" --database app_staging --keep-last 1 --json
is "... three stay" "$(ids app_staging)" "08 09 10 "
like "... JSON" "$OUT" '"deleted": 7'
rm "$P"/main/app_staging/20260110*/dump.zst.age
status "a damaged one does not count" 0 pgc backup prune --store "$P" --database app_staging --keep-last 1 --keep-min 0
is "... it stays, and the newest good one" "$(ids app_staging)" "09 10 "
touch "$P/main/app_staging/mine" "$P/main/app_staging/20260109T030000Z-aaaaaaaa"
status "spans count from the newest backup, not from now" 0 pgc backup prune --store "$P" --database app --keep-within 2d --keep-min 0
is "... those of two days" "$(ids app)" "02 09 10 "
is "... foreign files are untouched" "$(find "$P/main/app_staging" -name mine | wc -l)" 1
: > "$P/.pgc-tmp-0123456789abcdef"; touch -d '4 days ago' "$P/.pgc-tmp-0123456789abcdef"; : > "$P/.pgc-tmp-0000000000000000"
status "prune sweeps" 0 pgc backup prune --store "$P" --keep-last 100
is "... old unfinished uploads, not new ones" "$(find "$P" -name '.pgc-tmp-*' -printf '%f\n')" ".pgc-tmp-0000000000000000"
finish
