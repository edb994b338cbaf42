#!/bin/bash
# rootfs.sh DIR [--upload] PROGRAM...: puts programs and the shared libraries that they load into DIR, at their own paths.
# --upload adds what a program needs that talks to the world: the certificate bundle and the time zones.
set -eu
root=$1
shift
if [ "$1" = --upload ]; then
  shift
  install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  mkdir -p "$root/usr/share"
  cp -r /usr/share/zoneinfo "$root/usr/share/"
  rm -rf "$root"/usr/share/zoneinfo/{posix,right}
fi
for f; do install -D -m 755 "$f" "$root$f"; done
# pgc-ready loads libpq and OpenSSL only when a connection needs them, so the linker does not name them.
mapfile -t on_demand < <(grep -haoE 'lib(pq|ssl)\.so\.[0-9]+' "$@" | sort -u | while read -r name; do
  ldconfig -p | awk -v name="$name" '$1 == name { print $NF; exit }'
done)
for f in "${on_demand[@]}"; do install -D -m 755 "$f" "$root$f"; done
ldd "$@" "${on_demand[@]}" | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\/.*ld-linux/ { print $1 }' | sort -u | while read -r f; do
  install -D -m 755 "$f" "$root$f"
done
