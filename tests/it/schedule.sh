#!/bin/bash
# pgc backup schedule: runs jobs, tells of them, catches up, skips, reloads, ends cleanly.
. "$(dirname "$0")/../support/lib.sh"
new_db sched
sql -d sched -c 'create table t as select generate_series(1,1000) n'
pgc-backup keygen -o "$T/key" 2> /dev/null
key=$(sed -n 's/^# public key: //p' "$T/key")
port=$(tests/support/free-port.sh); hook=$(tests/support/free-port.sh)
base=http://127.0.0.1:$port
cat > "$T/hook.py" << 'P'
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('content-length', 0)))
        open(sys.argv[2], 'ab').write(self.path.encode() + b' ' + str(self.headers.get('x-pgc-signature')).encode() + b' ' + body + b'\n')
        self.send_response(200); self.end_headers()
    def log_message(self, *a): pass
http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), H).serve_forever()
P
python3 "$T/hook.py" "$hook" "$T/told" & hook_pid=$!
for _ in $(seq 100); do curl -s -o "$T/up" -d up "http://127.0.0.1:$hook/up" && break; sleep 0.1; done
get() { python3 -c 'import sys,urllib.request,urllib.error
try: r=urllib.request.urlopen(sys.argv[1], timeout=5); print(r.status); sys.stdout.write(r.read().decode())
except urllib.error.HTTPError as e: print(e.code); sys.stdout.write(e.read().decode())' "$1" 2>&1; }
until_true() { for _ in $(seq 100); do eval "$1" && return 0; sleep 0.2; done; return 1; }
config() {
  cat > "$T/jobs.json" << J
{"jobs": [{"name": "app", "schedule": "$1", "args": ["-d", "dbname=sched", "--store", "$T/store", "--recipient", "$key"${2:-}], "catch_up": ${3:-true}}]}
J
}
start() { pgc-backup schedule --config "$T/jobs.json" --listen "127.0.0.1:$port" --notify "http://127.0.0.1:$hook/json" --notify "ping+http://127.0.0.1:$hook/hc" "$@" > "$T/out" 2> "$T/log" & pid=$!; }
stop() { kill -TERM "$pid"; wait "$pid"; RC=$?; }

config '@every 1s'
PGC_BACKUP_NOTIFY_SECRET=hush start --notify-success
ok 'a job runs' until_true "[ \$(pgc-backup list --store '$T/store' 2> /dev/null | wc -l) -ge 2 ]"
like 'healthy' "$(get "$base"/healthz)" '^200'
metrics=$(get "$base"/metrics)
like 'last success as a metric' "$metrics" 'pgc_backup_last_success_timestamp_seconds\{job_name="app"\} 1[0-9]{9}'
like 'runs as a counter' "$metrics" 'pgc_backup_runs_total\{job_name="app",result="success"\} [1-9]'
curl -s "$base/metrics" > "$T/scrape"
ok 'in the form of the exposition format' python3 tests/support/exposition.py "$T/scrape"
like 'the page' "$(get "$base"/)" 'row>app<.*@every 1s'
like 'the status' "$(get "$base"/status.json)" '"name":"app","schedule":"@every 1s","timezone":"UTC","command":"run"'
like 'nothing else' "$(get "$base"/../etc/passwd)" '^404'
stop
ok 'ends with 0 or 143 on SIGTERM' test "$RC" -eq 0 -o "$RC" -eq 143
like 'a success is told, signed' "$(cat "$T/told")" '/json sha256=[0-9a-f]{64} \{"event":"backup.success","job":"app"'
like 'a ping at the start' "$(cat "$T/told")" '/hc/start\?rid='
sig=$(sed -n 's/^\/json sha256=\([0-9a-f]*\) .*/\1/p' "$T/told" | head -n 1)
body=$(sed -n 's/^\/json sha256=[0-9a-f]* //p' "$T/told" | head -n 1)
is 'the signature is the HMAC of the body' "$(printf %s "$body" | openssl dgst -sha256 -hmac hush -r | cut -d' ' -f1)" "$sig"
unlike 'no secret in the log' "$(cat "$T/log")" 'hush'

: > "$T/told"
config '0 0 1 1 *'
start
ok 'the store tells the last success after a restart' until_true "get $base/metrics | grep -q 'pgc_backup_last_success_timestamp_seconds{job_name=\"app\"} 1'"
runs=$(pgc-backup list --store "$T/store" | wc -l)
config '@every 1s'
kill -HUP "$pid"
ok 'SIGHUP takes the new schedule' until_true "[ \$(pgc-backup list --store '$T/store' | wc -l) -gt $runs ]"
echo '{"jobs": [{"name": "app"}]}' > "$T/jobs.json"
kill -HUP "$pid"
ok 'a broken configuration is told' until_true "grep -q 'has no' '$T/log'"
like 'and the old one stays' "$(get "$base"/livez)" '^200'
stop

config '@every 1s' ', "--client-dir", "/nonexistent"' false
: > "$T/told"
start
ok 'a failing job is counted' until_true "get $base/metrics | grep -q 'result=\"failure\"} [1-9]'"
stop
like 'a failure is told' "$(cat "$T/told")" '/json None \{"event":"backup.failure"'
like 'to the dead man too' "$(cat "$T/told")" '/hc/fail\?rid='

# The policy of a job is for what it backs up, in each of its stores; its neighbours stay.
new_db sched2
for _ in 1 2; do for d in sched sched2; do pgc-backup run -d "dbname=$d" --store "$T/one" --store "$T/two" --recipient "$key" > "$T/o" 2>&1; done; done
cat > "$T/jobs.json" << J
{"jobs": [{"name": "app", "schedule": "0 0 1 1 *", "run_on_start": true, "prune": ["--keep-last", "1", "--keep-min", "0"],
  "args": ["-d", "dbname=sched", "--store", "$T/one", "--store=$T/two", "--recipient", "$key"]}]}
J
start
ok 'a job that prunes ends well' until_true "get $base/metrics | grep -q 'result=\"success\"} 1'"
stop
for st in one two; do
  is "its own backups go, in store $st" "$(pgc-backup list --store "$T/$st" --database sched | wc -l)" 1
  is "those of others stay, in store $st" "$(pgc-backup list --store "$T/$st" --database sched2 | wc -l)" 2
done
cat > "$T/jobs.json" << J
{"jobs": [{"name": "absent", "schedule": "0 0 1 1 *", "args": ["--database", "sched3", "--store", "$T/one", "--recipient", "$key"]}]}
J
start
ok 'the backups of others are no success' until_true "get $base/metrics | grep -q 'last_success_timestamp_seconds{job_name=\"absent\"} 0'"
stop

# A dump that hangs: overlap is skipped, SIGTERM aborts it, nothing stays.
sql -d sched -c 'begin; lock table t in access exclusive mode; select pg_sleep(20)' > /dev/null 2>&1 & locker=$!
rm -rf "$T/store"
config '@every 1s' '' false
start
ok 'an overlapping activation is skipped and counted' until_true "get $base/metrics | grep -q 'result=\"skipped\"} [1-9]'"
begin=$SECONDS
stop
is 'an aborted job is no success' "$RC" 143
ok 'it ends in time' test $((SECONDS - begin)) -le 12
is 'and leaves nothing in the store' "$(find "$T/store" -type f 2> /dev/null | wc -l)" 0
is 'no child is left' "$(pgrep -P "$pid" 2> /dev/null | wc -l)" 0
kill "$locker" 2> /dev/null

rm -rf "$T/store"
status 'check prints the next runs' 0 env TZ=America/New_York pgc-backup schedule --schedule '30 2 * * *' --tz Europe/Berlin --check
like 'in the zone of the job' "$OUT" $'^backup\trun\t20[0-9-]+T02:30:00\+0[12]:00$'
status 'a bad expression' 64 pgc-backup schedule --schedule '61 * * * *' --check
status 'an unknown zone' 64 pgc-backup schedule --schedule '@daily' --tz Mars/Base --check
status 'no schedule' 64 pgc-backup schedule
status 'an unknown member' 78 pgc-backup schedule --config <(echo '{"jobs":[{"name":"a","schedule":"@daily","frequency":"x"}]}') --check
like 'is named' "$ERR" "job 'a': \"frequency\": is not known"
kill "$hook_pid"
finish
