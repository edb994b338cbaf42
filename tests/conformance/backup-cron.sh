#!/bin/bash
# Every row of the cron corpus through `pgc backup next`. The policy is cronie's; rows that cronie refuses or does not know (`?`, n/step,
# TZ= prefix) are syntax that pgc takes in addition: there robfig's value is the right one.
. tests/support/lib.sh
need_corpus cron || finish

row() {
  local id=$1 expr=$2 tz=$3 start=$4 robfig=$5 cronie=$6 want
  want=${cronie:-$robfig}
  expr=${expr//'\t'/$'\t'}
  if [ "$want" = ERROR ]; then status "$id '$expr' is refused" 64 pgc backup next --schedule "$expr" --tz "$tz" --from "$start"; return; fi
  [ "$want" != NEVER ] || want=''
  read -ra wanted <<< "$want"
  run pgc backup next --schedule "$expr" --tz "$tz" --from "$start" --count "$((${#wanted[@]} > 0 ? ${#wanted[@]} : 1))"
  is "$id '$expr' $tz $start" "$RC ${OUT//$'\n'/ }" "0 $want"
}

# read takes neighbouring tabs for one: a unit separator stands between the columns instead.
while IFS=$'\x1f' read -r id expr tz start robfig cronie _; do
  [ "$id" = id ] || row "$id" "$expr" "$tz" "$start" "$robfig" "$cronie"
done < <(tr '\t' '\037' < "$CORPUS/cron/cron.tsv")
finish
