#!/bin/bash
# Every measurement in turn: run.sh [PATTERN...] (ready migrate script backup). Each starts a server of its own, compares with
# what people would use instead in the same run, and prints ratios: below 1 is better than that.
set -u
cd "$(dirname "$0")" || exit 1
: "${B:?build folder}"
../../tools/deps.sh ensure build test bench || exit $?
bad=0
for f in ready migrate script backup; do
  wanted=$#
  for p; do [[ $f == *$p* ]] && wanted=0; done
  [ "$wanted" -eq 0 ] || continue
  echo "== $f"
  bash "./$f.sh" || bad=1
done
exit $bad
