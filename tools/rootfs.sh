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

# What the loader maps at start, and what a program asks for later by name (pgc-ready opens libpq only when it must).
known=$(ldconfig -p)
named=$(strings -a "$@" | grep -E '^lib[A-Za-z0-9_+-]+\.so\.[0-9]+$' | sort -u || true)
late=()
for name in $named; do
  path=$(awk -v n="$name" '$1 == n { print $NF; exit }' <<< "$known")
  [ -z "$path" ] || late+=("$path")
done
{
  [ ${#late[@]} -eq 0 ] || printf '%s\n' "${late[@]}"
  ldd "$@" "${late[@]}" | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\/.*ld-linux/ { print $1 }'
} | sort -u | while read -r f; do
  install -D -m 755 "$f" "$root$f"
done
