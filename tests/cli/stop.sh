#!/bin/bash
# A program that reads standard input ends on SIGTERM and SIGINT although nobody writes and nobody closes the other end.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
cd "$T" || exit 1
export PGDATABASE=postgres
mkfifo in
# ends NAME SIGNAL STATUS CMD...: CMD reads a pipe that stays open.
ends() {
  local name=$1 signal=$2 want=$3 pid
  shift 3
  exec 9<> in
  # A shell's background process ignores SIGINT unless it is told otherwise.
  env --default-signal=INT "$@" < in > out 2> err 9>&- &
  pid=$!
  # The descriptors of the process tell that it has opened what it reads; then it has had time to come to the read.
  for _ in $(seq 100); do [[ $(cat "/proc/$pid/comm" 2> /dev/null) == pgc-* ]] && break; sleep 0.05; done
  sleep 0.5
  kill -s "$signal" $pid
  for _ in $(seq 200); do kill -0 $pid 2> /dev/null || break; sleep 0.1; done
  kill -0 $pid 2> /dev/null && { fail "$name ends on SIG$signal" "it still runs"; kill -KILL $pid; }
  wait $pid
  is "$name: status after SIG$signal" "$?" "$want"
  exec 9>&-
}
ends "pgc sql run -f -" TERM 143 pgc-sql run -f -
ends "pgc sql run -f -" INT 130 pgc-sql run -f -
ends "pgc sql run" TERM 143 pgc-sql run
ends "pgc sql split -" TERM 143 pgc-sql split -
ends "pgc lint -" TERM 143 pgc-lint -
ends "pgc lint -" INT 130 pgc-lint -
finish
