#!/bin/bash
# pgc backup schedule: verification by schedule, its record and its alarms; lateness; what was missed, asked of every store.
. tests/support/lib.sh
new_db proof
new_db other
sql -d proof -c 'create table t as select generate_series(1,1000) n'
port=$(tests/support/free-port.sh); hook=$(tests/support/free-port.sh)
base=http://127.0.0.1:$port
python3 tests/support/sink.py http "$hook" "$T/told" & hook_pid=$!
trap 'kill $hook_pid' EXIT
for _ in $(seq 100); do curl -s -o "$T/up" -d up "http://127.0.0.1:$hook/up" && break; sleep 0.1; done
get() { curl -s -m 5 -w '\n%{http_code}' "$base$1"; }
until_true() { for _ in $(seq 150); do eval "$1" && return 0; sleep 0.2; done; return 1; }
start() { : > "$T/told"; pgc-backup schedule --config "$T/jobs.json" --listen "127.0.0.1:$port" --notify "http://127.0.0.1:$hook/json" --notify "ping+http://127.0.0.1:$hook/hc" "$@" > "$T/out" 2> "$T/log" & pid=$!; }
stop() { kill -TERM "$pid"; wait "$pid"; }
# config SCHEDULE VERIFY_SCHEDULE MORE: job "app" for database proof in two stores.
config() {
  cat > "$T/jobs.json" << J
{"jobs": [{"name": "app", "schedule": "$1", "args": ["-d", "dbname=proof", "--store", "$T/one", "--store", "$T/two", "--no-encryption"],
  "verify": {"schedule": "$2", "level": 2, "args": ["-d", "postgres"]}${3:-}}]}
J
}
yearly='0 0 1 1 *'
backup() { pgc-backup run --progress none --no-encryption -d "dbname=$1" "${@:2}" > "$T/o" 2>&1; }
backup proof --store "$T/one" --store "$T/two"
backup other --store "$T/one"

# Proof, and its record.
config "$yearly" '@every 1s'
start
ok 'backups are verified by schedule' until_true "get /metrics | grep -q 'pgc_backup_verified_timestamp_seconds{job_name=\"app\"} 1'"
like 'counted under a name of their own' "$(get /metrics)" 'pgc_backup_verify_runs_total\{job_name="app",result="success"\} [1-9]'
like 'the page shows it' "$(get /)" '> restored<'
stop
for st in one two; do
  is "noted in store $st, of this job alone" "$(pgc-backup list --store "$T/$st" | grep -c '  proof  restored  verified$')" 1
done
is 'the neighbour stays unproven' "$(pgc-backup list --store "$T/one" --database other | grep -c verified)" 0
id=$(pgc-backup list --store "$T/one" --database proof | cut -d' ' -f1)
folder=$T/one/main/proof/$id
is 'the record names the manifest' "$(jq -r .manifest_sha256 "$folder/verified.json")" "$(sha256sum < "$folder/manifest.json" | cut -d' ' -f1)"
like 'show says it too' "$(pgc-backup show --store "$T/one" "$id" | jq -c .marks)" '"pinned":false,"verified":"20.*","restored":"20.*","verification_failed":null'
cp "$folder/verified.json" "$T/record"; jq '.manifest_sha256 |= sub("^.."; "zz")' "$T/record" > "$folder/verified.json"
is 'a record of another manifest proves nothing' "$(pgc-backup list --store "$T/one" --database proof | grep -c verified)" 0
cp "$T/record" "$folder/verified.json"
config "$yearly" "$yearly"
start
ok 'after a restart the stores tell of it' until_true "get /metrics | grep -q 'pgc_backup_verified_timestamp_seconds{job_name=\"app\"} 1'"
like 'all is well' "$(get /healthz)" '^ok'
stop

# Damage, in the second store only.
dump=$(echo "$T/two/main/proof/$id"/dump.*)
cp "$dump" "$T/dump"
printf 'X' | dd of="$dump" bs=1 seek=100 conv=notrunc 2> /dev/null
config "$yearly" '@every 2s'
start
ok 'damage is an alarm' until_true "get /healthz | grep -q 'job app:verify: a backup is damaged'"
like 'unhealthy' "$(get /healthz)" '503$'
like 'as a metric' "$(get /metrics)" 'pgc_backup_verify_healthy\{job_name="app"\} 0'
like 'on the page' "$(get /)" '> damaged<.*Verification:'
ok 'told' until_true "grep -q '/json None .\"event\":\"verify.failure\",\"job\":\"app\"' '$T/told'"
ok 'to the dead man too' until_true "grep -q '/hc/fail' '$T/told'"
unlike 'who hears of no other verification' "$(cat "$T/told")" '/hc/start|/hc\?'
stop
like 'the store remembers it' "$(pgc-backup list --store "$T/two")" '  proof  DAMAGED$'
is 'a damaged one does not count for retention' "$(pgc-backup prune --store "$T/two" --keep-last 1 --keep-min 0 --dry-run)" \
  "keep    $id  proof  damaged: neither counted nor deleted"
config "$yearly" "$yearly"
start
ok 'the alarm outlives a restart' until_true "get /healthz | grep -q 'job app:verify: a backup is damaged'"
stop
cp "$T/dump" "$dump"
ok 'a new proof' pgc-backup verify --store "$T/two" --level 1
is 'ends it' "$(pgc-backup list --store "$T/two" | grep -c 'DAMAGED')" 0

# Late: told once, not every time somebody looks.
config "$yearly" "$yearly" ', "max_age": "1s"'
start --notify-success
ok 'a success that is too old is told' until_true "grep -q '/json None .\"event\":\"backup.late\",\"job\":\"app\".*the last success was at' '$T/told'"
like 'the check is unhealthy' "$(get /healthz)" 'job app: last success 20[^ ]*Z.*503$'
like 'the metric too' "$(get /metrics)" 'pgc_backup_healthy\{job_name="app"\} 0'
sleep 2.5
is 'once' "$(grep -c 'backup.late' "$T/told")" 1
stop

# Missed: every store is asked, for this job's database only.
older() { # older STORE DATABASE: its newest backup is made three days old
  python3 - "$1/main/$2" << 'P'
import hashlib, os, re, sys
root = sys.argv[1]
name = sorted(os.listdir(root))[-1]
old = '20200101T000000Z' + name[16:]
os.rename(os.path.join(root, name), os.path.join(root, old))
path = os.path.join(root, old, 'manifest.json')
lines = open(path).read().replace(name, old).splitlines(keepends=True)
lines = [re.sub('("(started|finished)": ")20[^"]*', r'\g<1>2020-01-01T00:00:01Z', l) for l in lines]
rest = ''.join(l for l in lines if '"checksum"' not in l)
digest = hashlib.sha256(rest.encode()).hexdigest()
open(path, 'w').write(''.join(re.sub('[0-9a-f]{64}', digest, l) if '"checksum"' in l else l for l in lines))
P
}
count() { pgc-backup list --store "$T/$1" --database proof | wc -l; }
rm -rf "$T/one" "$T/two"
backup proof --store "$T/one" --store "$T/two"
backup other --store "$T/two"
config '0 0 * * *' "$yearly"
start
ok 'what every store has is not made up for' until_true "get /metrics | grep -q 'last_success_timestamp_seconds{job_name=\"app\"} 1'"
unlike 'nothing was missed' "$(cat "$T/log")" 'missed'
stop
older "$T/two" proof
mv "$T/two" "$T/away"; : > "$T/two"
start
ok 'a store that does not answer is told' until_true "grep -q 'cannot read what the stores hold' '$T/log'"
is 'nothing is made up for' "$(count one)" 1
is 'once' "$(grep -c 'cannot read what the stores hold.* job=app ' "$T/log")" 1
rm "$T/two"; mv "$T/away" "$T/two"
ok 'when it answers, the store that misses one has it made up for' until_true "[ \$(count two) = 2 ]"
like 'as the log says' "$(cat "$T/log")" 'an activation was missed: running now'
stop
is 'in all stores' "$(count one)" 2

# Configuration: arguments are read before the jobs are due.
good=$(cat "$T/jobs.json")
start
ok 'it runs' until_true "get /livez | grep -q ok"
echo '{"jobs": [{"name": "x", "schedule": "@daily", "args": ["--stoer", "a"]}]}' > "$T/jobs.json"
kill -HUP "$pid"
ok 'a new configuration with wrong arguments is told' until_true "grep -q 'the old one stays.*unknown option .--stoer' '$T/log'"
like 'and the old one stays' "$(get /status.json)" '"name":"app"'
stop
status 'it is refused at start' 78 pgc-backup schedule --config "$T/jobs.json" --no-listen
is 'with its cause' "$ERR" "pgc-backup schedule: job 'x': \"args\": unknown option '--stoer'"
status 'and by --check' 78 pgc-backup schedule --config "$T/jobs.json" --check
echo "$good" | jq '.jobs[0].prune = ["--keep-dayly", "1"]' > "$T/jobs.json"
status 'the policy too' 78 pgc-backup schedule --config "$T/jobs.json" --check
like 'is read' "$ERR" "job 'app': \"prune\": unknown option '--keep-dayly'"

# The environment of a job.
cat > "$T/jobs.json" << J
{"jobs": [{"name": "env", "schedule": "$yearly", "run_on_start": true, "prune": ["--keep-last", "1", "--keep-min", "0"],
  "environment": {"PGDATABASE": "other", "PGC_BACKUP_STORE": "$T/env", "PGC_BACKUP_NO_ENCRYPTION": "true"},
  "prune_environment": {"PGC_BACKUP_KEEP_LAST": null}}]}
J
for _ in 1 2; do PGC_BACKUP_STORE=$T/env backup other; done
PGDATABASE=proof start
ok 'a job has an environment of its own' until_true "get /metrics | grep -q 'runs_total{job_name=\"env\",result=\"success\"} 1'"
stop
is 'and prunes there' "$(pgc-backup list --store "$T/env" --database other | wc -l)" 1
finish
