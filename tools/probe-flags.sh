#!/bin/bash
# probe-flags.sh OUT WANTED_CFLAGS WANTED_LDFLAGS PKGS: asks $CC which flags it knows and pkg-config where the
# libraries are; writes make variables to OUT when something changed.
set -eu
out=$1 cflags=$2 ldflags=$3 pkgs=$4
key="$CC|$("$CC" --version 2>/dev/null | head -n 1)|$cflags|$ldflags|$pkgs"
if [ -s "$out" ] && [ "$(head -n 1 "$out")" = "# $key" ]; then exit 0; fi
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
echo 'int main(void){return 0;}' > "$tmp/t.c"
good_c='' good_ld=''
for f in $cflags; do
  "$CC" -Werror "$f" -c -o "$tmp/t.o" "$tmp/t.c" 2>/dev/null && good_c="$good_c $f"
done
for f in $ldflags; do
  "$CC" -Werror "$f" -o "$tmp/t" "$tmp/t.c" 2>/dev/null && good_ld="$good_ld $f"
done
{
  echo "# $key"
  echo "PROBED_CFLAGS :=$good_c"
  echo "PROBED_LDFLAGS :=$good_ld"
  # shellcheck disable=SC2086
  echo "PKG_CFLAGS := $(pkg-config --cflags $pkgs 2>/dev/null || true)"
  # shellcheck disable=SC2086
  echo "PKG_LIBS := $(pkg-config --libs $pkgs 2>/dev/null || true)"
} > "$tmp/flags.mk"
mv "$tmp/flags.mk" "$out"
