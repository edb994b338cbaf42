# shellcheck shell=bash
# pgbouncer in transaction mode before the test's server; sourced behind lib.sh. bouncer_start SIZE (connections of a pool) sets
# $bouncer_port, bouncer_stop ends it; "$(pooled DB)" is the way in. Skips and returns 1 where it is not installed.
bouncer_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bouncer_start() {
  command -v pgbouncer > /dev/null || { skip "pgbouncer" "it is not installed"; return 1; }
  bouncer_port=$("$bouncer_here/free-port.sh")
  cat > bouncer.ini << E
[databases]
* = host=$PGHOST port=$PGPORT user=$PGUSER
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $bouncer_port
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = $1
max_client_conn = 100
ignore_startup_parameters = extra_float_digits,options
logfile = $T/bouncer.log
E
  chmod 755 "$T"; touch bouncer.log; chmod 666 bouncer.log bouncer.ini
  local as=()
  [ "$(id -u)" != 0 ] || as=(setpriv --reuid=nobody --regid=nogroup --clear-groups --)
  "${as[@]}" pgbouncer "$T/bouncer.ini" > /dev/null 2>&1 &
  bouncer=$!
  for _ in $(seq 50); do (: < "/dev/tcp/127.0.0.1/$bouncer_port") 2> /dev/null && break; sleep 0.1; done
}
bouncer_stop() { kill "$bouncer"; wait "$bouncer" 2> /dev/null; }
pooled() { echo "host=127.0.0.1 port=$bouncer_port dbname=$1 user=$PGUSER"; }
