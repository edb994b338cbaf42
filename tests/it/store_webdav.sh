#!/bin/bash
# The WebDAV store on a real nginx: the contract suite over http and https, refusals, nothing left by writers that fail.
# shellcheck source=tests/support/lib.sh
. tests/support/lib.sh
missing=$(tests/support/webdav.sh check) || { skip "WebDAV server" "$missing"; finish; }
PORT=$(tests/support/free-port.sh) D=$T/dav
trap 'tests/support/webdav.sh stop "$D"' EXIT
tests/support/webdav.sh start "$D" "$PORT" || { fail "the server starts"; finish; }
export PGC_DAV_PASSWORD='pa:ss' HOME=$T
probe() { PGC_PROBE_URL="$1" PGC_PROBE="$2" "$B/tests/unit" store_probe 2> "$T/probe.err" | grep -E '^(result|object|swept) '; }
URL="dav://user@127.0.0.1:$PORT/a/with%20blank%27s"
TLS="davs://user@127.0.0.1:$((PORT + 1))/tls"

run env PGC_TEST_STORES="$URL" "$B/tests/unit" store_contract
if [ "$RC" -eq 0 ]; then pass "contract"; else fail "contract" "$OUT"; fi
run env PGC_CA_FILE="$D/cert.pem" PGC_TEST_STORES="$TLS" "$B/tests/unit" store_contract
if [ "$RC" -eq 0 ]; then pass "contract over https"; else fail "contract over https" "$OUT"; fi
is "the contract leaves nothing" "$(find "$D/files" -type f | wc -l)" 0
like "a certificate that nobody knows" "$(probe "$TLS" 'put a 10')" '^result TLS: .*PGC_CA_FILE'

is "put" "$(probe "$URL" 'put b/c 1000000')" 'result OK'
is "the file is where it should be" "$(stat -c '%s' "$D/files/a/with blank's/b/c")" 1000000
is "dropped" "$(probe "$URL" 'drop x/y 5000000')" 'result OK'
is "a dropped upload leaves nothing" "$(cd "$D/files/a/with blank's" && find . | sort | paste -sd' ')" '. ./b ./b/c'
like "more than the server takes" "$(probe "$URL" 'put big/x 40000000')" '^result (IO|TEMPORARY): .*cannot write .*status 413'
is "more than the server takes: nothing is left" "$(find "$D/files" -path '*big*' | wc -l)" 0
: > "$D/files/a/with blank's/_pgc-tmp-0123456789abcdef"
is "a temporary is not listed" "$(probe "$URL" 'list')" 'object b/c 1000000
result OK'
is "sweep" "$(probe "$URL" 'sweep')" 'swept 1
result OK'

( PGC_PROBE_URL=$URL PGC_PROBE='put k/termed 28000000' CK_FORK=no exec "$B/tests/unit" store_probe ) > "$T/termed.out" 2>&1 &
pid=$!
for _ in $(seq 200); do [ -d "$D/files/a/with blank's/k" ] && break; sleep 0.01; done
kill "$pid"; wait "$pid" 2> /dev/null
if grep -q 'result OK' "$T/termed.out"; then skip "terminated" "the upload was faster than the signal"
else
  like "terminated: the code" "$(cat "$T/termed.out")" 'result CANCELLED: '
  is "terminated: nothing is left" "$(find "$D/files" -path '*/k*' | wc -l)" 0
fi

like "wrong password" "$(PGC_DAV_PASSWORD=no probe "$URL" 'put n 10')" '^result AUTH: .*PGC_DAV_PASSWORD'
printf 'pa:ss\n' > "$T/pw"
is "password from a file" "$(env -u PGC_DAV_PASSWORD PGC_DAV_PASSWORD_FILE="$T/pw" PGC_PROBE_URL="$URL" PGC_PROBE='list none' "$B/tests/unit" store_probe 2> /dev/null | grep result)" 'result OK'
like "a password in the URL" "$(probe "dav://user:secret@127.0.0.1/x" 'put n 10')" '^result USAGE: .*password does not belong'
status "doctor" 0 pgc-backup doctor --store "$URL"
tests/support/webdav.sh stop "$D"
for _ in $(seq 50); do (: < "/dev/tcp/127.0.0.1/$PORT") 2> /dev/null || break; sleep 0.05; done
like "nobody listens" "$(probe "$URL" 'list x')" '^result UNAVAILABLE: '
finish
