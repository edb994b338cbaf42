#!/bin/bash
# The whole story on a throw-away PostgreSQL (make demo): server, ready, init, migrate, seed, backup, restore, compare.
# Everything happens in one temporary folder, which is gone afterwards, also after Ctrl-C.
set -u
: "${B:?build folder}"
cd "$(dirname "$0")/.." || exit 1
for v in $(compgen -e | grep -E '^(PG[A-Z]|PGC_|POSTGRES_|DATABASE_URL)'); do [ "$v" = PGBIN ] || unset "$v"; done
PGBIN=$(tools/pgbin.sh) || exit 1
export PATH=$B/bin:$PATH
work=$(mktemp -d "${TMPDIR:-/tmp}/pgc-demo.XXXXXX") || exit 1
chmod 711 "$work" # run as root, the server runs as somebody else who must get to its folder
export TMPDIR=$work
running=''

# shellcheck disable=SC2317 # called by the trap
cleanup() {
  trap '' INT TERM
  [ -z "$running" ] || pgc testdb stop --all
  rm -rf "$work"
}
trap cleanup EXIT
trap 'echo; echo "interrupted: everything is cleaned up"; exit 130' INT
trap 'exit 143' TERM

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
ms() { echo $(($(date +%s%N) / 1000000)); }
title() { printf '%s%-8s%s %s\n' "$bold" "$1" "$plain" "$2"; }
say() { printf '%-8s %s\n' '' "$1"; }
# step NAME SHOWN CMD...: prints what is run, runs it, prints how long it took. Output is kept in $work/out.
step() {
  local name=$1 shown=$2 start; shift 2
  start=$(ms)
  if ! "$@" > "$work/out" 2> "$work/err"; then
    title "$name" "$shown"
    cat "$work/out" "$work/err" >&2
    echo "demo: the step '$name' failed" >&2
    exit 1
  fi
  title "$name" "$shown  ${dim}($(($(ms) - start)) ms)${plain}"
}
bytes() { numfmt --to=iec-i --suffix=B "$1"; }
query() { "$PGBIN/psql" -XAtq -d "$1" -c "$2"; }

begin=$(ms)
running=yes # a start that is interrupted cleans up itself
step server 'pgc testdb start --database app' pgc testdb start --no-cache --database app
DATABASE_URL=$(cat "$work/out")
export DATABASE_URL
say "PostgreSQL $(query "$DATABASE_URL" 'show server_version' | cut -d' ' -f1), its own folder, its own socket, no password, gone at the end"
step ready 'pgc ready --level write --wait 10s' pgc ready --level write --wait 10s
say "$(head -n 1 "$work/out")"
if [ -x "$B/bin/pgc-init" ]; then
  step init 'pgc init examples/demo/init' pgc init examples/demo/init
  say "$(tail -n 1 "$work/out")"
fi
step migrate 'pgc migrate up --dir examples/demo/migrations' pgc migrate up --dir examples/demo/migrations
say "$(tail -n 1 "$work/out")"
step seed 'pgc seed load examples/demo/seeds' pgc seed load examples/demo/seeds
say "$(tail -n 1 "$work/out"); the database has $(query "$DATABASE_URL" 'select pg_size_pretty(pg_database_size(current_database()))')"
step key 'pgc backup keygen -o key.txt' pgc backup keygen -o "$work/key.txt"
recipient=$(sed -n 's/^# public key: //p' "$work/key.txt")
say "$recipient"
step backup 'pgc backup run --store backups --recipient age1...' pgc backup run --store "$work/backups" --recipient "$recipient" --json
dump=$(find "$work/backups" -name 'dump.zst.age' -printf '%s\n' | head -n 1)
say "pg_dump -> zstd -> age -> folder: $(bytes "$dump") ($dump bytes), nothing readable in it without the key"
restore=(pgc restore --store "$work/backups" -i "$work/key.txt" --database app --into copy --create)
step restore 'pgc restore --store backups -i key.txt --database app --into copy --create' "${restore[@]}"
say "$(tail -n 1 "$work/out")"
step compare 'examples/demo/fingerprint.sql on app and on copy' \
  "$PGBIN/psql" -XAt -v ON_ERROR_STOP=1 -d "$DATABASE_URL" -f examples/demo/fingerprint.sql
mv "$work/out" "$work/app"
"$PGBIN/psql" -XAt -v ON_ERROR_STOP=1 -d "${DATABASE_URL/\/app/\/copy}" -f examples/demo/fingerprint.sql > "$work/copy" || exit 1
while IFS='|' read -r table rows hash; do
  other=$(grep -F "$table|" "$work/copy")
  if [ "$other" = "$table|$rows|$hash" ]; then verdict=equal; else verdict="DIFFERENT: $other"; fi
  say "$(printf '%-20s %8d rows  %-22s %s' "$table" "$rows" "$hash" "$verdict")"
done < "$work/app"
cmp -s "$work/app" "$work/copy" || { echo "demo: the databases differ" >&2; exit 1; }
[ "$(wc -l < "$work/app")" -ge 5 ] || { echo "demo: tables are missing" >&2; exit 1; }
title result "the restored database is the same; $(($(ms) - begin)) ms in all"
