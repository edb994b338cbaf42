#!/bin/bash
# lint.sh [CHECK...]: what a machine can say about the source. Without arguments all checks:
#   layers homes format sizes headers quiet scripts words
# Prints what is wrong and ends with the line "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
all=(layers homes format sizes headers quiet scripts words)
tracked() { git -c safe.directory='*' ls-files -co --exclude-standard -- "$@" | while read -r f; do [ -f "$f" ] && echo "$f"; done; }

# An include goes down or stays in its folder: base < io < os, net < pg, store < script < domains < cli < bin.
layers() {
  tracked 'lib/*.[ch]' 'bin/*.[ch]' | xargs grep -nE '^#include "' | awk -F: '
    function folder(path, part) { n = split(path, part, "/"); return part[1] == "lib" && part[2] != "parts" ? part[2] : "bin" }
    BEGIN {
      split("base 0 io 1 os 2 net 2 pg 3 store 3 script 4 ready 5 init 5 migrate 5 lint 5 seed 5 testdb 5 backup 5 cli 6 bin 7", t, " ")
      for (i = 1; i in t; i += 2) rank[t[i]] = t[i + 1]
    }
    {
      from = folder($1)
      split($3, q, "\""); to = q[2]
      if (to == "sql_embedded.h" || !index(to, "/")) next
      to = folder("lib/" to)
      if (!(from in rank) || !(to in rank)) { print $1 ":" $2 ": folder of \"" q[2] "\" has no layer"; bad = 1 }
      else if (from != to && rank[to] >= rank[from]) { print $1 ":" $2 ": " from " must not include " q[2]; bad = 1 }
    }
    END { exit bad }'
}

# Every third-party header has one home.
homes() {
  local bad=0 header home hits
  while read -r header home; do
    hits=$(tracked 'lib/*.[ch]' 'bin/*.[ch]' | grep -vE "^($home)" | xargs grep -nE "^#include <$header" || true)
    [ -z "$hits" ] || { echo "$hits"; echo "  <$header belongs in $home"; bad=1; }
  done << 'END'
libpq-fe.h lib/pg/
curl/ lib/net/
microhttpd.h lib/net/
zstd.h lib/io/zstd.c
jansson.h lib/base/json.c
expat.h lib/store/|lib/base/xml.c
pg_query.h lib/lint/
lzma.h lib/io/
zlib.h lib/io/
END
  hits=$(tracked 'lib/*.[ch]' 'bin/*.[ch]' | xargs grep -lE '^#include <openssl/' | tr '\n' ' ')
  [ "$(wc -w <<< "$hits")" -le 5 ] || { echo "OpenSSL is spread over too many files: $hits"; bad=1; }
  return $bad
}

format() {
  tracked '*.c' '*.h' | xargs clang-format --dry-run -Werror 2>&1 | grep -E 'error:' | awk -F: '{ print $1 ":" $2 ": not as clang-format writes it" }' | sort -u | head -n 20
  [ "${PIPESTATUS[2]}" -ne 0 ]
}

# shellcheck disable=SC2016 # awk's own names
# Files over 600 and functions over 45 lines are named; over 900 and 80 they fail.
sizes() {
  tracked 'lib/*.c' 'bin/*.c' 'lib/*.h' | xargs awk '
    FNR == 1 { if (file != "") check_file(); file = FILENAME; inside = 0 }
    { lines = FNR }
    /^[a-zA-Z].*\) \{$/ || (/^[ \t].*\) \{$/ && pending) { if (!inside) { inside = 1; start = FNR; name = $0 } }
    { pending = /^[a-zA-Z].*[,(]$/ || (pending && !/[;{]$/) }
    /^}/ && inside {
      n = FNR - start + 1; inside = 0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name)
      if (n > 80) { print file ":" start ": function " name " has " n " lines (80 at most)"; bad = 1 }
      else if (n > 45) long++
      if (n > most) most = n
      functions++
    }
    function check_file() {
      if (lines > 900) { print file ": " lines " lines (900 at most)"; bad = 1 }
      else if (lines > 600) print file ": " lines " lines: wants splitting (600)"
    }
    END { check_file(); printf "%d functions, %d of them over 45 lines, the longest has %d\n", functions, long, most; exit bad }'
}

# Every header compiles alone in C, the public ones in C++ too.
headers() {
  local bad=0 flags h
  flags="-D_GNU_SOURCE -Iinclude -Ilib $(pkg-config --cflags libpq libcurl libzstd 2> /dev/null)"
  for h in $(tracked 'lib/*.h' 'include/*.h'); do
    # shellcheck disable=SC2086
    "${CC:-gcc}" -std=gnu17 -Wall -Wextra -Werror -Wno-unused-function $flags -fsyntax-only -x c -include "$h" /dev/null || { echo "$h: not C on its own"; bad=1; }
  done
  for h in $(tracked 'include/*.h'); do
    "${CXX:-g++}" -std=c++17 -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c++ -include "$h" /dev/null || { echo "$h: not C++ on its own"; bad=1; }
  done
  return $bad
}

# The library never prints and never exits; programs do.
quiet() {
  ! tracked 'lib/*.c' | grep -v '^lib/cli/' | xargs grep -nE '(^|[^a-z_>.])(printf|puts|putchar|perror|exit|abort|err|warn)\(|fprintf\(std(out|err)'
}

scripts() {
  tracked '*.sh' .ci/run | xargs shellcheck -x -S warning
}

# Nothing left to do in the text, no path of somebody's machine, no blanks at line ends, a last line that ends.
words() {
  local bad=0 f
  tracked | grep -vE '^(tools/lint\.sh|tests/golden/)' | xargs grep -nIE '\b(TODO|FIXME|XXX|HACK)\b|/work/|/home/[a-z]' && bad=1
  tracked '*.c' '*.h' '*.sh' '*.md' Makefile | grep -v '^tests/golden/' | xargs grep -nE '[ 	]+$' && bad=1
  for f in $(tracked '*.c' '*.h' '*.sh' '*.sql' '*.md'); do
    [ ! -s "$f" ] || [ -z "$(tail -c 1 "$f")" ] || { echo "$f: no line end at its end"; bad=1; }
  done
  return $bad
}

tools=()
[ $# -gt 0 ] || set -- "${all[@]}"
for check; do
  case $check in
  format) command -v clang-format > /dev/null || tools+=("$check") ;;
  scripts) command -v shellcheck > /dev/null || tools+=("$check") ;;
  headers) command -v "${CXX:-g++}" > /dev/null || tools+=("$check") ;;
  esac
done
[ ${#tools[@]} -eq 0 ] || tools/deps.sh ensure lint || exit
[ -n "$(tracked 'lib/*.c')" ] || { echo "lint: no files: this wants a git checkout" >&2; exit 1; }
passed=0 failed=0
for check; do
  case " ${all[*]} " in *" $check "*) ;; *) echo "lint: unknown check '$check'" >&2; exit 64 ;; esac
  if out=$("$check" 2>&1); then
    passed=$((passed + 1)) verdict=ok
  else
    failed=$((failed + 1)) verdict='not ok'
  fi
  echo "$verdict - $check"
  # shellcheck disable=SC2001
  [ -z "$out" ] || sed 's/^/    /' <<< "$out"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
