#!/bin/bash
# pgc backup run killed with SIGKILL, by schedule and at random moments (PGC_TEST_KILLS, 20): the next run tidies up.
# shellcheck disable=SC2317 # functions are called by name
# shellcheck source=tests/support/lib.sh
. tests/support/lib.sh
# shellcheck source=tests/support/fault_matrix.sh
. tests/support/fault_matrix.sh

# --- by schedule: failure is told, retention does not run -------------------------------------------------------
by_schedule() { # by_schedule NAME ARG...: one run of the scheduler; then SIGTERM
  python3 - "$S" "$recipient" "$@" << 'P' > jobs.json
import json, sys
store, key, name, *args = sys.argv[1:]
print(json.dumps({"jobs": [{"name": name, "schedule": "@every 1h", "run_on_start": True, "catch_up": False,
    "args": ["--store", store, "-r", key, "--database", "bm_app", *args], "prune": ["--keep-last", "1", "--keep-min", "0"]}]}))
P
  pgc-backup schedule --config jobs.json --no-listen --notify "http://127.0.0.1:$sink/" > out 2> err & RUN=$!
}
end_schedule() { kill -TERM "$RUN"; wait "$RUN"; }
is "a second backup" "$(backup --store "$S" -r "$recipient" -d bm_app > /dev/null; echo $?)" 0
remember
by_schedule 'scheduled failure' --client-dir "$T/fails"
comes "scheduled failure: told" 1 told 'scheduled failure'
end_schedule
is "scheduled failure: nothing new is visible" "$(visible)" "$listed"
is "scheduled failure: earlier backups are untouched, retention did not run" "$(sums)" "$kept"
by_schedule 'scheduled kill' --bandwidth-limit 300kB
for _ in $(seq 400); do in_the_middle && break; sleep 0.05; done
kill -9 "$(pgrep -P "$RUN")"
comes "scheduled kill -9: told" 1 told 'scheduled kill'
end_schedule
is "scheduled kill -9: nothing new is visible" "$(visible)" "$listed"
is "scheduled kill -9: earlier backups are untouched, retention did not run" "$(sums | grep -vF /.pgc-tmp-)" "$kept"
comes "scheduled kill -9: no session is left on the server" 0 sessions
is "scheduled kill -9: no process is left" "$(clients)" ""

# --- kill -9 of pgc: the next run tidies up ---------------------------------------------------------------------
again() { pgc backup run --progress none --store "$S" -r "$recipient" -d bm_small "$@"; }
orphans() { find "$S" -name '.pgc-tmp-*'; for d in "$S"/main/*/*/; do [ -e "$d/manifest.json" ] || echo "$d"; done; }
is "a run under way keeps what is its own" "$(pgc backup run --progress none --store "$S" -r "$recipient" -d bm_app --bandwidth-limit 4MB > out 2>&1 & slow=$!
  for _ in $(seq 400); do in_the_middle && break; sleep 0.05; done
  backup --store "$S" -r "$recipient" -d bm_app > /dev/null; wait $slow; echo $?)" 0
folder=$(find "$S/main/bm_small" -mindepth 1 -maxdepth 1 | head -n 1)
cp -r "$folder" "${folder%-*}-00000000"; rm "${folder%-*}-00000000/manifest.json"
again > /dev/null
ok "young artefacts without a manifest stay" test -e "${folder%-*}-00000000/dump.zst.age"
status "old ones go" 0 again --sweep-after 1ms
like "... is told" "$ERR" 'leftovers of killed runs removed'
ok "those of another database stay" test -n "$(orphans)"
status "... until it has its turn" 0 again --sweep-after 1ms -d bm_app
is "... nothing is left of them" "$(orphans)" ""
bad=0 hits=0 kills=${PGC_TEST_KILLS:-20} kept=$(sums)
for ((k = 0; k < kills; k++)); do
  exec 3> /dev/null
  (exec pgc-backup run --progress none --store "$S" -r "$recipient" -d bm_small) > /dev/null 2>&3 & RUN=$!
  sleep "0.$(printf %03d $((RANDOM % 400)))"
  kill -9 $RUN 2> /dev/null && hits=$((hits + 1))
  wait $RUN 2> /dev/null
  [ -z "$(comm -23 <(echo "$kept") <(sums))" ] || { bad=$((bad + 1)); fail "kill $k: an earlier backup was touched"; }
  [ "$(visible | grep -c DAMAGED)" = 0 ] || { bad=$((bad + 1)); fail "kill $k: a half backup is visible" "$(visible)"; }
  again --sweep-after 1ms > out 2> err || { bad=$((bad + 1)); fail "kill $k: the next run" "$(cat err)"; }
  [ -z "$(orphans)" ] || { bad=$((bad + 1)); fail "kill $k: leftovers after the next run" "$(orphans)"; }
  kept=$(sums)
done
is "kill -9 at $kills random moments" "$bad" 0
ok "... $hits of them hit" test "$hits" -gt 0
comes "... no session is left on the server" 0 sessions
comes "... no process is left" "" clients
finish
