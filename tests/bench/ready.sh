#!/bin/bash
# Cold probes side by side: pg_isready and psql (the real binaries) against pgc ready; and /readyz under load.
# Prints ratios; below 1 is faster than what people use now. RUNS=n (default 60): medians of n starts, interleaved.
set -eu
: "${B:?build folder}"
cd "$(dirname "$0")/../.."
work=$(mktemp -d "${TMPDIR:-/tmp}/pgc-bench.XXXXXX"); chmod 755 "$work"
serve=
cleanup() { [ -z "$serve" ] || kill "$serve"; tests/support/pg.sh stop "$work/s"; rm -rf "$work"; }
trap cleanup EXIT
vars=$(tests/support/pg.sh start "$work/s")
for v in $vars; do export "${v?}"; done
export PGDATABASE=postgres LC_ALL=C
"$PGBIN/psql" -XAtqc "create role scram login password 'secret'"
sed -i '1i host all scram all scram-sha-256' "$work/s/pg/data/pg_hba.conf"
"$PGBIN/psql" -XAtqc 'select pg_reload_conf()' > /dev/null
probe() { perl - "${RUNS:-60}" "$@" << 'PERL'
# Interleaves the commands, so that a busy machine is equally unkind to all. Medians of wall and CPU time.
use Time::HiRes qw(time);
my ($runs, @named) = @ARGV;
my (@names, @commands);
while (@named) { push @names, shift @named; push @commands, [split /\|/, shift @named]; }
my (@wall, @cpu, @rss);
for my $round (0 .. $runs + 2) {
  for my $i (0 .. $#commands) {
    my @before = times; my $start = time;
    my $pid = fork // die;
    if ($pid == 0) { open STDOUT, '>', '/dev/null'; open STDERR, '>', '/dev/null'; exec @{$commands[$i]}; exit 127; }
    waitpid $pid, 0;
    die "$names[$i] failed: $?\n" if $?;
    my $wall = time - $start; my @after = times;
    next if $round < 3;
    push @{$wall[$i]}, $wall * 1000;
    $cpu[$i] += ($after[2] - $before[2] + $after[3] - $before[3]) * 1000;
  }
}
sub median { my @s = sort { $a <=> $b } @_; $s[$#s / 2] }
my $base = median(@{$wall[0]});
for my $i (0 .. $#commands) {
  my $m = median(@{$wall[$i]});
  printf "  %-34s %6.2f ms wall %5.2fx   %6.2f ms CPU %5.2fx\n", $names[$i], $m, $m / $base, $cpu[$i] / $runs, $cpu[0] ? $cpu[$i] / $cpu[0] : 0;
}
PERL
}
echo "cold ping over TCP"
probe "pg_isready" "$PGBIN/pg_isready|-h|127.0.0.1" "pgc ready --level ping" "$B/bin/pgc-ready|--level|ping|-h|127.0.0.1" "pgc's pg_isready" "$B/bin/pg_isready|-h|127.0.0.1"
echo "cold query over TCP, trust"
probe "psql -XAtc 'select 1'" "$PGBIN/psql|-h|127.0.0.1|-XAtc|select 1" "pgc ready --level query" "$B/bin/pgc-ready|-h|127.0.0.1"
echo "cold query over TCP, SCRAM"
export PGPASSWORD=secret
probe "psql -XAtc 'select 1'" "$PGBIN/psql|-h|127.0.0.1|-U|scram|-XAtc|select 1" "pgc ready --level query" "$B/bin/pgc-ready|-h|127.0.0.1|-U|scram"
unset PGPASSWORD
echo "cold query on the socket"
probe "psql -XAtc 'select 1'" "$PGBIN/psql|-XAtc|select 1" "pgc ready --level query" "$B/bin/pgc-ready"
if command -v openssl > /dev/null; then
  d=$work/s/pg/data
  openssl req -new -x509 -nodes -days 2 -subj /CN=localhost -keyout "$d/server.key" -out "$d/server.crt" 2> /dev/null
  chmod 600 "$d/server.key"; chown --reference="$d" "$d/server.key" "$d/server.crt"; echo "ssl = on" >> "$d/postgresql.conf"
  "$PGBIN/psql" -XAtqc 'select pg_reload_conf()' > /dev/null; sleep 0.5
  echo "cold ping, TLS (sslmode=prefer)"
  probe "pg_isready" "$PGBIN/pg_isready|-h|127.0.0.1" "pgc ready --level ping" "$B/bin/pgc-ready|--level|ping|-h|127.0.0.1"
  echo "cold query, TLS (sslmode=prefer)"
  probe "psql -XAtc 'select 1'" "$PGBIN/psql|-h|127.0.0.1|-XAtc|select 1" "pgc ready --level query" "$B/bin/pgc-ready|-h|127.0.0.1"
  export PGSSLMODE=verify-ca PGSSLROOTCERT=$d/server.crt
  chmod 755 "$d"; echo "cold ping, TLS (sslmode=verify-ca: libpq does it)"
  probe "pg_isready" "$PGBIN/pg_isready|-h|127.0.0.1" "pgc ready --level ping" "$B/bin/pgc-ready|--level|ping|-h|127.0.0.1"
  unset PGSSLMODE PGSSLROOTCERT; chmod 700 "$d"
fi
peak() { /usr/bin/time -f %M "$@" 2>&1 > /dev/null | tail -n 1; }
if [ -x /usr/bin/time ]; then
  echo "peak memory: pg_isready $(peak "$PGBIN/pg_isready" -h 127.0.0.1) KiB, pgc ready --level ping $(peak "$B/bin/pgc-ready" --level ping -h 127.0.0.1) KiB, --level query $(peak "$B/bin/pgc-ready" -h 127.0.0.1) KiB"
fi
port=$(tests/support/free-port.sh)
"$B/bin/pgc-ready" serve --listen "127.0.0.1:$port" 2> /dev/null & serve=$!
"$B/bin/pgc-ready" -q --wait 5s "http://127.0.0.1:$port/readyz"
perl -MSocket -MTime::HiRes=time -e '
  my ($port, $n) = @ARGV; my @ms;
  socket(my $s, PF_INET, SOCK_STREAM, 0); connect($s, sockaddr_in($port, INADDR_LOOPBACK)) or die; my $begin = time;
  for (1 .. $n) {
    my $t = time; syswrite $s, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"; my $in = "";
    until ($in =~ /\r\n\r\n/ && $in =~ /Content-Length: (\d+).*?\r\n\r\n(.*)/s && length($2) >= $1) { sysread($s, $in, 8192, length $in) or die }
    die $in unless $in =~ /^HTTP\/1.1 200/; push @ms, (time - $t) * 1000;
  }
  my $all = time - $begin; @ms = sort { $a <=> $b } @ms;
  printf "/readyz: p50 %.3f ms, p99 %.3f ms, %.0f requests/s on one connection\n", $ms[$n / 2], $ms[$n * 0.99], $n / $all' "$port" 5000
echo "database connections of serve: $("$PGBIN/psql" -XAtc "select count(*) from pg_stat_activity where application_name = 'pgc ready'")"
