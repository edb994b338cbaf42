#!/bin/bash
# pgc backup next, keep: exact output and exit statuses.
. tests/support/lib.sh

# --- next ---
status "next" 0 pgc backup next --schedule '30 2 * * *' --tz Europe/Berlin --from 2024-03-30T00:00:00Z --count 3
is "... in the zone, the gap is made up for" "$OUT" '2024-03-30T02:30:00+01:00
2024-03-31T03:00:00+02:00
2024-04-01T02:30:00+02:00'
status "next in UTC" 0 pgc backup next --schedule @daily --tz UTC --from 2024-12-31T12:00:00+01:00 --count 2
is "... with Z" "$OUT" $'2025-01-01T00:00:00Z\n2025-01-02T00:00:00Z'
status "zone in the expression" 0 env -u TZ pgc backup next --schedule 'CRON_TZ=Asia/Kolkata 0 6 * * *' --from 2024-01-01T00:00:00Z --count 1
is "... is the zone shown" "$OUT" 2024-01-01T06:00:00+05:30
status "TZ of the environment" 0 env TZ=Asia/Kolkata pgc backup next --schedule '0 6 * * *' --from 2024-01-01T00:00:00Z --count 1
is "... holds without --tz" "$OUT" 2024-01-01T06:00:00+05:30
status "next --json" 0 pgc backup next --schedule '0 0 L * *' --from 2024-02-01T00:00:00Z --count 2 --json
is "... one object" "$OUT" '{"schedule":"0 0 L * *","next":["2024-02-29T00:00:00Z","2024-03-31T00:00:00Z"]}'
status "never" 0 timeout 10 pgc backup next --schedule '0 0 31 2 *' --from 2024-02-01T00:00:00Z
is "... prints nothing" "$OUT" ''
is "... and says so" "$ERR" "pgc-backup next: '0 0 31 2 *' never activates"
status "never, either day field" 0 timeout 10 pgc backup next --schedule '0 0 30W 2 *' --from 2024-02-01T00:00:00Z --json
is "... as JSON" "$OUT" '{"schedule":"0 0 30W 2 *","next":[]}'
status "bad expression: 64" 64 pgc backup next --schedule '61 * * * *'
like "... names the field" "$ERR" "minute '61'"
status "too few fields: 64" 64 pgc backup next --schedule '* * * *'
status "no expression: 64" 64 pgc backup next
status "unknown zone: 64" 64 pgc backup next --schedule @daily --tz Europe/Nowhere
like "... clear" "$ERR" "unknown time zone 'Europe/Nowhere'"
status "unknown zone in the expression: 64" 64 pgc backup next --schedule 'TZ=Nowhere @daily'
status "zone as a path: 64" 64 pgc backup next --schedule @daily --tz ../../../etc/passwd
status "bad time: 64" 64 pgc backup next --schedule @daily --from yesterday
status "bad count: 64" 64 pgc backup next --schedule @daily --count 0
TZDIR=$T/none run pgc backup next --schedule @daily --tz UTC --from 2024-01-01T00:00:00Z --count 1
is "UTC needs no tzdata" "$OUT" 2024-01-02T00:00:00Z

# --- keep ---
printf '2026-01-0%s:00:00Z\n' 1T01 2T01 3T01 3T02 4T01 5T01 > "$T/times"
STDIN=$T/times status "keep" 0 pgc backup keep --keep-daily 2
is "... newest first, floor of three" "$OUT" $'keep\t2026-01-05T01:00:00Z\tdaily snapshot
keep\t2026-01-04T01:00:00Z\tdaily snapshot
keep\t2026-01-03T02:00:00Z\tminimum of 3
remove\t2026-01-03T01:00:00Z
remove\t2026-01-02T01:00:00Z
remove\t2026-01-01T01:00:00Z'
STDIN=$T/times status "keep without floor" 0 pgc backup keep --keep-last 1 --keep-weekly 9 --keep-min 0
is "... several reasons" "$OUT" $'keep\t2026-01-05T01:00:00Z\tlast snapshot, weekly snapshot
keep\t2026-01-04T01:00:00Z\tweekly snapshot
remove\t2026-01-03T02:00:00Z
remove\t2026-01-03T01:00:00Z
remove\t2026-01-02T01:00:00Z
keep\t2026-01-01T01:00:00Z\toldest weekly snapshot'
STDIN=$T/times status "keep --json" 0 pgc backup keep --keep-last 1 --keep-min 0 --json
is "... one object a line" "$(head -n 2 <<< "$OUT")" '{"action":"keep","time":"2026-01-05T01:00:00Z","reasons":["last snapshot"]}
{"action":"remove","time":"2026-01-04T01:00:00Z","reasons":[]}'
STDIN=$T/times status "no policy" 0 pgc backup keep
is "... removes nothing" "$(cut -f 1,3 <<< "$OUT" | sort | uniq -c | tr -s ' ')" $' 6 keep\tpolicy is empty'
STDIN=$T/times status "all" 0 pgc backup keep --keep-hourly -1
is "... is kept" "$(grep -c ^keep <<< "$OUT")" 6
printf '# comment\n\n2026-01-01T00:00:00+01:00\r\n2026-01-01T00:00:00Z' > "$T/odd"
STDIN=$T/odd status "comments, offsets, no last line feed" 0 pgc backup keep --keep-last 9
is "... the text as given" "$(cut -f 2 <<< "$OUT")" $'2026-01-01T00:00:00Z\n2026-01-01T00:00:00+01:00'
status "nothing in, nothing out" 0 pgc backup keep --keep-last 1
is "... empty" "$OUT" ''
printf '2026-01-01T00:00:00Z\nyesterday\n' > "$T/bad"
STDIN=$T/bad status "not a time: 65" 65 pgc backup keep --keep-last 1
like "... with its line" "$ERR" "line 2: 'yesterday'"
is "... and no output" "$OUT" ''
status "bad count: 64" 64 pgc backup keep --keep-daily -2
status "bad span: 64" 64 pgc backup keep --keep-within 5x
like "... names the option" "$ERR" '^pgc-backup keep: --keep-within: '
finish
