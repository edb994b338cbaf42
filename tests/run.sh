#!/bin/bash
# Runs the tests: unit program, then tests/{cli,it,conformance}/*.sh, on a fresh throw-away PostgreSQL.
# run.sh [PATTERN...]: only scripts whose path matches a pattern ("unit" for the unit tests).
# Environment: B = build folder (required), JOBS = scripts side by side (default 2), RETRY=1 (see below), VERBOSE=1.
# Ends with the line "N passed, N failed, N skipped"; the exit status is 0 when nothing failed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
: "${B:?build folder}"
cd "$here/.." || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/pgc-tests.XXXXXX"); chmod 755 "$work"
cleanup() { tests/support/pg.sh stop "$work/server" 2> /dev/null; rm -rf "$work"; }
trap cleanup EXIT
trap 'exit 130' INT TERM
wanted() { [ ${#patterns[@]} -eq 0 ] && return 0; local p; for p in "${patterns[@]}"; do [[ $1 == *$p* ]] && return 0; done; return 1; }
patterns=("$@")
for v in $(compgen -e | grep -E '^(PG[A-Z]|PGC_|POSTGRES_|DATABASE_URL)' | grep -vE '^(PGBIN|PGC_TEST_.*)$'); do unset "$v"; done

vars=$(tests/support/pg.sh start "$work/server") || { echo "cannot start PostgreSQL" >&2; exit 1; }
for v in $vars; do export "${v?}"; done
export B CORPUS="${CORPUS:-$here/../../shared/corpus}" PATH="$B/bin:$PATH" LC_ALL=C.UTF-8 TZ=UTC
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0} LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$here/support/lsan.supp:print_suppressions=0}
passed=0 failed=0 skipped=0

if wanted unit; then
  T=$work/unit; mkdir -p "$T"; chmod 777 "$T"
  # A sanitizer's process is slow to fork; its findings end the one process all the same.
  [[ $B != */asan && $B != */ubsan ]] || export CK_FORK=no
  rc=0
  PGDATABASE=postgres T=$T "$B/tests/unit" > "$work/unit.out" 2>&1 || { rc=$?; grep -vE '^[0-9]+%: Checks: ' "$work/unit.out"; }
  line=$(grep -E '^[0-9]+%: Checks: ' "$work/unit.out" | tail -n 1)
  checks=$(sed -E 's/.*Checks: ([0-9]+).*/\1/' <<< "$line") bad=$(sed -E 's/.*Failures: ([0-9]+), Errors: ([0-9]+).*/\1 + \2/' <<< "$line")
  if [ -n "$line" ]; then failed=$((failed + bad)) passed=$((passed + checks - (bad))); echo "# unit $line"
  else failed=$((failed + 1)); echo "not ok - unit tests did not run"; tail -n 20 "$work/unit.out"; fi
  # A sanitizer's finding at the end of the process is no failed check.
  if [ -n "$line" ] && [ "$rc" -ne 0 ] && [ $((bad)) -eq 0 ]; then failed=$((failed + 1)); echo "not ok - unit tests ended with exit status $rc"; fi
fi

one() {
  local f=$1 n
  n=$(tr / - <<< "${f%.sh}")
  export T=$work/$n
  mkdir -p "$T"; chmod 777 "$T"
  timeout "${TEST_TIMEOUT:-900}" bash "$f" > "$work/$n.log" 2>&1
  echo $? > "$work/$n.rc"
  cat "$work/$n.log"
  rm -rf "$T"
}
export -f one; export work
scripts=()
for f in tests/cli/*.sh tests/it/*.sh tests/conformance/*.sh; do
  [ -e "$f" ] || continue
  [[ $f == */check-psql.sh ]] && [ -z "${WITH_CHECK_PSQL:-}" ] && continue
  wanted "$f" && scripts+=("$f")
done
[ ${#scripts[@]} -eq 0 ] || printf '%s\0' "${scripts[@]}" | xargs -0 -n 1 -P "${JOBS:-2}" bash -c 'one "$1"' _
# Scripts that failed beside others get a second chance alone when RETRY is set: a machine that is too busy is no news about
# the code, and the line says that it happened.
for f in "${scripts[@]}"; do
  n=$(tr / - <<< "${f%.sh}")
  if [ -z "${RETRY:-}" ] || [ "$(cat "$work/$n.rc")" -eq 0 ]; then continue; fi
  cp "$work/$n.log" "$work/$n.first"
  echo "# again, alone and on a fresh server: $f"
  tests/support/pg.sh stop "$work/server"
  rm -rf "$work/server"
  vars=$(tests/support/pg.sh start "$work/server") || { echo "cannot start PostgreSQL" >&2; exit 1; }
  for v in $vars; do export "${v?}"; done
  one "$f"
  [ "$(cat "$work/$n.rc")" -ne 0 ] || echo "flaky - $f failed beside others and passed alone: $(grep -c '^not ok' "$work/$n.first") checks"
done
for f in "${scripts[@]}"; do
  n=$(tr / - <<< "${f%.sh}")
  line=$(grep -E "^# $(basename "$f") [0-9]+ passed" "$work/$n.log" | tail -n 1)
  if [[ $line =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2])) skipped=$((skipped + BASH_REMATCH[3]))
  else
    failed=$((failed + 1)); echo "not ok - $f did not finish (exit status $(cat "$work/$n.rc"))"
  fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
