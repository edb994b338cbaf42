#!/bin/bash
# The fault matrix of pgc backup run: the S3 server goes wrong; see tests/support/fault_matrix.sh.
# shellcheck disable=SC2317 # functions are called by name
# shellcheck source=tests/support/lib.sh
. tests/support/lib.sh
# shellcheck source=tests/support/fault_matrix.sh
. tests/support/fault_matrix.sh

S3_PID=''
trap 'kill $S3_PID "${HELPERS[@]}" 2> /dev/null; "$home/tests/support/pg.sh" stop "$T/own"' EXIT
serve() { # serve FAULT...: a fresh S3 server with one small backup in it
  [ -z "$S3_PID" ] || { kill "$S3_PID"; wait "$S3_PID" 2> /dev/null; }
  rm -f port
  python3 "$home/tests/support/fault_s3.py" "$T/port" "$@" > s3.log 2>&1 & S3_PID=$!
  for _ in $(seq 200); do [ -s port ] && break; sleep 0.05; done
  S3_PORT=$(cat port) URL="s3://bkt/p?endpoint=http://127.0.0.1:$(cat port)&part_size=64KiB&attempts=2&stall=2s"
  run pgc backup run --progress none --store "$URL" -r "$recipient" -d bm_small
  is "S3 $1: a small backup before" "$RC" 0
  remember
}
while read -r want fault words; do
  serve "$fault"
  row "S3 $fault" "$want" "$words" -d bm_app
done << 'FAULTS'
75 status:500:2:0 500
75 status:503:7:0 503
75 status:429:3:0 429
77 status:403:5:0 403
75 middle:4:0 .
75 last:2:0 .
75 complete200:InternalError:0 InternalError
1 liar-complete .
65 liar-size bytes
75 lost-create:0 .
1 max-parts:8 .
1 full 507
FAULTS

# --- a signal when some artefacts are visible already ------------------------------------------------------------
new_db bm_mid
sql -d bm_mid -c "create table t as select md5(i::text) || md5((-i)::text) x from generate_series(1, 8000) i"
serve slow:1
(exec pgc-backup run --progress none --notify "http://127.0.0.1:$sink/" --store "$URL" -r "$recipient" -d bm_mid --job 'late signal') > out 2> err & RUN=$!
half() { s3_state | grep -c 'main/bm_mid/.*globals'; }
comes "late signal: some artefacts are there" 1 half
kill -TERM $RUN; wait $RUN
five 'late signal' 143 $?
finish
