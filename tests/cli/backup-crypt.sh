#!/bin/bash
# pgc backup encrypt, decrypt, keygen: interface, exit statuses, and stock age on the other side.
. tests/support/lib.sh
cd "$T" || exit 1

# --- keygen ---
status "keygen to a file" 0 pgc backup keygen -o key
is "... prints nothing" "$OUT" ""
like "... and the public key to stderr" "$ERR" '^Public key: age1[a-z0-9]{58}$'
recipient=${ERR#Public key: }
like "... in age-keygen's format" "$(cat key)" '^# created: [0-9-]+T[0-9:]+Z
# public key: age1[a-z0-9]{58}
AGE-SECRET-KEY-1[A-Z0-9]{58}$'
is "... mode 0600" "$(stat -c %a key)" 600
before=$(cat key)
status "keygen does not overwrite" 1 pgc backup keygen -o key
is "... the old key stays" "$(cat key)" "$before"
is "... nothing is left over" "$(find . -name '.pgc-tmp-*')" ""
pgc backup keygen > other 2> /dev/null
like "keygen to stdout" "$(cat other)" 'AGE-SECRET-KEY-1'
printf 'correct horse\n' > pass

# --- exit statuses ---
printf hello > plain
pgc backup encrypt -r "$recipient" < plain > file.age
STDIN=file.age status "decrypt" 0 pgc backup decrypt --identity-file key
is "... plaintext" "$OUT" hello
STDIN=file.age status "no key fits: 77" 77 pgc backup decrypt --identity-file other
is "... and no output" "$OUT" ""
like "... clear" "$ERR" '^pgc-backup decrypt: no key fits'
STDIN=file.age status "a passphrase for a key's file: 77" 77 pgc backup decrypt --passphrase-file pass
STDIN=plain status "not an age file: 65" 65 pgc backup decrypt --identity-file key
STDIN=/dev/null status "empty input: 65" 65 pgc backup decrypt --identity-file key
head -c -1 file.age > cut.age
STDIN=cut.age status "cut file: 65" 65 pgc backup decrypt --identity-file key
STDIN=cut.age status "cut file with --output: 65" 65 pgc backup decrypt --identity-file key -o result
is "... nothing appears" "$(find . -name 'result' -o -name '.pgc-tmp-*')" ""
STDIN=file.age status "no key given: 64" 64 pgc backup decrypt
status "no recipient given: 64" 64 pgc backup encrypt
status "malformed recipient: 64" 64 pgc backup encrypt -r age1nonsense
status "a passphrase beside a key: 64" 64 pgc backup encrypt -r "$recipient" --passphrase-file pass
printf '# team\n\n%s\nnonsense\n' "$recipient" > team
status "malformed line in a recipients file: 65" 65 pgc backup encrypt -R team
like "... with its place" "$ERR" "'team' line 4"
printf 'AGE-SECRET-KEY-1NONSENSE\n' > bad
STDIN=file.age status "malformed identity file: 65" 65 pgc backup decrypt -i bad
unlike "... the key is not in the message" "$ERR" NONSENSE
STDIN=file.age status "absent identity file: 1" 1 pgc backup decrypt -i absent
status "the passphrase itself is refused in argv" 64 pgc backup encrypt --passphrase x
STDIN=plain status "full disk: 1" 1 bash -c "pgc backup encrypt -r $recipient > /dev/full"
like "... clear" "$ERR" 'No space left on device'

# --- signals: a filter whose input never comes, or whose output nobody reads ---
mkfifo never
exec 9<> never
for sig in TERM INT; do
  pgc-backup encrypt -r "$recipient" -o stopped < never 9<&- 2> stop.err & pid=$!
  for _ in $(seq 50); do [ -z "$(find . -name '.pgc-tmp-*')" ] || break; sleep 0.1; done
  kill -"$sig" "$pid"
  wait "$pid"; is "SIG$sig while waiting for input" "$?" $((128 + $(kill -l "$sig")))
  is "... nothing is left" "$(find . -name 'stopped' -o -name '.pgc-tmp-*')" ""
done
head -c 3000000 /dev/zero > zeros
pgc-backup encrypt -r "$recipient" < zeros > never 9<&- 2> stop.err & pid=$!
sleep 0.5; kill -TERM "$pid"; wait "$pid"; is "SIGTERM while nobody reads" "$?" 143
exec 9>&-

# --- several recipients, files, ssh, passphrase ---
printf '%s\r\n' "$(sed -n 's/^# public key: //p' other)" > recipients
pgc backup encrypt -r "$recipient" --recipients-file recipients --armor < plain > both.age
for k in key other; do STDIN=both.age status "two recipients: $k opens" 0 pgc backup decrypt -i "$k"; is "... $k" "$OUT" hello; done
like "armor" "$(head -n 1 both.age)" '^-----BEGIN AGE ENCRYPTED FILE-----$'
cat other key > ring
STDIN=file.age status "second key of a ring" 0 pgc backup decrypt -i ring
STDIN=file.age status "second identity file" 0 pgc backup decrypt -i other -i key
STDIN=plain status "for one's own key" 0 bash -c 'pgc backup encrypt -i key | pgc backup decrypt -i key'
is "... round trip" "$OUT" hello
STDIN=plain status "passphrase" 0 bash -c 'pgc backup encrypt --passphrase-file pass | PGC_BACKUP_PASSPHRASE="correct horse" pgc backup decrypt'
is "... round trip" "$OUT" hello
pgc backup encrypt --passphrase-file pass < plain > pass.age
printf "battery staple\n" > wrong
STDIN=pass.age status "wrong passphrase: 77" 77 pgc backup decrypt --passphrase-file wrong
unlike "... it is not in the message" "$ERR" battery

# --- stock age, both ways ---
if command -v age > /dev/null; then
  is "age-keygen reads the key" "$(age-keygen -y key)" "$recipient"
  for n in 0 1 15 16 17 65535 65536 65537 131071 131072 131073 300000; do
    head -c "$n" /dev/urandom > p
    for form in "" --armor; do
      # shellcheck disable=SC2086 # no form is no argument
      pgc backup encrypt $form -r "$recipient" < p > c; age -d -i key c > d 2> e; ok "age reads pgc $form $n" cmp p d
      # shellcheck disable=SC2086
      age $form -r "$recipient" < p > c; pgc backup decrypt -i key < c > d 2> e; ok "pgc reads age $form $n" cmp p d
    done
  done
  if command -v ssh-keygen > /dev/null; then
    ssh-keygen -q -t ed25519 -N '' -C 'a comment' -f ssh
    pgc backup encrypt -R ssh.pub < plain | age -d -i ssh > d 2> e; ok "age reads pgc, ssh-ed25519" cmp plain d
    age -R ssh.pub < plain | pgc backup decrypt -i ssh > d 2> e; ok "pgc reads age, ssh-ed25519" cmp plain d
    ssh-keygen -q -t ed25519 -N secret -f locked
    STDIN=file.age status "ssh key under a passphrase: 78" 78 pgc backup decrypt -i locked
    ssh-keygen -q -t ecdsa -N '' -f ecdsa
    STDIN=file.age status "ssh key of another type: 78" 78 pgc backup decrypt -i ecdsa
    STDIN=file.age status "ssh key that does not fit: 77" 77 pgc backup decrypt -i ssh
  else
    skip "ssh-ed25519 with stock age" "ssh-keygen is not installed"
  fi
  if command -v script > /dev/null; then
    # age reads a passphrase from the terminal only: script makes one.
    { sleep 1; printf 'correct horse\n'; sleep 3; } | script -qec "age -d -o d2 pass.age" /dev/null > script.out 2>&1
    ok "age reads pgc, passphrase" cmp plain d2
    { sleep 1; printf 'correct horse\n'; sleep 1; printf 'correct horse\n'; sleep 4; } |
      script -qec "age -p -o p2.age plain" /dev/null > script.out 2>&1
    STDIN=p2.age status "pgc reads age, passphrase" 0 pgc backup decrypt --passphrase-file pass
    is "... plaintext" "$OUT" hello
  else
    skip "passphrase with stock age" "script is not installed: age asks a terminal"
  fi
else
  skip "stock age" "age is not installed"
fi
# --- post-quantum keys: with OpenSSL 3.5 they work, before that they are refused by name ---
run pgc backup keygen --post-quantum -o pq
if [ "$RC" = 78 ]; then
  like "a post-quantum key is refused clearly" "$ERR" 'post-quantum keys need OpenSSL 3\.5 or newer, this is 3\.[0-4]'
  ok "... and no file is left" test ! -e pq
  status "so is a recipient" 78 pgc backup encrypt -r age1pq1qqqq
  printf 'AGE-SECRET-KEY-PQ-1HZLGZUPT4ETPKDEV8HSGFDCYZ4E522W0A7PU2LHT8EH9W6YLNC3SW78XKG\n' > pq
  STDIN=file.age status "so is an identity" 78 pgc backup decrypt -i pq
  skip "post-quantum keys both ways" "this OpenSSL has no ML-KEM-768"
else
  is "post-quantum keygen" "$RC" 0
  pq=$(sed -n 's/^# public key: //p' pq)
  like "... its recipient" "$pq" '^age1pq1[a-z0-9]+$'
  run pgc backup keygen --post-quantum -o pq2
  pq2=$(sed -n 's/^# public key: //p' pq2)
  STDIN=plain status "encrypted for two post-quantum keys" 0 pgc backup encrypt -r "$pq" -r "$pq2" -o pq.age
  for key in pq pq2; do
    STDIN=pq.age status "... opened by $key" 0 pgc backup decrypt -i "$key" -o back
    ok "... the same bytes" cmp plain back
  done
  STDIN=plain status "encrypted for one's own identity" 0 pgc backup encrypt -i pq -o own.age
  STDIN=own.age status "... and opened" 0 pgc backup decrypt -i pq -o back
  STDIN=own.age status "another post-quantum key: 77" 77 pgc backup decrypt -i pq2
  STDIN=own.age status "a key of another kind: 77" 77 pgc backup decrypt -i key
  STDIN=plain status "beside a key of another kind: 64" 64 pgc backup encrypt -r "$pq" -r "$recipient"
  like "... says why" "$ERR" 'cannot be combined with others'
  status "malformed post-quantum recipient: 64" 64 pgc backup encrypt -r age1pq1qqqq
fi
finish
