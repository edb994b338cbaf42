#!/bin/bash
# The SFTP store on a real sshd: the contract suite, host key pinning, nothing left by writers that fail or are killed.
# shellcheck source=tests/support/lib.sh
. tests/support/lib.sh
missing=$(tests/support/sshd.sh check) || { skip "sshd" "$missing"; finish; }
PORT=$(tests/support/free-port.sh) ME=$(id -un)
trap 'tests/support/sshd.sh stop "$T/ssh"' EXIT
tests/support/sshd.sh start "$T/ssh" "$PORT" || { fail "sshd starts"; finish; }
PIN=$(ssh-keygen -lf "$T/ssh/host_key.pub" | cut -d' ' -f2)
export PGC_SFTP_KEY_FILE=$T/ssh/user_key HOME=$T
probe() { PGC_PROBE_URL="$1" PGC_PROBE="$2" "$B/tests/unit" store_probe 2> "$T/probe.err" | grep -E '^(result|object|swept) '; }
BASE="sftp://$ME@127.0.0.1:$PORT$T/files"
URL="$BASE/with%20blank%27s?host_key=${PIN//+/%2B}"

run env PGC_TEST_STORES="$URL" "$B/tests/unit" store_contract
if [ "$RC" -eq 0 ]; then pass "contract"; else fail "contract" "$OUT"; fi
is "the contract leaves nothing" "$(find "$T/files" -type f | wc -l)" 0

is "put" "$(probe "$URL" 'put a/b 1000000')" 'result OK'
is "the file is where it should be" "$(stat -c '%s %a' "$T/files/with blank's/a/b")" '1000000 600'
is "dropped" "$(probe "$URL" 'drop x/y 1000000')" 'result OK'
is "a dropped upload leaves nothing" "$(cd "$T/files/with blank's" && find . | sort | paste -sd' ')" '. ./a ./a/b'

( PGC_PROBE_URL=$URL PGC_PROBE='put k/killed 4000000000' CK_FORK=no exec "$B/tests/unit" store_probe ) > "$T/killed.out" 2>&1 &
pid=$!
for _ in $(seq 100); do [ -n "$(find "$T/files" -name '.pgc-tmp-*' -size +100k)" ] && break; sleep 0.05; done
kill -9 "$pid"; wait "$pid" 2> /dev/null
is "a killed writer leaves a temporary" "$(find "$T/files" -name '.pgc-tmp-*' | wc -l)" 1
is "it is not listed" "$(probe "$URL" 'list k')" 'result OK'
is "sweep" "$(probe "$URL" 'sweep')" 'swept 1
result OK'
is "nothing is left" "$(find "$T/files" -name '.pgc-tmp-*' | wc -l)" 0

( PGC_PROBE_URL=$URL PGC_PROBE='put k/termed 4000000000' CK_FORK=no exec "$B/tests/unit" store_probe ) > "$T/termed.out" 2>&1 &
pid=$!
for _ in $(seq 100); do [ -n "$(find "$T/files" -name '.pgc-tmp-*' -size +100k)" ] && break; sleep 0.05; done
kill "$pid"; wait "$pid" 2> /dev/null
like "terminated: the code" "$(cat "$T/termed.out")" 'result CANCELLED: '
is "terminated: nothing is left" "$(find "$T/files" -path '*/k*' | wc -l)" 0

is "known_hosts" "$(probe "$BASE?known_hosts=$T/ssh/known_hosts" 'put one 10')" 'result OK'
ssh-keygen -q -t ed25519 -N '' -f "$T/other_key"
OTHER=$(ssh-keygen -lf "$T/other_key.pub" | cut -d' ' -f2) OTHER=${OTHER//+/%2B}
like "another host key" "$(probe "$BASE?host_key=$OTHER" 'put two 10')" '^result TLS: .*not the pinned one'
printf '[127.0.0.1]:%s %s\n' "$PORT" "$(cut -d' ' -f1,2 "$T/other_key.pub")" > "$T/wrong_hosts"
like "known_hosts with another key" "$(probe "$BASE?known_hosts=$T/wrong_hosts" 'put two 10')" '^result TLS: '
: > "$T/no_hosts"
like "known_hosts without the host" "$(probe "$BASE?known_hosts=$T/no_hosts" 'put two 10')" '^result TLS: '
like "not pinned" "$(probe "$BASE" 'put two 10')" '^result CONFIG: .*not pinned'
like "a key that may not log in" "$(PGC_SFTP_KEY_FILE=$T/other_key probe "$URL" 'put two 10')" '^result AUTH: '
like "a password in the URL" "$(probe "sftp://$ME:secret@127.0.0.1/x" 'put two 10')" '^result USAGE: .*password does not belong'
is "none of these wrote anything" "$(find "$T/files" -name 'two*' | wc -l)" 0
status "doctor" 0 pgc-backup doctor --store "$URL"
tests/support/sshd.sh stop "$T/ssh"
for _ in $(seq 50); do (: < "/dev/tcp/127.0.0.1/$PORT") 2> /dev/null || break; sleep 0.05; done
like "nobody listens" "$(probe "$URL" 'list x')" '^result UNAVAILABLE: '
finish
