#!/bin/bash
# The file store: what killed writers leave is swept, a full disk and a folder without rights leave nothing, long lists.
# shellcheck source=tests/support/lib.sh
. tests/support/lib.sh
trap '[ ! -d "$T/small" ] || umount "$T/small"' EXIT
probe() { PGC_PROBE_URL="$1" PGC_PROBE="$2" "$B/tests/unit" store_probe 2> "$T/probe.err" | grep -E '^(result|object|swept) '; }
S=$T/store

is "put" "$(probe "file://$S/a%20b" 'put x/y 1000000')" 'result OK'
is "the file is where it should be" "$(stat -c '%s %a' "$S/a b/x/y")" '1000000 600'
is "dropped" "$(probe "$S/a b" 'drop z/z 5000000')" 'result OK'
is "a dropped object leaves nothing" "$(cd "$S" && find . -type f)" './a b/x/y'

( PGC_PROBE_URL=$S PGC_PROBE='put k/killed 40000000000' CK_FORK=no exec "$B/tests/unit" store_probe ) > "$T/killed.out" 2>&1 &
pid=$!
for _ in $(seq 200); do [ -n "$(find "$S" -name '.pgc-tmp-*' -size +100k)" ] && break; sleep 0.05; done
kill -9 "$pid"; wait "$pid" 2> /dev/null
is "a killed writer leaves a temporary" "$(find "$S" -name '.pgc-tmp-*' | wc -l)" 1
is "it is not listed" "$(probe "$S" 'list k')" 'result OK'
is "sweep of another prefix" "$(probe "$S" 'sweep x/')" 'swept 0
result OK'
is "sweep" "$(probe "$S" 'sweep')" 'swept 1
result OK'
is "nothing is left" "$(find "$S" -name '.pgc-tmp-*' -o -name k | wc -l)" 0

mkdir "$S/many"
(cd "$S/many" && seq 2345 | xargs touch)
is "2,345 files in a folder" "$(probe "$S" 'list many/' | grep -c '^object ')" 2345

like "more than a file may have" "$(ulimit -f 100; probe "$S" 'put big 1000000')" '^result NOSPACE: '
is "more than a file may have: nothing is left" "$(find "$S" -name 'big' -o -name '.pgc-tmp-*' | wc -l)" 0
if [ "$(id -u)" = 0 ] && mkdir "$T/small" && mount -t tmpfs -o size=1m tmpfs "$T/small" 2> /dev/null; then
  like "disk full" "$(probe "$T/small/x" 'put k 3000000')" '^result NOSPACE: '
  is "disk full: nothing is left" "$(find "$T/small" | wc -l)" 2
  head -c 800000 /dev/zero > "$T/small/other"
  status "doctor: disk full" 1 pgc-backup doctor --store "$T/small"
  like "doctor: disk full: advice" "$OUT" 'FAILED +(put|abort|multipart) .*(make room|quota)'
  is "doctor: disk full: nothing is left" "$(find "$T/small" -type f)" "$T/small/other"
else
  [ ! -d "$T/small" ] || rmdir "$T/small"
  skip "disk full" "cannot mount a tmpfs"
fi
if [ "$(id -u)" = 0 ]; then
  mkdir -m 755 "$T/foreign"
  status "no right to write there" 77 setpriv --reuid 65534 --regid 65534 --clear-groups "$B/bin/pgc-backup" doctor --store "$T/foreign/x"
  like "no right to write there: advice" "$OUT" 'FAILED +put .*Permission denied.*the user this runs as may not do that'
else
  skip "no right to write there" "not root"
fi
: > "$T/plain"
like "a file instead of a folder" "$(probe "$T/plain" 'put k 1')" '^result CONFIG: .*is not a folder'
like "below a file" "$(probe "$T/plain/x" 'put k 1')" '^result (IO|NOT_FOUND|CONFIG): .*cannot make folder'
finish
