#!/bin/bash
# Splitting as psql does: every case of sqlsplit with a psql list, every file of pgregress with a recorded split.
. tests/support/lib.sh
need_corpus sqlsplit || finish
need_corpus pgregress || finish
want=$(($(grep -l '"psql": \[' "$CORPUS"/sqlsplit/*/expected.json | wc -l) + $(grep -LE '"queries": ?null' "$CORPUS"/pgregress/*.json | wc -l)))
run "$B/tests/unit" split_corpus
is "status" "$RC" 0
like "every case splits as recorded" "$OUT" "100%: Checks: $want, Failures: 0, Errors: 0"
is "nothing was skipped" "$(grep -c skipped <<< "$ERR")" 0
finish
