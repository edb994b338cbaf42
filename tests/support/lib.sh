# shellcheck shell=bash
# Test functions for shell tests. A test script sources this file, calls the functions below and ends with `finish`.
#   ok NAME CMD...             passes when CMD exits 0
#   is NAME GOT WANT           passes when the texts are equal
#   like NAME GOT REGEX        passes when GOT matches the extended regular expression
#   unlike NAME GOT REGEX      passes when it does not
#   run CMD...                 runs CMD; stdout in $OUT, stderr in $ERR, exit status in $RC
#   status NAME WANT CMD...    run, and passes when the exit status is WANT
#   comes NAME WANT CMD...    passes when CMD prints WANT within 20 s
#   own_server                 a server of this script alone, for what others must not see or disturb; ends with the script
#   skip NAME CAUSE            counts as skipped and prints the cause
# Given by tests/run.sh: $B (build folder, its bin/ is first in PATH), $T (own temporary folder of this script),
# PGHOST PGPORT PGUSER of a throw-away server (superuser, trust on the socket), $PGBIN (real PostgreSQL binaries),
# $CORPUS (conformance data, may be absent: use need_corpus).
set -u
# shellcheck disable=SC2034 # read by the scripts
PASSED=0 FAILED=0 SKIPPED=0 OUT='' ERR='' RC=0

pass() { PASSED=$((PASSED + 1)); [ -z "${VERBOSE:-}" ] || echo "ok - $1"; }
fail() {
  FAILED=$((FAILED + 1))
  echo "not ok - $(basename "$0"): $1"
  shift
  [ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/    /'
}
skip() { SKIPPED=$((SKIPPED + 1)); echo "skipped - $(basename "$0"): $1: $2"; }
run() {
  "$@" > "$T/.out" 2> "$T/.err" < "${STDIN:-/dev/null}"
  RC=$?
  OUT=$(cat "$T/.out"; echo x) OUT=${OUT%x} OUT=${OUT%$'\n'}
  ERR=$(cat "$T/.err"; echo x) ERR=${ERR%x} ERR=${ERR%$'\n'}
}
ok() { local n=$1; shift; run "$@"; if [ "$RC" -eq 0 ]; then pass "$n"; else fail "$n" "exit status $RC" "$OUT" "$ERR"; fi; }
status() {
  local n=$1 want=$2; shift 2
  run "$@"
  if [ "$RC" -eq "$want" ]; then pass "$n"; else fail "$n" "exit status $RC, wanted $want" "$OUT" "$ERR"; fi
}
is() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got:    $2" "wanted: $3"; fi; }
like() { if [[ $2 =~ $3 ]]; then pass "$1"; else fail "$1" "got:    $2" "wanted: /$3/"; fi; }
unlike() { if [[ $2 =~ $3 ]]; then fail "$1" "got:    $2" "unwanted: /$3/"; else pass "$1"; fi; }
# comes NAME WANT CMD...: passes when CMD prints WANT within 20 s; for what another process does in its own time.
comes() {
  local n=$1 want=$2 got=''; shift 2
  for _ in $(seq 100); do got=$("$@" 2>&1); [ "$got" != "$want" ] || break; sleep 0.2; done
  is "$n" "$got" "$want"
}
sql() { "$PGBIN/psql" -XAtq -v ON_ERROR_STOP=1 "$@"; }           # sql -d DB -c 'select 1'
new_db() { "$PGBIN/psql" -XAtq -d postgres -c "create database \"$1\""; }
SUPPORT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
own_server() {
  local vars v
  vars=$("$SUPPORT/pg.sh" start "$T/own") || { fail "own server" "$vars"; finish; }
  for v in $vars; do export "${v?}"; done
  trap '"$SUPPORT/pg.sh" stop "$T/own"' EXIT
}
need_corpus() {                                                   # need_corpus sqlsplit || finish
  [ -d "$CORPUS/$1" ] && return 0
  skip "corpus $1" "$CORPUS/$1 is absent"
  return 1
}
finish() {
  echo "# $(basename "$0") $PASSED passed, $FAILED failed, $SKIPPED skipped"
  [ "$FAILED" -eq 0 ]
  exit
}
