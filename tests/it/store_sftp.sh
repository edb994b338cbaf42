#!/bin/bash
# The SFTP store on a real sshd: the contract suite, host key pinning, nothing left by writers that fail or are killed.
# shellcheck source=tests/support/lib.sh
. tests/support/lib.sh
missing=$(tests/support/sshd.sh check) || { skip "sshd" "$missing"; finish; }
# shellcheck source=tests/support/cut.sh
. tests/support/cut.sh
PORT=$(tests/support/free-port.sh) ME=$(id -un)
trap 'uncut; tests/support/sshd.sh stop "$T/ssh"; [ ! -d "$T/small" ] || umount "$T/small"' EXIT
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
: > "$T/ssh/sshd.log"
like "another host key" "$(probe "$BASE?host_key=$OTHER" 'put two 10')" '^result TLS: .*not the pinned one'
printf '[127.0.0.1]:%s %s\n' "$PORT" "$(cut -d' ' -f1,2 "$T/other_key.pub")" > "$T/wrong_hosts"
like "known_hosts with another key" "$(probe "$BASE?known_hosts=$T/wrong_hosts" 'put two 10')" '^result TLS: '
: > "$T/no_hosts"
like "known_hosts without the host" "$(probe "$BASE?known_hosts=$T/no_hosts" 'put two 10')" '^result TLS: '
unlike "another host key: nobody tried to log in" "$(cat "$T/ssh/sshd.log")" '(Accepted|Failed|Postponed) '
like "not pinned" "$(probe "$BASE" 'put two 10')" '^result CONFIG: .*not pinned'
like "a key that may not log in" "$(PGC_SFTP_KEY_FILE=$T/other_key probe "$URL" 'put two 10')" '^result AUTH: '
like "a password in the URL" "$(probe "sftp://$ME:secret@127.0.0.1/x" 'put two 10')" '^result USAGE: .*password does not belong'
is "none of these wrote anything" "$(find "$T/files" -name 'two*' | wc -l)" 0
like "a key that may not log in: the server saw it" "$(cat "$T/ssh/sshd.log")" 'Failed publickey '
cp "$T/ssh/user_key" "$T/locked_key"
ssh-keygen -q -p -P '' -N 'pass phrase' -f "$T/locked_key"
printf 'pass phrase\n' > "$T/passphrase"
is "a key with a passphrase" "$(PGC_SFTP_KEY_FILE=$T/locked_key PGC_SFTP_KEY_PASSPHRASE_FILE=$T/passphrase probe "$URL" 'put one 10')" 'result OK'
like "a key with a passphrase, without it" "$(PGC_SFTP_KEY_FILE=$T/locked_key probe "$URL" 'put two 10')" '^result AUTH: '
status "doctor" 0 pgc-backup doctor --store "$URL"
status "doctor: a key that may not log in" 77 env PGC_SFTP_KEY_FILE="$T/other_key" pgc-backup doctor --store "$URL"
like "doctor: a key that may not log in: advice" "$OUT" 'FAILED +put .*is its public half in authorized_keys'
status "doctor: another host key" 78 pgc-backup doctor --store "$BASE?host_key=$OTHER" --json
is "doctor: another host key: advice" "$(jq -r '.ok, .steps[1].step, .steps[1].ok, (.steps[1].advice | test("ssh-keygen -lf"))' <<< "$OUT" | xargs)" 'false put false true'
is "doctor leaves nothing" "$(find "$T/files" -path '*pgc-doctor*' | wc -l)" 0

mkdir "$T/files/many"
(cd "$T/files/many" && seq 2345 | xargs touch)
is "2,345 files in a folder" "$(probe "$BASE?known_hosts=$T/ssh/known_hosts" 'list many/' | grep -c '^object ')" 2345
rm -r "$T/files/many"

# connections that break: the upload goes on where the server has got to, and nobody sees a half
through() { probe "sftp://$ME@127.0.0.1:$CUT$T/files/cut?host_key=${PIN//+/%2B}&attempts=${2:-4}&stall=5s" "$1"; }
whole() { is "$1: comes back" "$(probe "$BASE/cut?host_key=${PIN//+/%2B}" "get k $2")" 'result OK'; is "$1: no temporary" "$(find "$T/files/cut" -name '.pgc-tmp-*' | wc -l)" 0; }
cut_off "$PORT" up:3000000
is "broken once" "$(through 'put k 9000000')" 'result OK'
whole "broken once" 9000000
cut_off "$PORT" up:12000000 up:5000 up:3000000 refuse refuse
is "broken far behind what is kept, and again" "$(through 'put k 20000000' 6)" 'result OK'
whole "broken far behind what is kept, and again" 20000000
like "broken far behind: it was" "$(xargs < "$T/cut.log")" '^up:12000000 up:5000 up:3000000 refuse refuse ok'
cut_off "$PORT" down:1000000 down:2000000
is "a download that broke goes on" "$(through 'get k 20000000')" 'result OK'
cut_off "$PORT" refuse refuse
is "a list after two refusals" "$(through 'list k')" 'object k 20000000
result OK'
cut_off "$PORT" up:3000000 'refuse*'
like "broken, then nobody there" "$(through 'put new 9000000' 3)" '^result (UNAVAILABLE|TEMPORARY): '
is "broken, then nobody there: not visible" "$(find "$T/files/cut" -name 'new*' | wc -l)" 0
like "the temporary that nobody could remove" "$(cat "$T/probe.err")" 'an unfinished upload could not be removed'
is "the temporary that nobody could remove is swept" "$(probe "$BASE/cut?host_key=${PIN//+/%2B}" sweep)" 'swept 1
result OK'

if [ "$(id -u)" = 0 ] && mkdir "$T/small" && mount -t tmpfs -o size=1m tmpfs "$T/small" 2> /dev/null; then
  like "disk full" "$(probe "sftp://$ME@127.0.0.1:$PORT$T/small/x?host_key=${PIN//+/%2B}" 'put k 3000000')" '^result NOSPACE: .*takes no more than [0-9]+ bytes .disk full, or a quota'
  is "disk full: nothing is left" "$(find "$T/small" -type f | wc -l)" 0
else
  [ ! -d "$T/small" ] || rmdir "$T/small"
  skip "disk full" "cannot mount a tmpfs"
fi
tests/support/sshd.sh stop "$T/ssh"
for _ in $(seq 50); do (: < "/dev/tcp/127.0.0.1/$PORT") 2> /dev/null || break; sleep 0.05; done
like "nobody listens" "$(probe "$URL&attempts=1" 'list x')" '^result UNAVAILABLE: '
finish
