#!/bin/bash
# Keys of the backup host that may not delete, and others for pruning: by hand and by schedule, on an S3 server that knows both.
# shellcheck source=tests/support/lib.sh
. tests/support/lib.sh
# shellcheck source=tests/support/fault-s3.sh
. tests/support/fault-s3.sh
new_db pk
serve
writer() { AWS_ACCESS_KEY_ID=WR "$@"; }
objects() { ask _state | jq -r '.objects | length'; }
backup() { writer pgc-backup run --progress none --no-encryption -d dbname=pk --store "$URL" > "$T/o" 2>&1; }
for i in 1 2 3; do ok "backup $i, by keys that may not delete" backup; done
before=$(objects)

status 'these keys cannot prune' 77 writer pgc-backup prune --store "$URL" --keep-last 1 --keep-min 0
like 'as the error says' "$ERR" 'cannot delete backup .*'
is 'nothing is half deleted' "$(objects)" "$before"
is 'and all of them are good' "$(pgc-backup list --store "$URL" --json | jq '[.backups[] | select(.problem == null)] | length')" 3
status 'a dry run needs no such keys' 0 writer pgc-backup prune --store "$URL" --keep-last 1 --keep-min 0 --dry-run
is 'and says what would go' "$(grep -c '^remove' <<< "$OUT")" 2

# The scheduler: the keys of the backup for the run, others for pruning.
port=$(tests/support/free-port.sh)
job() { # job PRUNE_ENVIRONMENT
  cat > "$T/jobs.json" << J
{"jobs": [{"name": "app", "schedule": "0 0 1 1 *", "run_on_start": true, "prune": ["--keep-last", "1", "--keep-min", "0"],
  "args": ["-d", "dbname=pk", "--store", "$URL", "--no-encryption"], "environment": {"AWS_ACCESS_KEY_ID": "WR"}, "prune_environment": $1}]}
J
}
until_metric() { for _ in $(seq 150); do curl -s "http://127.0.0.1:$port/metrics" > "$T/metrics"; grep -q "$1" "$T/metrics" && return 0; sleep 0.2; done; return 1; }
start() { pgc-backup schedule --config "$T/jobs.json" --listen "127.0.0.1:$port" 2> "$T/log" & pid=$!; }
end() { kill -TERM "$pid"; wait "$pid"; }
job '{}'
start
ok 'pruning by the keys of the backup fails' until_metric 'runs_total{job_name="app",result="failure"} 1'
end
like 'and says that the backup is stored' "$(cat "$T/log")" 'the backup is stored, but pruning failed: cannot delete'
like 'which counts as a backup' "$(cat "$T/metrics")" 'last_success_timestamp_seconds\{job_name="app"\} 1'
is 'nothing went' "$(pgc-backup list --store "$URL" | wc -l)" 4
job '{"AWS_ACCESS_KEY_ID": "AK"}'
start
ok 'with keys of its own it prunes' until_metric 'runs_total{job_name="app",result="success"} 1'
end
is 'all but the newest' "$(pgc-backup list --store "$URL" | wc -l)" 1
is 'and nothing of the others is left' "$(objects)" "$((before / 3))"

# A backup that fails prunes nothing.
backup; backup
jq '.jobs[0].args += ["--client-dir", "/nonexistent"]' "$T/jobs.json" > "$T/new" && mv "$T/new" "$T/jobs.json"
start
ok 'a backup that fails' until_metric 'runs_total{job_name="app",result="failure"} 1'
end
is 'prunes nothing' "$(pgc-backup list --store "$URL" | wc -l)" 3
finish
