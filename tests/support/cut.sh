# shellcheck shell=bash
# Breaking connections to a store, for shell tests; a script sources this after lib.sh and calls `uncut` in its EXIT trap.
#   cut_off TARGET_PORT FATE...   starts the proxy (tests/support/cut-proxy.py); CUT is its port
CUT='' CUT_PID=''
uncut() { [ -z "$CUT_PID" ] || { kill "$CUT_PID" 2> /dev/null; wait "$CUT_PID" 2> /dev/null; }; CUT_PID=''; }
cut_off() {
  uncut
  rm -f "$T/cut" "$T/cut.log"
  python3 tests/support/cut-proxy.py "$T/cut" "$@" > "$T/cut.err" 2>&1 &
  CUT_PID=$!
  for _ in $(seq 200); do [ -s "$T/cut" ] && break; sleep 0.05; done
  # shellcheck disable=SC2034 # read by the scripts
  CUT=$(cat "$T/cut")
}
