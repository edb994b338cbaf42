#!/bin/bash
# goose's and Atlas's ways to divide a file into statements.
. "$(dirname "$0")/../support/lib.sh"
need_corpus sqlsplit || finish
python3 tests/conformance/migrate_split.py "$CORPUS" > "$T/results" 2> "$T/errors" || fail 'the harness' "$(cat "$T/errors")"
while IFS= read -r line; do
  case $line in
  'ok '*) pass "${line#ok }" ;;
  *) fail "${line#not ok }" ;;
  esac
done < "$T/results"
finish
