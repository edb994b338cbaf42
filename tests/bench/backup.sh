#!/bin/bash
# pgc backup run side by side with what people use: pg_dump -Fc, and pg_dump -Fc -Z0 | zstd -T0 | age, to a folder on one database
# of pgbench-like rows and one of uuid, timestamptz, numeric, text and jsonb. Medians of RUNS (default 5), interleaved. ROWS=n.
# Prints wall time, CPU time of all processes but the server's, peak memory of pgc, and the ratio to the pipeline.
set -eu
: "${B:?build folder}"
cd "$(dirname "$0")/../.."
for tool in zstd age; do command -v $tool > /dev/null || { echo "skipped: $tool is not installed"; exit 0; }; done
work=$(mktemp -d "${TMPDIR:-/tmp}/pgc-bench.XXXXXX"); chmod 755 "$work"
cleanup() { tests/support/pg.sh stop "$work/s"; rm -rf "$work"; }
trap cleanup EXIT
vars=$(tests/support/pg.sh start "$work/s")
for v in $vars; do export "${v?}"; done
export LC_ALL=C PATH="$B/bin:$PATH"
rows=${ROWS:-1000000}
"$PGBIN/psql" -XAtqc 'create database accounts' -c 'create database orders' -d postgres
"$PGBIN/psql" -XAtq -d accounts -c "create table t as select i aid, i % 10 bid, 0 abalance, repeat(' ', 84)::char(84) filler from generate_series(1, $rows) i"
"$PGBIN/psql" -XAtq -d orders -c "create table t as select gen_random_uuid() id, now() - i * interval '1 s' ts, i % 100000 / 100.0 amount,
  md5(i::text) || ' ' || md5((i / 7)::text) note, jsonb_build_object('a', i, 'tags', array['x', 'y'], 'name', md5((i % 1000)::text)) j
  from generate_series(1, $rows / 2) i"
pgc backup keygen -o "$work/key" 2> "$work/public"
recipient=$(sed 's/.*: //' "$work/public")
export work recipient PGBIN
cat > "$work/one" << 'SH'
#!/bin/bash
set -o pipefail
rm -rf "$work/out"; mkdir "$work/out"
case $1 in
  gzip) "$PGBIN/pg_dump" -Fc -f "$work/out/d" "$2" ;;
  pipe) "$PGBIN/pg_dump" -Fc -Z0 "$2" | zstd -q -1 -T0 | age -r "$recipient" > "$work/out/d" ;;
  pgc) pgc backup run --progress none -d "$2" --store "$work/out" -r "$recipient" ;;
  pgc-none) pgc backup run --progress none --fingerprint none --no-globals -d "$2" --store "$work/out" -r "$recipient" ;;
esac > /dev/null
SH
chmod +x "$work/one"
for db in accounts orders; do
  size=$("$PGBIN/psql" -XAtqc "select pg_size_pretty(pg_database_size('$db'))" -d postgres)
  echo "$db ($size)"
  perl - "${RUNS:-5}" "$db" << 'PERL'
use Time::HiRes qw(time);
my ($runs, $db) = @ARGV;
my @names = qw(pipe gzip pgc pgc-none);
my (%wall, %cpu);
for my $round (0 .. $runs) {
  for my $name (@names) {
    my @before = times; my $start = time;
    system("$ENV{work}/one", $name, $db) == 0 or die "$name failed\n";
    my @after = times;
    next if $round == 0;
    push @{$wall{$name}}, time - $start;
    push @{$cpu{$name}}, $after[2] + $after[3] - $before[2] - $before[3];
  }
}
sub median { my @s = sort { $a <=> $b } @_; $s[$#s / 2] }
my %label = (pipe => 'pg_dump -Z0 | zstd -1 -T0 | age', gzip => 'pg_dump -Fc', pgc => 'pgc backup run', 'pgc-none' => 'pgc backup run, dump only');
for my $name (@names) {
  printf "  %-32s %7.2f s wall %7.2f s cpu   %.2fx\n", $label{$name}, median(@{$wall{$name}}), median(@{$cpu{$name}}),
    median(@{$wall{$name}}) / median(@{$wall{pipe}});
}
PERL
  pgc backup run --progress none -d "$db" --store "$work/kept" -r "$recipient" > "$work/log" & pid=$!
  peak=0
  while kill -0 $pid 2> /dev/null; do
    now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' /proc/$pid/status 2> /dev/null || true)
    [ "${now:-0}" -le "$peak" ] || peak=$now
    sleep 0.05
  done
  wait $pid
  echo "  peak memory of pgc backup run: $((peak / 1024)) MiB (limit 64)"
  [ "$peak" -le 65536 ] || { echo "over the limit"; exit 1; }
done
