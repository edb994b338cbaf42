#!/bin/bash
# The S3 store against a server that misbehaves: either the retries succeed, or the result is an error, nothing is visible and
# nothing is left open. The server checks signatures and hashes with its own code.
# shellcheck source=tests/support/lib.sh
. tests/support/lib.sh
command -v python3 > /dev/null || { skip "fault server" "python3 is missing"; finish; }
# shellcheck source=tests/support/fault-s3.sh
. tests/support/fault-s3.sh
good() { # good NAME: an object of five parts is written, read back, and nothing is open
  is "$1: written" "$(probe 'put k 300000')" 'result OK'
  is "$1: one object, nothing open" "$(state)" "{'p/k': 300000} []"
  is "$1: comes back" "$(probe 'get k 300000')" 'result OK'
}
bad() { # bad NAME CODE: it fails with that code, nothing is visible, nothing open
  like "$1: fails" "$(probe 'put k 300000')" "^result $2: "
  is "$1: nothing visible, nothing open" "$(state)" "{} []"
}

serve; good "no fault"
for code in 408 429 500 502 503 504; do serve "status:$code:3:2"; good "$code twice at part 3"; done
serve status:503:1:0; bad "503 for ever at part 1" TEMPORARY
serve status:403:5:0; bad "403 at the last part" AUTH
serve s3code:400:RequestTimeout:2:1; good "RequestTimeout"
serve s3code:503:SlowDown:4:3; good "SlowDown"
serve s3code:400:InvalidRequest:4:0; bad "InvalidRequest" IO
serve middle:2:2; good "reset in the middle of part 2"
serve middle:2:0; bad "reset in the middle for ever" TEMPORARY
serve last:3:2; good "reset at the last byte of part 3"
serve last:5:0; bad "reset at the last byte for ever" TEMPORARY
serve drip:2:1; good "an answer that drips"
serve stuck:2:1; good "a body that nobody reads"
OPTIONS='part_size=64KiB&attempts=2&stall=1s'; serve drip:2:0
bad "answers that drip for ever" '(TIMEOUT|TEMPORARY)'
OPTIONS='part_size=64KiB&attempts=4&stall=2s'
serve retry-after:1:2:2; good "503 with Retry-After"
is "503 with Retry-After: nobody came earlier" "$(counter too_early)" 0
serve complete200:InternalError:2; good "InternalError inside a 200"
serve complete200:InternalError:0; bad "InternalError inside a 200 for ever" TEMPORARY
serve complete200:AccessDenied:0; bad "AccessDenied inside a 200" '[A-Z]+'
serve lost-complete:1; good "completed, answer lost"
serve lost-create:2; good "two uploads whose answer was lost"
serve lost-create:0; bad "uploads whose answers are lost" TEMPORARY
serve liar-complete; bad "a 200 that stored nothing" IO
serve liar-size
like "one byte less: fails" "$(probe 'put k 300000')" '^result DATA: .*299999 bytes after the upload of 300000'
is "one byte less: nothing visible" "$(state)" "{} []"
serve bad-signature; bad "wrong signature" AUTH
serve equal-parts; good "equal parts"
serve random-etag; good "an ETag made up"
serve clock:1200; good "clock 20 minutes late"
like "clock 20 minutes late: is told" "$(probe 'put k 10'; cat "$T/probe.err")" 'the clock differs from the server.s; signing with the server.s time.*seconds=1(19|20)[0-9]'
serve clock:-1200; good "clock 20 minutes early"
serve region:eu-central-1; good "bucket in another region"
serve redirect:eu-central-1; good "a 307 that names the region's endpoint"
for op in put get list delete; do
  serve "deny:$op"; [ "$op" = put ] || probe 'put s 10' > "$T/put"
  like "403 AccessDenied: $op" "$(probe "${op/delete/erase} s 10")" '^result AUTH: .*AccessDenied.*may not do this here'
done
for op in create part complete; do serve "deny:$op"; bad "403 AccessDenied: $op" AUTH; done
serve deny:head; good "403 AccessDenied: head: the object is believed to be there"
serve deny:abort status:500:3:0
like "403 AccessDenied: abort: fails" "$(probe 'put k 300000')" '^result TEMPORARY: '
like "403 AccessDenied: abort: is told" "$(cat "$T/probe.err")" 'could not be removed.*AccessDenied'
is "403 AccessDenied: abort: nothing visible" "$(state)" "{} ['p/k']"
like "no such bucket" "$(PGC_PROBE_URL="s3://none/p?endpoint=http://127.0.0.1:$PORT" PGC_PROBE='put k 10' "$B/tests/unit" store_probe 2> "$T/probe.err")" 'result CONFIG: .*NoSuchBucket.*create the bucket first'
serve no-checksum; good "no checksum headers"
serve full; bad "disk full" NOSPACE
serve status:403:4:0 stubborn:2; bad "aborted uploads that stay" AUTH
serve max-parts:3
like "more parts than allowed" "$(probe 'put k 300000')" '^result IO: '
is "more parts than allowed: nothing left" "$(state)" "{} []"
is "volumes" "$(probe 'put k 300000' max_parts=3)" 'result OK'
is "volumes: stored" "$(state)" "{'p/k.001': 103392, 'p/k': 196608} []"
is "volumes: come back" "$(probe 'get k 300000' max_parts=3)" 'result OK'
serve status:500:2:0
like "a volume that fails" "$(probe 'put k 300000' max_parts=3)" '^result TEMPORARY: '
is "a volume that fails: nothing left" "$(state)" "{} []"

# 1,000 parts, as Scaleway allows
serve max-parts:1000
is "1,001 parts" "$(probe 'put k 65601000' max_parts=1000)" 'result OK'
is "1,001 parts: two volumes" "$(state)" "{'p/k.001': 65000, 'p/k': 65536000} []"
is "1,001 parts: come back" "$(probe 'get k 65601000' max_parts=1000)" 'result OK'

# 10,000 parts, as the others allow
serve forget
is "10,001 parts" "$(probe 'put k 655361000')" 'result OK'
is "10,001 parts: two volumes" "$(state)" "{'p/k.001': 1000, 'p/k': 655360000} []"

# small objects go by one PUT
serve status:503:0:3; is "small: 503" "$(probe 'put s 1000')" 'result OK'
serve last:0:0; is "small: stored, every answer lost" "$(probe 'put s 1000')" 'result OK'
is "small: is there" "$(state)" "{'p/s': 1000} []"
serve middle:0:0; like "small: reset for ever" "$(probe 'put s 1000')" '^result TEMPORARY: '
is "small: nothing there" "$(state)" "{} []"
serve lock; is "locked object" "$(probe 'put s 1000' 'lock_mode=GOVERNANCE&lock_days=3')" 'result OK'
is "locked object without checksums" "$(probe 'put s 1000' 'lock_mode=GOVERNANCE&lock_days=3&checksum=no')" 'result OK'

# reading
serve cut-get:3; is "cut downloads: written" "$(probe 'put k 300000')" 'result OK'
is "cut downloads are taken up" "$(probe 'get k 300000')" 'result OK'
serve cut-get:0; is "downloads cut for ever: written" "$(probe 'put k 300000')" 'result OK'
is "downloads cut for ever get a bit further each time" "$(probe 'get k 300000')" 'result OK'

# lists, three keys a page; then more than a thousand
for kind in list ignore-list-v2 no-list-v2; do
  serve "$kind"
  want=''
  for i in 1 2 3 4 5 6 7; do probe "put l/$i+a&b 1" > "$T/put"; want="${want}object l/$i+a&b 1"$'\n'; done
  is "pages: $kind" "$(probe 'list l/')" "${want}result OK"
done

serve page:1000
ask '_seed?prefix=p/many/&count=2345'
is "2,345 keys" "$(probe 'list many/' | grep -c '^object ')" 2345

# several parts in flight, and no more than told
serve slow:0.2; is "parallel" "$(probe 'put k 1000000' in_flight=3)" 'result OK'
is "parallel: three at a time" "$(curl -s "http://127.0.0.1:$PORT/_state" | grep -o '"most_in_flight": [0-9]*')" '"most_in_flight": 3'
finish
