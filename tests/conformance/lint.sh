#!/bin/bash
# The corpus lint: every row's rule alone finds what the row says, on the lines it says.
# One run of pgc lint per rule, server version and transaction mode; deliberate differences stand in docs/lint-differences.md.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
need_corpus lint || finish
rows=$CORPUS/lint/lint.jsonl
doc=$(dirname "$0")/../../docs/lint-differences.md
mkdir -p "$T/sql"

# Row number n is the file n.sql; group: rule, version, mode.
n=0
while IFS= read -r sql; do n=$((n + 1)); printf '%s' "$sql" | base64 -d > "$T/sql/$n.sql"; done < <(jq -r '.sql | @base64' "$rows")
jq -r '[.rule, (.pg_version // 15), (.assume_in_transaction // false)] | @tsv' "$rows" | awk '{ print $0 "\t" NR }' > "$T/groups"
while IFS=$'\t' read -r rule version assume; do
  mapfile -t files < <(awk -F'\t' -v r="$rule" -v v="$version" -v a="$assume" -v t="$T/sql/" '$1 == r && $2 == v && $3 == a { print t $4 ".sql" }' "$T/groups")
  [ "$assume" = true ] && mode=--assume-in-transaction || mode=--no-assume-in-transaction
  pgc-lint --json --only "$rule" --pg-version "$version" "$mode" "${files[@]}" > "$T/out.json" 2>> "$T/stderr"
  jq -c '.findings[] | {file: (.file | split("/") | last | rtrimstr(".sql") | tonumber), line, rule}' "$T/out.json" >> "$T/found.jsonl"
done < <(cut -f 1-3 "$T/groups" | sort -u)
is "nothing on standard error" "$(cat "$T/stderr")" ""

# One line per row: name, then "ok" or what is wrong.
jq -n -r --slurpfile rows "$rows" --slurpfile found "$T/found.jsonl" '
  ($found | group_by(.file) | map({key: (.[0].file | tostring), value: .}) | from_entries) as $by |
  range($rows | length) as $i | $rows[$i] as $row | ($by[$i + 1 | tostring] // []) as $got |
  [ (if ($row.expect == "ok") != ($got == []) then "expected \($row.expect), found \($got | length)" else empty end),
    (if $row.violations and $row.violations != ($got | length) then "expected \($row.violations) findings, got \($got | length)" else empty end),
    (if $row.lines and ($row.lines | sort) != ([$got[].line] | sort) then "expected lines \($row.lines), got \([$got[].line])" else empty end),
    (if $row.reported_as and ($row.reported_as | sort) != ([$got[].rule] | unique | sort) then "expected as \($row.reported_as), got \([$got[].rule])" else empty end)
  ] | "\($row.name)\t\(if . == [] then "ok" else join("; ") end)"' > "$T/verdicts"
is "all rows were judged" "$(wc -l < "$T/verdicts")" "$(wc -l < "$rows")"
while IFS=$'\t' read -r name verdict; do
  if [ "$verdict" = ok ]; then pass "$name"
  elif grep -qF "\`$name\`" "$doc" 2> /dev/null; then skip "$name" "deliberate difference: $verdict"
  else fail "$name" "$verdict"
  fi
done < "$T/verdicts"
finish
