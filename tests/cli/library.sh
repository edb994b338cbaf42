#!/bin/bash
# libpgc.so exports what the public headers declare, all of it and nothing else.
. "$(dirname "$0")/../support/lib.sh"
declared=$(grep -ohE '\bpgc_[a-z_0-9]+\(' include/pgc/*.h | tr -d '(' | sort -u)
inline=$(grep -ohE 'static inline [a-z0-9_ *]+\bpgc_[a-z_0-9]+\(' include/pgc/*.h | grep -oE 'pgc_[a-z_0-9]+\(' | tr -d '(')
exported=$(nm -D --defined-only "$B/libpgc.so.0" | awk '$2 ~ /[TDB]/ { sub(/@.*/, "", $3); print $3 }' | sort -u)
for name in $exported; do
  if grep -qx "$name" <<< "$declared"; then pass "$name is declared"; else fail "$name is exported but not declared"; fi
done
for name in $declared; do
  grep -qx "$name" <<< "$inline" && continue
  # Macros and what comments mention look like functions too.
  grep -qE "^#define $name\\(" include/pgc/*.h && continue
  grep -qE "^[^/* ].*\\b$name\\(" include/pgc/*.h || continue
  if grep -qx "$name" <<< "$exported"; then pass "$name is exported"; else fail "$name is declared but not exported"; fi
done
like 'the soname' "$(readelf -d "$B/libpgc.so.0")" 'soname: \[libpgc.so.0\]'
closure=$(readelf -d "$B/bin/pgc-ready" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p')
unlike 'pgc-ready needs no curl, zstd, microhttpd' "$closure" 'curl|zstd|microhttpd|lzma|jansson'
finish
