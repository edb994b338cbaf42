#!/bin/bash
# fuzz.sh DIR SECONDS: runs every fuzz target in DIR for SECONDS each. Corpora grow in build/fuzz-corpus/<target>, findings are
# left in build/fuzz-findings/; one makes the exit status non-zero. ONLY=fuzz_age picks one target.
set -u
[ $# -eq 2 ] || { echo "usage: fuzz.sh DIR SECONDS" >&2; exit 64; }
dir=$1 seconds=$2
top=$(cd "$(dirname "$0")/.." && pwd)
corpus=$top/build/fuzz-corpus findings=$top/build/fuzz-findings
shared=${CORPUS:-$top/../shared/corpus}
export LSAN_OPTIONS=suppressions=$top/tests/support/lsan.supp:print_suppressions=0
failed=0
mkdir -p "$findings"

seeds() { # what a target begins with when its corpus folder is new
  local target=$1 into=$2
  case $target in
  fuzz_age) [ -d "$shared/age" ] && for f in "$shared"/age/*; do
      grep -aq '^compressed' "$f" || sed '1,/^$/d' "$f" > "$into/$(basename "$f")"
    done
    printf 'r0123456789' > "$into/round-trip"; printf 'R0123456789' > "$into/round-trip-armor"
    printf 'kage1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj\n' > "$into/recipient"
    printf 'babcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw' > "$into/bech32" ;;
  fuzz_zstd_pull) printf 'some text some text some text' | zstd -q > "$into/frame" 2> /dev/null
    printf 'rsome text some text' > "$into/round-trip" ;;
  fuzz_lint) cp "$top"/tests/golden/lint/*.sql "$top"/tests/fuzz/seeds/fuzz_lint/* "$into/" ;;
  fuzz_lexer) for f in "$shared"/sqlsplit/*/input.sql; do # the first byte: with variables
      [ -e "$f" ] && { printf '!'; cat "$f"; } > "$into/$(basename "$(dirname "$f")")"
    done ;;
  fuzz_slash) printf '\020 set v \140echo HOME\140 :x :\047x\047 \047a\134n\047 "q"' > "$into/set"
    printf '\024 copy (select 1) to program \047x\047 csv' > "$into/copy"; printf '\023 |cat \134\134 c' > "$into/file" ;;
  fuzz_cron) printf '30 2 * * mon-fri\nCET-1CEST,M3.5.0,M10.5.0/3' > "$into/fields"
    printf '0 0 L-2,15W * fri#2\n<-03>3' > "$into/special"; printf '@every 90m\nTZif2' > "$into/every"
    { echo '*/5 1-3 1,*/7 jan *'; cat /usr/share/zoneinfo/Australia/Lord_Howe; } > "$into/file" 2> /dev/null ;;
  *) [ -d "$top/tests/fuzz/seeds/$target" ] && cp "$top/tests/fuzz/seeds/$target"/* "$into/" ;;
  esac
  return 0
}

for program in "$dir"/fuzz_*; do
  [ -x "$program" ] || continue
  target=$(basename "$program")
  [ -z "${ONLY:-}" ] || [ "$ONLY" = "$target" ] || continue
  if [ ! -d "$corpus/$target" ]; then mkdir -p "$corpus/$target"; seeds "$target" "$corpus/$target"; fi
  echo "# $target, $seconds s"
  if "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 -max_len=200000 -print_final_stats=0 \
    -artifact_prefix="$findings/$target-" "$corpus/$target" > "$findings/$target.log" 2>&1; then
    tail -n 1 "$findings/$target.log"
  else
    failed=$((failed + 1))
    echo "not ok - $target: see $findings/$target.log"
    tail -n 25 "$findings/$target.log"
  fi
done
[ "$failed" -eq 0 ]
