#!/bin/bash
# Mail through a real server: TLS from the start and by STARTTLS with a CA of one's own, both ways to log in, what arrives.
. tests/support/lib.sh
/usr/bin/python3 -c 'import aiosmtpd' 2> "$T/out" || { skip 'mail' 'python3-aiosmtpd is not installed'; finish; }
pids=''
trap 'kill $pids' EXIT
ssl() { openssl "$@" 2>> "$T/openssl.log"; }
for ca in ca stranger; do ssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/$ca.key" -out "$T/$ca.pem" -days 2 -subj '/CN=Test CA'; done
cert() { # cert NAME SUBJECT_ALT_NAME
  ssl req -newkey rsa:2048 -nodes -keyout "$T/$1.key" -out "$T/$1.csr" -subj "/CN=$1"
  ssl x509 -req -in "$T/$1.csr" -CA "$T/ca.pem" -CAkey "$T/ca.key" -CAcreateserial -days 2 -out "$T/$1.pem" -extfile <(echo "subjectAltName=$2")
}
cert good 'DNS:localhost,IP:127.0.0.1'
cert other 'DNS:mx.example.org'
serve() { # serve MODE CERT MECHANISM: the port is $port
  port=$(tests/support/free-port.sh)
  /usr/bin/python3 tests/support/smtp-server.py "$port" "$T/mails" "$1" "$T/$2.pem" "$T/$2.key" "$3" 2>> "$T/server.log" & pids="$pids $!"
  for _ in $(seq 200); do (: < "/dev/tcp/127.0.0.1/$port") 2> "$T/up" && return; sleep 0.1; done
}
echo hush > "$T/password"
export PGC_CA_FILE=$T/ca.pem PGC_BACKUP_SMTP_PASSWORD_FILE=$T/password
# fails TARGET MORE...: a backup that cannot work, and who is told
fails() { pgc-backup run --progress none --no-encryption --store "$T/store" -h /nonexistent -d x --job 'nächtlich: "Größe" ✓ – ein langer Name, der mehr als eine Zeile füllt' --notify "$@"; }
mail() { tail -n 1 "$T/mails" | jq -r "$1"; }
: > "$T/mails"

for way in 'smtps PLAIN' 'starttls LOGIN' 'starttls PLAIN'; do
  serve "${way% *}" good "${way#* }"
  [ "${way% *}" = smtps ] && target="smtps://me@127.0.0.1:$port/" || target="smtp://me@localhost:$port/"
  [ "${way% *}" = smtps ] && more='' || more='&tls=starttls'
  before=$(wc -l < "$T/mails")
  status "a failure by mail, $way" 69 fails "$target?from=db@example.org&to=ops@example.org,dba@example.org$more"
  is "$way: it arrives" "$(wc -l < "$T/mails")" $((before + 1))
  is "$way: inside TLS, logged in" "$(mail '"\(.tls) \(.auth)"')" 'true true'
  unlike "$way: the password is not told" "$ERR" hush
done
is 'for all' "$(mail '.to | join(" ")')" 'ops@example.org dba@example.org'
is 'from' "$(mail .from)" db@example.org
like 'the subject in any language, however long' "$(mail .subject)" '^pgc backup FAILED: nächtlich: "Größe" ✓ – ein langer Name, der mehr als eine Zeile füllt on '
like 'the text' "$(mail .text)" "^pgc backup: job 'nächtlich: .Größe. ✓ .* FAILED: .*nonexistent"
is 'its date' "$(mail .date)" UTC

count=$(wc -l < "$T/mails")
echo wrong-hush > "$T/password"
status 'a wrong password' 69 fails "smtp://me@localhost:$port/?from=a@b.c&to=d@e.f&tls=starttls"
like 'is told in the log' "$ERR" "cannot tell of a run.*localhost"
unlike 'but not which' "$ERR" wrong-hush
echo hush > "$T/password"
PGC_CA_FILE=$T/stranger.pem status 'a certificate that nobody trusts' 69 fails "smtp://me@localhost:$port/?from=a@b.c&to=d@e.f&tls=starttls"
like 'is no server' "$ERR" 'cannot tell of a run.*certificate'
serve smtps other PLAIN
status 'that of another host' 69 fails "smtps://me@localhost:$port/?from=a@b.c&to=d@e.f"
like 'neither' "$ERR" "cannot tell of a run.*(certificate|localhost)"
is 'nobody of these got a mail' "$(wc -l < "$T/mails")" "$count"
finish
