#!/bin/bash
# Every rule has a file tests/golden/lint/RULE.sql; its `-- expect: RULE LINE` comments are exactly what the rule finds in it.
# A comment `-- options: ...` adds options of pgc lint.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
golden=$(dirname "$0")/../golden/lint
for rule in $(pgc-lint rules --json | jq -r '.[].id'); do
  file=$golden/$rule.sql
  [ -e "$file" ] || { fail "$rule has a golden file" "$file is absent"; continue; }
  read -r -a options < <(sed -n 's/^-- options: //p' "$file"; echo)
  run pgc-lint --json --only "$rule" --no-assume-in-transaction "${options[@]}" "$file"
  is "$rule" "$(jq -r '.findings[] | "\(.rule) \(.line)"' <<< "$OUT" | sort)" "$(sed -n 's/^-- expect: //p' "$file" | sort)"
done
is "no golden file without a rule" "$(basename -s .sql -a "$golden"/*.sql | sort)" "$(pgc-lint rules --json | jq -r '.[].id' | sort)"
finish
