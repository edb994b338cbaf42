#!/bin/bash
# pgc backup and restore side by side with what people use, in one run: pg_dump -Fc; pg_dump -Fc -Z0 | zstd -T0 | age, to a file and through
# s3cmd to an S3 server on loopback (with its own part size and with that of aws); pg_dump -Fc -Z0 by itself; age -d | zstd -d | pg_restore,
# and pg_restore -j. One database of pgbench-like rows, one of uuid, timestamptz, numeric, text and jsonb, and one whose dump is slow
# (ROWS=n rows, 1000000; RUNS=n rounds, 5). ONLY_PARTS="file s3 restore" runs some of it.
# Prints wall time, CPU time of all processes but the server's, memory of the largest process, ratios; says which limits are not met (exit status 1).
set -eu
: "${B:?build folder}"
cd "$(dirname "$0")/../.."
for tool in zstd age; do command -v $tool > /dev/null || { echo "skipped: $tool is not installed"; exit 0; }; done
work=$(mktemp -d "${TMPDIR:-/tmp}/pgc-bench.XXXXXX"); chmod 755 "$work"
export S3_DIR=$work/s3
# shellcheck disable=SC2317,SC2329
cleanup() { [ ! -d "$S3_DIR" ] || tests/support/s3-server.sh stop; tests/support/pg.sh stop "$work/s"; rm -rf "$work"; }
trap cleanup EXIT
vars=$(tests/support/pg.sh start "$work/s")
for v in $vars; do export "${v?}"; done
export LC_ALL=C PATH="$B/bin:$PATH"
rows=${ROWS:-1000000} rounds=${RUNS:-5} parts=${ONLY_PARTS:-file s3 restore}
sql() { "$PGBIN/psql" -XAtq "$@"; }
sql -d postgres -c 'create database accounts' -c 'create database orders' -c 'create database slow'
sql -d accounts -c "create table t as select i aid, i % 10 bid, 0 abalance, repeat(' ', 84)::char(84) filler from generate_series(1, $rows) i"
sql -d orders -c "create table t as select gen_random_uuid() id, now() - i * interval '1 s' ts, i % 100000 / 100.0 amount,
  md5(i::text) || ' ' || md5((i / 7)::text) note, jsonb_build_object('a', i, 'tags', array['x', 'y'], 'name', md5((i % 1000)::text)) j
  from generate_series(1, $rows / 2) i"
sql -d slow -c "create table t as select i, i * 1.0001::float8 a, i / 7.0::float8 b, sqrt(i) c, now() + i * interval '1 ms' d, i::numeric / 3 e, array[i, i + 1, i + 2] f
  from generate_series(1, $rows / 2) i"
sql -d postgres -c 'checkpoint'
pgc backup keygen -o "$work/key" 2> "$work/public"
recipient=$(sed 's/.*: //' "$work/public")
export work recipient PGBIN
cat > "$work/one" << 'SH'
#!/bin/bash
set -o pipefail
out=$work/out.$1
case $1 in *restore* | *verify*) ;; *) rm -rf "$out"; mkdir "$out" ;; esac
dump() { "$PGBIN/pg_dump" -Fc -Z0 "$1"; }
sealed() { zstd -q -1 -T0 | age -r "$recipient"; }
fresh() { "$PGBIN/psql" -Xqd postgres -c 'drop database if exists back' -c 'create database back' 2> /dev/null; }
plain() { age -d -i "$work/key" "$work/out.pipe/d" | zstd -qdc; }
s3() { s3cmd -q --no-progress -c "$work/s3cfg" "$@"; }
case $1 in
  bare) dump "$2" ;;
  gzip) "$PGBIN/pg_dump" -Fc -f "$out/d" "$2" ;;
  pipe) dump "$2" | sealed > "$out/d" ;;
  pgc) pgc backup run --progress none -d "$2" --store "$out" -r "$recipient" ;;
  pgc-none) pgc backup run --progress none --fingerprint none --no-globals -d "$2" --store "$out" -r "$recipient" ;;
  s3cmd) dump "$2" | sealed | s3 put - "s3://pgc/d" ;;
  s3cmd8) dump "$2" | sealed | s3 --multipart-chunk-size-mb=8 put - "s3://pgc/d8" ;;
  pgc-s3) pgc backup run --progress none -d "$2" --store "$store" -r "$recipient" ;;
  restore-pipe) fresh; plain | "$PGBIN/pg_restore" -d back ;;
  restore-jobs) fresh; plain > "$work/spool"; "$PGBIN/pg_restore" -j 2 -d back "$work/spool" ;;
  restore-pgc) fresh; pgc restore --progress none --store "$work/out.pgc" -i "$work/key" --database "$2" --into back ;;
  restore-pgc-jobs) fresh; pgc restore --progress none --store "$work/out.pgc" -i "$work/key" --database "$2" --into back -j 2 --spool-dir "$work" ;;
  verify-pipe) plain | "$PGBIN/pg_restore" -f /dev/null ;;
  verify-pgc) pgc backup verify --progress none --store "$work/out.pgc" -i "$work/key" -d "$2" --level 1 ;;
esac > /dev/null
SH
chmod +x "$work/one"
bad=0
compare() { python3 tests/bench/compare.py "$@" || bad=1; }
# The high-water mark of pgc itself, without the children, to STORE with a limit in MiB.
peak() { # DATABASE STORE LIMIT WHAT
  local now most=0 child=0 pid
  pgc backup run --progress none -d "$1" --store "$2" -r "$recipient" > "$work/log" & pid=$!
  while kill -0 $pid 2> /dev/null; do
    now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' /proc/$pid/status 2> /dev/null || true)
    [ "${now:-0}" -le "$most" ] || most=$now
    for c in $(pgrep -P $pid -f 'pg_dump .*custom' || true); do
      now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$c/status" 2> /dev/null || true)
      [ "${now:-0}" -le "$child" ] || child=$now
    done
    sleep 0.02
  done
  wait $pid
  echo "  peak memory of pgc backup run to $4: $((most / 1024)) MiB, pg_dump beside it $((child / 1024)) MiB, together $(((most + child) / 1024)) MiB (limit $3 MiB)"
  [ $((most + child)) -le $(($3 * 1024)) ] || { echo "  NOT MET"; bad=1; }
}
size() { sql -d postgres -c "select pg_size_pretty(pg_database_size('$1'))"; }

if [[ $parts == *file* ]]; then
  for db in accounts orders; do
    echo "$db ($(size $db)), to a file"
    compare "$rounds" pipe "$work/one" $db "bare=pg_dump -Z0 > /dev/null" "gzip=pg_dump -Fc" "pipe=pg_dump -Z0 | zstd -1 -T0 | age" \
      "pgc=pgc backup run" "pgc-none=pgc backup run, dump only" "pgc/pipe<=1.0"
    peak $db "$work/out.pgc" 64 'a folder'
  done
  echo "slow ($(size slow)), to a file, where pg_dump and its server are what takes the time"
  [ "$(nproc)" -ge 4 ] || echo "  ($(nproc) processors: pg_dump, its server and the rest share them; the limit is for a machine with some to spare)"
  compare "$rounds" bare "$work/one" slow "bare=pg_dump -Z0 > /dev/null" "pgc=pgc backup run" "pgc-none=pgc backup run, dump only" "pgc/bare<=1.05"
fi
if [[ $parts == *restore* ]]; then
  for db in accounts orders; do
    echo "$db, restored from a file"
    for name in pipe pgc; do "$work/one" $name $db; done
    compare "$rounds" restore-pipe "$work/one" $db "restore-pipe=age -d | zstd -d | pg_restore" "restore-pgc=pgc restore" \
      "restore-jobs=age -d | zstd -d > file; pg_restore -j 2" "restore-pgc-jobs=pgc restore -j 2" \
      "restore-pgc/restore-pipe<=1.0" "restore-pgc-jobs/restore-jobs<=1.0"
    compare "$rounds" verify-pipe "$work/one" $db "verify-pipe=age -d | zstd -d | pg_restore -f /dev/null" "verify-pgc=pgc backup verify --level 1"
  done
fi
if [[ $parts == *s3* ]]; then
  if missing=$(tests/support/s3-server.sh check) && command -v s3cmd > /dev/null; then
    S3_PORT=$(tests/support/free-port.sh)
    export S3_PORT AWS_ACCESS_KEY_ID=test:tester AWS_SECRET_ACCESS_KEY=testing AWS_EC2_METADATA_DISABLED=true
    tests/support/s3-server.sh start
    printf '[default]\naccess_key = test:tester\nsecret_key = testing\nhost_base = 127.0.0.1:%s\nhost_bucket = 127.0.0.1:%s\nuse_https = False\n' \
      "$S3_PORT" "$S3_PORT" > "$work/s3cfg"
    s3cmd -q -c "$work/s3cfg" mb s3://pgc
    export store="s3://pgc/back?endpoint=http://127.0.0.1:$S3_PORT"
    for db in accounts orders; do
      echo "$db, to an S3 server on loopback"
      compare "$rounds" s3cmd "$work/one" $db "s3cmd=pg_dump -Z0 | zstd -1 -T0 | age | s3cmd put -" "s3cmd8=... with parts of 8 MiB, as aws has" \
        "pgc-s3=pgc backup run" "pgc-s3/s3cmd<=1.0"
      peak $db "$store" 128 'S3'
    done
  else
    echo "skipped, to S3: ${missing:-s3cmd is not installed}"
  fi
fi
exit $bad
