#!/bin/bash
# make demo: the whole story holds, and nothing stays, also after Ctrl-C.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
export TMPDIR=$T
left() { find "$T" -maxdepth 1 -name 'pgc-demo.*' | wc -l; }
alive() { pgrep -f "$T/pgc-demo" | wc -l; }

status "the demo" 0 tools/demo.sh
like "ends with equal databases" "$OUT" 'the restored database is the same'
is "five tables and the ledgers are compared" "$(grep -c ' equal$' <<< "$OUT" | awk '{ print ($1 >= 7) }')" 1
like "rows of a year" "$OUT" 'shop.order_lines +200000 rows'
is "some twenty lines" "$(wc -l <<< "$OUT" | awk '{ print ($1 >= 15 && $1 <= 32) }')" 1
unlike "no secret key in it" "$OUT" 'AGE-SECRET-KEY'
is "nothing is left" "$(left)$(alive)" "00"

# A terminal sends SIGINT to the whole group; an asynchronous job would ignore it.
for s in 0.3 1.2 4; do
  setsid env --default-signal=INT tools/demo.sh > "$T/out" 2>&1 & pid=$!
  sleep "$s"
  kill -INT -- "-$pid"
  wait "$pid"; rc=$?
  is "Ctrl-C after $s s: exit status" "$rc" 130
  for _ in $(seq 40); do [ "$(alive)" = 0 ] && break; sleep 0.1; done
  is "Ctrl-C after $s s: nothing is left" "$(left)$(alive)" "00"
done
finish
