#!/bin/bash
# pgc backup run tells how it went: webhooks and pings, metrics, mail. Telling never changes the exit status.
. tests/support/lib.sh
new_db told
sql -d told -c 'create table t as select generate_series(1,1000) n'
port=$(tests/support/free-port.sh)
hook=http://127.0.0.1:$port
python3 tests/support/sink.py http "$port" "$T/told" & pids=$!
trap 'kill $pids' EXIT
for _ in $(seq 100); do curl -s -o "$T/up" -d up "$hook/up" && break; sleep 0.1; done
backup() { pgc-backup run --progress none --no-encryption --store "$T/store" "$@"; }
said() { cat "$T/told"; : > "$T/told"; }
said > "$T/up"

status 'a run that tells' 0 backup -d told --job nightly --notify "$hook/json" --notify "ping+$hook/hc" --notify "slack+$hook/chat"
told=$(said)
like 'a ping at the start' "$told" 'POST /hc/start\?rid=[0-9a-f-]{36} None .*nightly'
like 'and at the end' "$told" $'\nPOST /hc\\?rid=[0-9a-f-]{36} None .*nightly.* succeeded: [0-9.]+ KiB'
unlike 'the others hear of no success' "$told" '/json|/chat'
status 'successes, when asked' 0 env PGC_BACKUP_NOTIFY="$hook/json,slack+$hook/chat" PGC_BACKUP_NOTIFY_SUCCESS=true PGC_BACKUP_NOTIFY_SECRET=hush \
  pgc-backup run --progress none --no-encryption --store "$T/store" -d told
told=$(said)
like 'are told, signed' "$told" '/json sha256=[0-9a-f]{64} \{"event":"backup.success","job":"backup","host":"[^"]+".*"bytes":[1-9]'
like 'to the chat too' "$told" '/chat None \{"text":"pgc backup: job .backup'
status 'a failure' 69 backup -h /nonexistent -d told --notify "$hook/json" --notify "ping+$hook/hc"
told=$(said)
like 'is told with its cause' "$told" '/json None \{"event":"backup.failure".*"error":".*nonexistent'
like 'and to the dead man' "$told" '/hc/fail\?rid=[0-9a-f-]{36} None .*FAILED: .*nonexistent'
status 'a setting that is wrong' 64 pgc-backup run --store "$T/store" -d told --notify "$hook/json"
like 'is a failure too' "$(said)" 'backup.failure.*a backup is encrypted'
status 'who cannot be told changes nothing' 0 backup -d told --notify "ping+$hook/broken" --notify ping+http://127.0.0.1:1/x
like 'it is logged' "$ERR" 'cannot tell of a run.*127.0.0.1:1'
status 'an unknown kind of target' 64 backup -d told --notify gopher://x
said > "$T/up"

# Bodies in the receiver's own words, signed as they are.
template='{"title": "{{event}} of {{job}}", "ok": {{ok}}, "text": "{{message}}", "log": "{{log}}"}'
PGC_BACKUP_NOTIFY_SECRET=hush PGC_BACKUP_NOTIFY_TEMPLATE=$template status 'a template' 69 backup -h /nonexistent -d told --job 'a "b"' --notify "$hook/own" --notify "slack+$hook/chat"
told=$(said)
sig=$(sed -n 's/^POST \/own sha256=\([0-9a-f]*\) .*/\1/p' <<< "$told")
body=$(sed -n 's/^POST \/own sha256=[0-9a-f]* //p' <<< "$told")
is 'is JSON with its fields' "$(jq -c '[.title, .ok]' <<< "$body")" '["backup.failure of a \"b\"",false]'
is 'signed' "$(printf %s "$body" | openssl dgst -sha256 -hmac hush -r | cut -d' ' -f1)" "$sig"
like 'is for https:// targets alone' "$told" '/chat None \{"text":"pgc backup'
status 'a template that is wrong' 64 backup -d told --notify "$hook/own" --notify-template '{"a": "{{jbo}}"}'
is 'is refused' "${ERR%%$'\n'*}" 'pgc-backup run: notification template: {{jbo}} is not known'

# The dead man gets the last words, and one identifier for start and end.
status 'a warning before the end' 0 backup -d told --notify "ping+$hook/hc"
ids=$(said | sed -n 's/.*rid=\([0-9a-f-]*\) .*/\1/p')
is 'start and end belong together' "$(sort -u <<< "$ids" | wc -l) $(wc -l <<< "$ids")" '1 2'
status 'a store that fails' 69 env -u PGC_CA_FILE pgc-backup run --progress none --no-encryption -d told --store "$T/store" --store dav://127.0.0.1:1/x --notify "ping+$hook/hc"
like 'the log goes with it' "$(said | tr '\n' ' ')" '/hc/fail\?rid=[^ ]* None pgc backup: .* FAILED: .*(warn|error) '

# What a URL hides stays hidden: in its user, its path, its query.
for word in slack+ discord+ teams+ ntfy+ ping+ ''; do
  status "$word: somebody who is not there" 0 backup -d told --notify-success --notify "${word}http://user-s3cret:pass-s3cret@127.0.0.1:1/path-s3cret?token=query-s3cret"
  like "$word: is named by host" "$ERR" 'cannot tell of a run.* target=127.0.0.1:1 '
  unlike "$word: and by nothing else" "$ERR" s3cret
done
status 'a wrong scheme' 64 backup -d told --notify 'gopher://s3cret@host/s3cret'
unlike 'is refused without its secrets' "$ERR" s3cret
status 'an unknown gateway' 0 backup -d told --pushgateway 'http://u:s3cret@127.0.0.1:1/s3cret'
unlike 'is named without them too' "$ERR" s3cret
PGC_BACKUP_NOTIFY_SECRET=s3cret run pgc-backup run --store 'sftp://u:s3cret@127.0.0.1:1/x' -d told --no-encryption --notify "https://u:s3cret@127.0.0.1/s3cret" --show-config
unlike 'not in --show-config' "$OUT$ERR" s3cret
like 'which shows what is no secret' "$OUT" 'store = sftp://u:\*+@127.0.0.1:1/x .*notify = https://127.0.0.1/\*+ '
run pgc-backup list --store "$T/store" --database 'x' --show-config; like 'and plain values as they are' "$OUT" "store = $T/store "

# Who takes his time delays nothing for long, and nothing fails.
python3 tests/support/sink.py hang "$(cat "$T/hang.port" 2> "$T/up" || tests/support/free-port.sh | tee "$T/hang.port")" "$T/hung" & pids="$pids $!"
for _ in $(seq 100); do [ -s "$T/hung" ] && break; (: < "/dev/tcp/127.0.0.1/$(cat "$T/hang.port")") 2> "$T/up" && break; sleep 0.1; done
status 'a target that never answers' 0 timeout 60 pgc-backup run --progress none --no-encryption --store "$T/store" -d told --notify "ping+http://127.0.0.1:$(cat "$T/hang.port")/x"
like 'is given up, at the start and at the end' "$(grep -c 'cannot tell of a run' <<< "$ERR")" '^2$'
said > "$T/up"

# Metrics of a run that ends before it could be scraped.
prom=$T/prom/pgc.prom; mkdir "$T/prom"
status 'metrics to a file and a gateway' 0 backup -d told --job nightly --metrics-file "$prom" --pushgateway "$hook"
success=$(grep '^pgc_backup_last_success_timestamp_seconds{job_name="nightly"} 1[0-9]*$' "$prom")
like 'the last success' "$success" '[0-9]$'
is 'nothing else is in the folder' "$(ls -A "$T/prom")" pgc.prom
like 'pushed for this host' "$(said | tr '\n' ' ')" "^POST /metrics/job/pgc_backup/instance/$(hostname)/job_name/nightly None # HELP.*pgc_backup_last_success_timestamp_seconds"
ok 'in the form of the exposition format' python3 tests/support/exposition.py "$prom"
if command -v promtool > "$T/out"; then STDIN=$prom ok 'as Prometheus wants them' promtool check metrics
else skip 'promtool check metrics' 'promtool is not installed'; fi
status 'a failure' 69 backup -h /nonexistent -d told --job nightly --metrics-file "$prom" --pushgateway "$hook"
is 'keeps the last success in the file' "$(grep '^pgc_backup_last_success' "$prom")" "$success"
pushed=$(said | tr '\n' ' ')
like 'pushes the attempt' "$pushed" 'pgc_backup_last_attempt_timestamp_seconds\{job_name="nightly"\} 1'
unlike 'but no success' "$pushed" 'last_success'
like 'counts go on' "$(cat "$prom")" 'pgc_backup_runs_total\{job_name="nightly",result="success"\} 1.*result="failure"\} 1'
status 'a verification tells the same way' 0 pgc-backup verify --store "$T/store" --database told --progress none --job nightly --metrics-file "$T/prom/verify.prom" --notify-success --notify "$hook/json" --notify "ping+$hook/hc"
like 'under its own names' "$(cat "$T/prom/verify.prom")" 'pgc_backup_verified_timestamp_seconds\{job_name="nightly"\} 1'
told=$(said)
like 'to the hook' "$told" '"event":"verify.success","job":"nightly"'
unlike 'not to the dead man of the backups' "$told" '/hc'
ok 'its metrics' python3 tests/support/exposition.py "$T/prom/verify.prom"; rm "$T/prom/verify.prom"
status 'what cannot be written changes nothing' 0 backup -d told --metrics-file /nonexistent/x.prom --pushgateway http://127.0.0.1:1
like 'it is logged' "$ERR" 'cannot write metrics.*cannot push metrics'
status 'a gateway that is none' 64 backup -d told --pushgateway gw:9091
said > "$T/up"

# Mail.
smtp=$(tests/support/free-port.sh)
python3 tests/support/sink.py smtp "$smtp" "$T/mails" & pids="$pids $!"
for _ in $(seq 100); do (: < "/dev/tcp/127.0.0.1/$smtp") 2> "$T/up" && break; sleep 0.1; done
mailed() { cat "$T/mails"; : > "$T/mails"; }
[ -e "$T/mails" ] || touch "$T/mails"
mailed > "$T/up"
mailto="smtp://me@127.0.0.1:$smtp/?from=db@example.org&to=ops@example.org,dba@example.org"
PGC_BACKUP_SMTP_PASSWORD=hush status 'a failure by mail' 69 backup -h /nonexistent -d told --job nightly --notify "$mailto"
unlike 'without the password in what is said' "$ERR" 'hush'
mail=$(mailed | tr -d '\r')
like 'from, to all' "$mail" 'MAIL FROM:<db@example.org>.*RCPT TO:<ops@example.org>.*RCPT TO:<dba@example.org>'
like 'logged in' "$mail" "AUTH PLAIN
$(printf '\0me\0hush' | base64)"
like 'with a subject' "$(sed -n 's/^Subject: =?utf-8?B?\(.*\)?=/\1/p' <<< "$mail" | base64 -d)" '^pgc backup FAILED: nightly on '
like 'and the cause' "$(sed -n '/^Content-Transfer/,/^\.$/p' <<< "$mail" | sed '1,2d;$d' | base64 -d)" 'FAILED: .*nonexistent'
status 'no mail for a success' 0 backup -d told --notify "$mailto"
is 'unless asked' "$(mailed)" ''
status 'STARTTLS when asked' 69 backup -h /nonexistent -d told --notify "$mailto&tls=starttls"
like 'is required' "$ERR" 'cannot tell of a run.*(STARTTLS|SSL|TLS)'
unlike 'nothing is sent without it' "$(mailed)" 'AUTH|MAIL FROM'
status 'a password in the target' 64 backup -d told --notify "smtp://me:hush@mx/?from=a@b&to=c@d"
unlike 'is not repeated' "$ERR" hush

# Who was told of the start is told of the end although the run was interrupted.
sql -d told -c 'begin; lock table t in access exclusive mode; select pg_sleep(20)' > "$T/out" 2>&1 & locker=$!
pgc-backup run --progress none --no-encryption --store "$T/store" -d told --notify "ping+$hook/hc" 2> "$T/err" & pid=$!
for _ in $(seq 50); do grep -q '/hc/start' "$T/told" && break; sleep 0.1; done
sleep 0.5
kill -TERM "$pid"; wait "$pid"; RC=$?
is 'interrupted' "$RC $(cat "$T/err")" '143 pgc-backup run: interrupted by signal 15'
like 'and told' "$(said)" '/hc/fail\?rid=[0-9a-f-]{36} None .*interrupted'
kill "$locker"

# The scheduler tells; the run it starts does not a second time.
PGC_BACKUP_STORE=$T/store PGC_BACKUP_NO_ENCRYPTION=true PGC_BACKUP_DATABASE=told PGC_BACKUP_NOTIFY=$hook/once PGC_BACKUP_NOTIFY_SUCCESS=true \
  pgc-backup schedule --schedule '0 0 1 1 *' --run-on-start --no-listen 2> "$T/log" & pid=$!
for _ in $(seq 100); do grep -q '/once' "$T/told" && break; sleep 0.1; done
sleep 0.5
kill -TERM "$pid"; wait "$pid"
is 'told once' "$(said | grep -c '/once')" 1
finish
