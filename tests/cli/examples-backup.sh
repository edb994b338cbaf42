#!/bin/bash
# The configurations in the guide and the examples are such that the scheduler takes them.
# shellcheck source=tests/support/lib.sh
. tests/support/lib.sh
check() { # check NAME FILE
  status "$1" 0 pgc-backup schedule --config "$2" --check
  like "$1: a backup and its verification" "$OUT" $'^app\trun\t20.*\napp:verify\tverify\t20'
}
check 'beside the compose file' examples/backup/backup.json
sed -n '/^  backup\.json: |$/,/^---$/p' examples/backup/kubernetes.yaml | sed '1d;$d' > "$T/map.json"
check 'in the ConfigMap' "$T/map.json"
# shellcheck disable=SC2016 # backquotes of Markdown
sed -n '/^```json$/,/^```$/p' docs/backup.md | sed -n '/"jobs"/,/^```$/p' | sed '/^```/d' > "$T/guide.json"
check 'in the guide' "$T/guide.json"
# shellcheck disable=SC2016
template=$(sed -n '/^```json$/,/^```$/p' docs/backup.md | grep '{{event}}')
PGC_BACKUP_NOTIFY_TEMPLATE=$template status 'the template in the guide' 0 pgc-backup schedule --schedule @daily --check
if python3 -c 'import yaml' 2> "$T/o"; then
  ok 'the manifest is YAML, its names fit' python3 -c '
import sys, yaml
config, deployment = yaml.safe_load_all(open("examples/backup/kubernetes.yaml"))
pod = deployment["spec"]["template"]
assert pod["metadata"]["labels"] == deployment["spec"]["selector"]["matchLabels"]
volumes = {v["name"]: v for v in pod["spec"]["volumes"]}
box = pod["spec"]["containers"][0]
assert {m["name"] for m in box["volumeMounts"]} == set(volumes)
assert volumes["config"]["configMap"]["name"] == config["metadata"]["name"]
assert box["args"][2] == box["volumeMounts"][0]["mountPath"] + "/" + list(config["data"])[0]
assert all(box[p]["httpGet"]["port"] in [q["name"] for q in box["ports"]] for p in ("startupProbe", "livenessProbe", "readinessProbe"))
assert pod["spec"]["terminationGracePeriodSeconds"] > 45'
else skip 'the manifest as YAML' 'python3-yaml is not installed'; fi
finish
