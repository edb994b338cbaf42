#!/bin/bash
# Every signature vector of the corpus: canonical request, string to sign, signature, request; by header and by query.
. tests/support/lib.sh
need_corpus sigv4 || finish
want=$(find "$CORPUS/sigv4" -mindepth 1 -maxdepth 1 -type d | wc -l)
run "$B/tests/unit" sigv4_corpus
is "status" "$RC" 0
like "every vector was signed" "$OUT" "100%: Checks: $want, Failures: 0, Errors: 0"
is "nothing was skipped" "$(grep -c skipped <<< "$ERR")" 0
finish
