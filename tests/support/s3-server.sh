#!/bin/bash
# A throw-away S3 server: OpenStack Swift with its s3api middleware, on loopback only, as four Python processes.
# s3-server.sh start|stop|check    check: exit 0 when the packages are there, else says which are missing
# S3_DIR: configuration, data, logs (required). S3_PORT: the S3 endpoint; the next four ports are used too (18080).
# S3_CONF: more lines for [filter:s3api], e.g. "max_upload_part_num = 5". Access key test:tester, secret testing.
set -eu
need() {
  local program missing=''
  for program in swift-proxy-server swift-account-server swift-container-server swift-object-server swift-ring-builder memcached curl; do
    command -v "$program" > /dev/null || missing="$missing $program"
  done
  [ -z "$missing" ] || { echo "missing:$missing (packages swift-proxy swift-account swift-container swift-object memcached curl)"; return 1; }
}
[ "${1:-}" != check ] || { need; exit; }
: "${S3_DIR:?folder for configuration, data and logs}" "${S3_PORT:=18080}"
me=$(id -un)

storage() { # storage NAME PORT: one server with one device
  cat > "$S3_DIR/etc/$1-server.conf" << CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $2
workers = 0
user = $me
swift_dir = $S3_DIR/etc
devices = $S3_DIR/srv
mount_check = false
[pipeline:main]
pipeline = $1-server
[app:$1-server]
use = egg:swift#$1
CONF
  swift-ring-builder "$S3_DIR/etc/$1.builder" create 4 1 1
  swift-ring-builder "$S3_DIR/etc/$1.builder" add "r1z1-127.0.0.1:$2/sda1" 1
  swift-ring-builder "$S3_DIR/etc/$1.builder" rebalance
}

proxy_conf() { # s3api must stand before tempauth; slo makes multipart; cache is required even when memcached dies
  cat > "$S3_DIR/etc/proxy-server.conf" << CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $S3_PORT
workers = 0
user = $me
swift_dir = $S3_DIR/etc
[pipeline:main]
pipeline = cache s3api tempauth slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
error_suppression_limit = 1000000
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$((S3_PORT + 4))
[filter:s3api]
use = egg:swift#s3api
${S3_CONF:-}
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:slo]
use = egg:swift#slo
allow_async_delete = false
CONF
}

run() { # run NAME COMMAND...
  local name=$1
  shift
  "$@" > "$S3_DIR/log/$name.log" 2>&1 &
  echo $! > "$S3_DIR/run/$name.pid"
}

ready() { # /info answers before the storage servers listen, so those are asked too
  local i
  for i in 1 2 3; do (: < "/dev/tcp/127.0.0.1/$((S3_PORT + i))") 2> /dev/null || return 1; done
  curl -fsS -o /dev/null "http://127.0.0.1:$S3_PORT/info" 2> /dev/null
}

start() {
  need
  mkdir -p "$S3_DIR"/{etc,srv/sda1,log,run}
  if [ ! -s /etc/swift/swift.conf ]; then # the only path outside S3_DIR that Swift insists on
    mkdir -p /etc/swift
    printf '[swift-hash]\nswift_hash_path_prefix = pgc\nswift_hash_path_suffix = pgc\n[storage-policy:0]\nname = Policy-0\ndefault = yes\n' > /etc/swift/swift.conf
  fi
  if [ ! -s "$S3_DIR/etc/object.ring.gz" ]; then
    { storage object $((S3_PORT + 1)); storage container $((S3_PORT + 2)); storage account $((S3_PORT + 3)); } > "$S3_DIR/log/rings.log"
  fi
  proxy_conf
  run memcached memcached -u "$me" -l 127.0.0.1 -p $((S3_PORT + 4))
  for s in account container object proxy; do run "$s" "swift-$s-server" -v "$S3_DIR/etc/$s-server.conf"; done
  for _ in $(seq 300); do ready && return 0; sleep 0.2; done
  echo "the S3 server did not answer on port $S3_PORT, see $S3_DIR/log" >&2
  return 1
}

stop() { # only what was started here, by process id
  local file pid
  for file in "$S3_DIR"/run/*.pid; do
    [ -e "$file" ] || continue
    pid=$(cat "$file")
    kill "$pid" 2> /dev/null || true
    kill -CONT "$pid" 2> /dev/null || true
    for _ in $(seq 50); do [ -e "/proc/$pid/exe" ] || break; sleep 0.1; done
    rm -f "$file"
  done
}

case ${1:-} in start) start ;; stop) stop ;; *) echo "usage: $0 start|stop|check" >&2; exit 64 ;; esac
