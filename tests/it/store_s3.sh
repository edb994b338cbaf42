#!/bin/bash
# The S3 store on a real server (Swift s3api): the contract suite, volumes, and no orphan parts as the server itself counts them.
# shellcheck source=tests/support/lib.sh
. tests/support/lib.sh
missing=$(tests/support/s3-server.sh check) || { skip "s3 server" "$missing"; finish; }
S3_DIR=$T/s3 S3_PORT=$(tests/support/free-port.sh)
export S3_DIR S3_PORT AWS_ACCESS_KEY_ID=test:tester AWS_SECRET_ACCESS_KEY=testing AWS_EC2_METADATA_DISABLED=true
trap 'tests/support/s3-server.sh stop' EXIT
if ! tests/support/s3-server.sh start; then fail "s3 server starts" "$(tail -n 5 "$S3_DIR"/log/*)"; finish; fi

swift_token() {
  curl -sS -D - -o /dev/null -H 'X-Auth-User: test:tester' -H 'X-Auth-Key: testing' "http://127.0.0.1:$S3_PORT/auth/v1.0" |
    tr -d '\r' | sed -n 's/^X-Auth-Token: //ip' | head -n 1
}
TOKEN=$(swift_token)
native() { curl -sS -H "X-Auth-Token: $TOKEN" "$@"; }
segments() { native "http://127.0.0.1:$S3_PORT/v1/AUTH_test/pgc-test+segments"; }
# Stored parts, whoever owns them, beyond those that Swift itself forgets when an object is replaced; and open uploads.
FORGOTTEN=0
parts() { echo $(($(segments | grep -c '/[0-9]*$') - FORGOTTEN)); }
uploads() { segments | grep -vc '/[0-9]*$'; }
native -X PUT "http://127.0.0.1:$S3_PORT/v1/AUTH_test/pgc-test"
E="endpoint=http://127.0.0.1:$S3_PORT"
probe() { PGC_PROBE_URL="s3://pgc-test/$1" PGC_PROBE="$2" "$B/tests/unit" store_probe 2> "$T/probe.err" | grep -E '^(result|object|swept) '; }

STORE="s3://pgc-test/pre%20fix/%C3%A4?$E"
run env PGC_TEST_STORES="$STORE" "$B/tests/unit" store_contract
if [ "$RC" -eq 0 ]; then pass "contract"; else fail "contract" "$OUT"; fi
is "the contract leaves no open uploads" "$(uploads)" 0
FORGOTTEN=$(parts)

is "one part" "$(probe "x?$E&part_size=5MiB" 'put one 5242880')" 'result OK'
is "an object of one part is no multipart upload" "$(parts)" 0
is "four parts" "$(probe "x?$E&part_size=5MiB" 'put four 15728641')" 'result OK'
is "four parts are stored" "$(parts)" 4
is "four parts come back" "$(probe "x?$E" 'get four 15728641')" 'result OK'
is "dropped" "$(probe "x?$E&part_size=5MiB" 'drop five 23000000')" 'result OK'
is "a dropped upload leaves no parts" "$(parts)" 4
is "erased" "$(probe "x?$E" 'erase four')" 'result OK'
is "erasing removes the parts" "$(parts)" 0

V="v?$E&part_size=5MiB&max_parts=2"
is "volumes: written" "$(probe "$V" 'put big 23000000')" 'result OK'
is "volumes: listed" "$(probe "$V" 'list big')" "object big 23000000
result OK"
is "volumes: stored as objects" "$(native "http://127.0.0.1:$S3_PORT/v1/AUTH_test/pgc-test?prefix=v/big" | xargs)" "v/big v/big.001 v/big.002"
is "volumes: read as one" "$(probe "$V" 'get big 23000000')" 'result OK'
is "volumes: a smaller object takes their place" "$(probe "$V" 'put big 10485760')" 'result OK'
is "volumes: old ones are not read" "$(probe "$V" 'get big 10485760')" 'result OK'
is "volumes: old ones are gone" "$(probe "$V" 'list big')" "object big 10485760
result OK"
is "volumes: again" "$(probe "$V" 'put big 23000000')" 'result OK'
is "volumes: erased" "$(probe "$V" 'erase big')" 'result OK'
is "volumes: nothing is left" "$(probe "$V" 'list big')" 'result OK'
FORGOTTEN=$((FORGOTTEN + $(parts)))

# An upload that a killed writer left open is swept; the server's own count is the proof.
STDIN=/dev/null
( PGC_PROBE_URL="s3://pgc-test/k?$E&part_size=5MiB&in_flight=2" PGC_PROBE='put killed 400000000' CK_FORK=no exec "$B/tests/unit" store_probe ) > "$T/killed.out" 2>&1 &
pid=$!
for _ in $(seq 100); do [ "$(parts)" -ge 2 ] && break; sleep 0.1; done
kill -9 "$pid" 2> /dev/null; wait "$pid" 2> /dev/null
like "a killed writer leaves parts" "$(parts)" '^([2-9]|[0-9]{2,})$'
is "nothing of it is visible" "$(probe "k?$E" 'list killed')" 'result OK'
is "sweep of another prefix" "$(probe "x?$E" 'sweep')" "swept 0
result OK"
is "sweep" "$(probe "k?$E" 'sweep')" "swept 1
result OK"
is "no parts are left" "$(parts) $(uploads)" "0 0"

# SIGTERM in the middle: the upload is aborted on the way out.
( PGC_PROBE_URL="s3://pgc-test/k?$E&part_size=5MiB&in_flight=2" PGC_PROBE='put termed 400000000' CK_FORK=no exec "$B/tests/unit" store_probe ) > "$T/termed.out" 2>&1 &
pid=$!
for _ in $(seq 100); do [ "$(parts)" -ge 2 ] && break; sleep 0.1; done
kill "$pid" 2> /dev/null; wait "$pid" 2> /dev/null
like "terminated: the code" "$(cat "$T/termed.out")" 'result CANCELLED: '
is "terminated: no parts are left" "$(parts) $(uploads)" "0 0"

like "wrong secret" "$(AWS_SECRET_ACCESS_KEY=wrong probe "x?$E" 'put a 10')" '^result AUTH: .*SignatureDoesNotMatch.*pgc backup doctor'
like "no bucket" "$(PGC_PROBE_URL="s3://pgc-none/x?$E" PGC_PROBE='put a 10' "$B/tests/unit" store_probe 2> /dev/null)" 'result CONFIG: .*NoSuchBucket'
is "another region is learnt" "$(probe "x?$E&region=eu-west-1" 'put region 10')" 'result OK'
like "no credentials" "$(env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY HOME="$T" PGC_PROBE_URL="$STORE" PGC_PROBE='list x' "$B/tests/unit" store_probe 2> /dev/null)" 'result AUTH: no S3 credentials'
printf 'testing\n' > "$T/secret"
is "secret from a file" "$(env -u AWS_SECRET_ACCESS_KEY AWS_SECRET_ACCESS_KEY_FILE="$T/secret" PGC_PROBE_URL="$STORE" PGC_PROBE='list x' "$B/tests/unit" store_probe 2> /dev/null | grep result)" 'result OK'
mkdir -p "$T/.aws"
printf '[other]\naws_access_key_id = no\n[swift]\naws_access_key_id = test:tester\naws_secret_access_key = testing\n' > "$T/.aws/credentials"
is "keys from the shared file" "$(env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY HOME="$T" AWS_PROFILE=swift PGC_PROBE_URL="$STORE" PGC_PROBE='list x' "$B/tests/unit" store_probe 2> /dev/null | grep result)" 'result OK'
finish
