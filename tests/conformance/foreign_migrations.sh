#!/bin/bash
# Every case of corpus foreign-migrations: planned, applied with its own ledger, nothing pending afterwards.
. "$(dirname "$0")/../support/lib.sh"
need_corpus foreign-migrations || finish
python3 tests/conformance/foreign_migrations.py "$CORPUS" "$PGBIN" "$T" > "$T/results" 2> "$T/errors" || fail 'the harness' "$(cat "$T/errors")"
name=''; cp "$T/results" "$T/all"
while IFS= read -r line; do
  case $line in
  'ok '*) pass "${line#ok }" ;;
  'not ok '*) name=${line#not ok }; fail "$name" "$(sed -n "/^not ok $name\$/,/^\(not \)\?ok /p" "$T/all" | sed '1d;$d')" ;;
  esac
done < "$T/results"
finish
