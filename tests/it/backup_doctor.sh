#!/bin/bash
# pgc backup doctor: a good store passes and is left empty; each fault is named, with the exit status of its kind.
# shellcheck source=tests/support/lib.sh
. tests/support/lib.sh
status "no store" 64 pgc-backup doctor
status "a folder" 0 pgc-backup doctor --store "$T/store"
is "a folder: eight steps" "$(grep -c '^ok ' <<< "$OUT")" 8
is "a folder: nothing is left" "$(find "$T/store" -type f | wc -l)" 0
mkdir -p "$T/store"
status "JSON" 0 pgc-backup doctor --store "$T/store" --json
is "JSON: parses" "$(python3 -c 'import json,sys; d=json.load(sys.stdin); print(d["ok"], [s["step"] for s in d["steps"]])' <<< "$OUT")" \
  "True ['attach', 'put', 'get', 'range', 'list', 'abort', 'multipart', 'delete']"

# shellcheck source=tests/support/fault-s3.sh
. tests/support/fault-s3.sh
OPTIONS='part_size=64KiB&attempts=2&stall=2s'
left() { ask _state | python3 -c 'import json,sys; d=json.load(sys.stdin); print(len(d["objects"]), len(d["uploads"]))'; }
serve
status "S3" 0 pgc-backup doctor --store "$URL"
is "S3: nothing is left" "$(left)" "0 0"
like "S3: multipart was tried" "$(counter POST)" '^[3-9]$'
serve bad-signature
status "signature" 77 pgc-backup doctor --store "$URL"
like "signature: own canonical request" "$OUT" 'as signed here:.PUT./bkt/p/pgc-doctor'
like "signature: the server's" "$OUT" 'as the server computed it:.PUT./bkt/p/pgc-doctor'
like "signature: compared" "$OUT" 'both canonical requests are equal: the secret key'
serve s3code:403:AccessDenied:1:0
status "no right to multipart" 77 pgc-backup doctor --store "$URL"
like "no right to multipart: named" "$OUT" 'FAILED +abort .*AccessDenied'
is "no right to multipart: nothing is left" "$(left)" "0 0"
for row in put:put:s3:PutObject get:get:s3:GetObject list:list:s3:ListBucket uploads:abort:s3:ListBucketMultipartUploads delete:delete:s3:DeleteObject; do
  IFS=: read -r op step right <<< "$row"
  serve "deny:$op"
  status "403 for $op" 77 pgc-backup doctor --store "$URL" --json
  is "403 for $op: step and right" "$(jq -r --arg r "$right" '[.steps[] | select(.ok | not)][0] | .step, (.advice | contains($r)), (.error | contains("AccessDenied"))' <<< "$OUT" | xargs)" "$step true true"
done
serve clock:1200
status "clock 20 minutes late: good all the same" 0 pgc-backup doctor --store "$URL"
like "clock 20 minutes late: is told" "$ERR" 'the clock differs from the server.s'
serve
status "no such bucket" 78 pgc-backup doctor --store "s3://none/p?endpoint=http://127.0.0.1:$PORT"
like "no such bucket: what to do" "$OUT" 'NoSuchBucket.*create the bucket first'
serve complete200:InternalError:0
status "multipart that never completes" 75 pgc-backup doctor --store "$URL"
like "multipart that never completes: named" "$OUT" 'FAILED +multipart '
is "multipart that never completes: nothing is left" "$(left)" "0 0"
stop
status "nobody answers" 69 pgc-backup doctor --store "$URL"
like "nobody answers: advice" "$OUT" 'check the host, the port'
unlike "the secret is nowhere" "$OUT$ERR" 'SK'
finish
