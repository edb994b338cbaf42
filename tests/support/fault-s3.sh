# shellcheck shell=bash
# The misbehaving S3 server for shell tests; a script sources this after lib.sh.
#   serve FAULT...        a fresh, empty server; sets PORT and URL (of bucket bkt, prefix p, small parts, few attempts)
#   probe WHAT [PARAMS]   one store operation there; its result lines
#   state                 objects and open uploads     counter NAME: one of its counters
#   seen OPERATION HEADER...   these headers of the last such request, separated by blanks ("-" when absent)
# shellcheck disable=SC2034 # read by the scripts
unset "${!AWS_@}" http_proxy https_proxy no_proxy NO_PROXY HTTPS_PROXY all_proxy
export AWS_ACCESS_KEY_ID=AK AWS_SECRET_ACCESS_KEY=SK AWS_EC2_METADATA_DISABLED=true HOME=$T
OPTIONS='part_size=64KiB&attempts=4&stall=2s'
SERVER='' PORT='' URL='' SCHEME=http
stop() { [ -z "$SERVER" ] || { kill "$SERVER" 2> /dev/null; wait "$SERVER" 2> /dev/null; }; SERVER=''; }
trap stop EXIT
serve() {
  stop
  rm -f "$T/port"
  python3 tests/support/fault_s3.py "$T/port" "$@" > "$T/server.log" 2>&1 &
  SERVER=$!
  for _ in $(seq 200); do [ -s "$T/port" ] && break; sleep 0.05; done
  PORT=$(cat "$T/port") URL="s3://bkt/p?endpoint=$SCHEME://127.0.0.1:$(cat "$T/port")&$OPTIONS"
}
probe() { PGC_PROBE_URL="$URL${2:+&$2}" PGC_PROBE="$1" "$B/tests/unit" store_probe 2> "$T/probe.err" | grep -E '^(result|object|swept) '; }
ask() { curl -sk "$SCHEME://127.0.0.1:$PORT/$1"; }
state() { ask _state | python3 -c 'import json,sys; d=json.load(sys.stdin); print(d["objects"], d["uploads"])'; }
counter() { ask _state | python3 -c 'import json,sys; d=json.load(sys.stdin); print(d.get(sys.argv[1], d["count"].get(sys.argv[1], 0)))' "$1"; }
seen() { ask "_seen?op=$1" | python3 -c 'import json,sys; d=json.load(sys.stdin); print(*(d.get(h, "-") for h in sys.argv[1:]))' "${@:2}"; }
