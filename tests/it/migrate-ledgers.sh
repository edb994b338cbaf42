#!/bin/bash
# Ledgers that the SQL of twelve other tools has made and filled: adopted, kept, copied, written beside the old tool.
. "$(dirname "$0")/../support/lib.sh"
python3 tests/it/migrate_ledgers.py "$PGBIN" "$T" > "$T/results" 2> "$T/errors" || fail 'the harness' "$(cat "$T/errors")"
while IFS= read -r line; do
  case $line in
  'ok '*) pass "${line#ok }" ;;
  *) fail "${line#not ok }" ;;
  esac
done < "$T/results"
finish
