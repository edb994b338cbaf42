#!/bin/bash
# A throw-away SSH server for SFTP tests on 127.0.0.1: sshd.sh start DIR PORT | stop DIR | check
# start makes DIR/host_key, DIR/user_key (the key that may log in as the current user) and DIR/known_hosts.
set -eu
sshd=$(command -v sshd || echo /usr/sbin/sshd)
case ${1:-} in
check)
  if [ -x "$sshd" ] && command -v ssh-keygen > /dev/null; then exit 0; fi
  echo "missing: sshd, ssh-keygen (packages openssh-server openssh-client)"; exit 1 ;;
start)
  dir=$2 port=$3
  mkdir -p "$dir"; chmod 700 "$dir"
  [ "$(id -u)" != 0 ] || mkdir -p /run/sshd # privilege separation wants it
  [ -e "$dir/host_key" ] || ssh-keygen -q -t ed25519 -N '' -f "$dir/host_key"
  [ -e "$dir/user_key" ] || ssh-keygen -q -t ed25519 -N '' -f "$dir/user_key"
  cp "$dir/user_key.pub" "$dir/authorized_keys"
  echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$dir/host_key.pub")" > "$dir/known_hosts"
  cat > "$dir/sshd_config" << CONF
Port $port
ListenAddress 127.0.0.1
HostKey $dir/host_key
AuthorizedKeysFile $dir/authorized_keys
PidFile $dir/sshd.pid
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
LogLevel VERBOSE
Subsystem sftp internal-sftp
CONF
  "$sshd" -f "$dir/sshd_config" -E "$dir/sshd.log"
  for _ in $(seq 100); do (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null && exit 0; sleep 0.05; done
  cat "$dir/sshd.log" >&2; exit 1 ;;
stop) [ ! -e "$2/sshd.pid" ] || kill "$(cat "$2/sshd.pid")" 2> /dev/null || true ;;
*) echo "usage: $0 start DIR PORT | stop DIR | check" >&2; exit 64 ;;
esac
