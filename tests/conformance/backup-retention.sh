#!/bin/bash
# Every policy of the retention corpus through `pgc backup keep`: what is kept and removed, and all reasons.
. tests/support/lib.sh
need_corpus retention || finish
command -v jq > /dev/null || { skip "corpus retention" "jq is not installed"; finish; }
dir=$CORPUS/retention
jq -r '.[] | .time + "\t" + ((.tags // []) | join(","))' "$dir/snapshots.json" > "$T/input"
total=$(wc -l < "$T/input")
for file in "$dir"/*.json; do
  name=$(basename "$file" .json)
  [ "$name" != snapshots ] || continue
  mapfile -t args < <(jq -r '.policy | to_entries[] | (.key | gsub("_"; "-")) as $k
    | if $k == "keep-tags" then .value[] | "--keep-tag=" + join(",") else "--" + $k + "=" + (.value | tostring) end' "$file")
  pgc backup keep --keep-min 0 "${args[@]}" < "$T/input" > "$T/out" 2> "$T/err"
  RC=$?
  is "$name: exit status" "$RC $(cat "$T/err")" "0 "
  is "$name: kept, with reasons" "$(sed -n 's/^keep\t//p' "$T/out")" \
    "$(jq -r '.keep[] | .time + "\t" + (.reasons | join(", "))' "$file")"
  is "$name: counts" "$(grep -c ^keep "$T/out") $(grep -c ^remove "$T/out")" "$(jq -r '"\(.kept) \(.removed)"' "$file")"
  is "$name: every line" "$(cut -f 2 "$T/out" | sort)" "$(cut -f 1 "$T/input" | sort)"
  is "$name: newest first" "$(cut -f 2 "$T/out" | tr -d Z)" "$(cut -f 2 "$T/out" | tr -d Z | sort -r)"
done
is "all snapshots" "$(wc -l < "$T/out")" "$total"
finish
