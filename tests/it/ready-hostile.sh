#!/bin/bash
# Servers that are none, or mean harm: an answer, never a crash, never past the deadline.
# shellcheck source=tests/support/lib.sh disable=SC1091,SC2016
. "$(dirname "$0")/../support/lib.sh"
unset PGHOST PGPORT
export PGUSER=u PGDATABASE=d PGPASSWORD=secret

# Accepts one connection after the other; to each: reads what comes, sends the next piece of the script, and so on.
cat > "$T/fake.pl" << 'PERL'
use Socket;
my @pieces = map { s/([0-9a-f]{2})/chr hex $1/ger } @ARGV;
socket(my $l, PF_INET, SOCK_STREAM, 0); bind($l, sockaddr_in(0, INADDR_LOOPBACK)); listen($l, 9);
$SIG{PIPE} = 'IGNORE'; $| = 1; print((sockaddr_in(getsockname($l)))[0], "\n"); alarm 20;
while (accept(my $c, $l)) {
  for my $piece (@pieces) { sysread($c, my $in, 4096) or last; if ($piece eq "\0hold") { sleep 15 } else { syswrite($c, $piece) } }
  close $c;
}
PERL
# against WANT NAME PIECE...: pieces in hex, `hold` keeps silent; WANT is a pattern for the exit status
against() {
  local want=$1 name=$2 pieces=() p
  shift 2
  for p; do if [ "$p" = hold ]; then pieces+=(00686f6c64); else pieces+=("$p"); fi; done
  perl "$T/fake.pl" "${pieces[@]}" > "$T/port" & local server=$!
  while [ ! -s "$T/port" ]; do sleep 0.02; done
  SECONDS=0
  run pgc-ready -h 127.0.0.1 -p "$(cat "$T/port")" --timeout 700ms
  kill "$server"; wait "$server" 2> /dev/null
  like "$name" "$RC" "^($want)\$"
  ok "$name: in time" test "$SECONDS" -le 2
  : > "$T/port"
}
N=4e                                       # no TLS
ok=520000000800000000                      # AuthenticationOk
ready=5a0000000549                         # ReadyForQuery
sasl=52000000170000000a534352414d2d5348412d3235360000
against 2 "closes at once"
against 2 "silent after the request for TLS" hold
against 2 "silent after the start-up packet" "$N" hold
against 2 "speaks HTTP" 485454502f312e3120343030204261640d0a0d0a
against 2 "closes after the start-up packet" "$N"
against 2 "more than one byte before TLS" 5352000000
against '[27]' "TLS that is none" 53 15030100020228
against 2 "length too small" "$N" 5200000001
against 2 "length too large" "$N" 527fffffff
against 2 "length of a message that never comes" "$N" 5200000100 hold
against '[24]' "authentication request cut short" "$N" 5200000006000a
against '[24]' "unknown authentication" "$N" 520000000800000063
against 4 "asks for the password again and again" "$N" 520000000800000003 520000000800000003 4500000015534641544100433238503031004d6e6f0000
against 2 "error without fields" "$N" 450000000500
against 2 "error without end" "$N" 450000000953465441
against 4 "SCRAM with a foreign nonce" "$N" "$sasl" 52000000190000000b723d782c733d51513d3d2c693d34303936
against 4 "SCRAM with endless work" "$N" "$sasl" 52000000220000000b723d782c733d51513d3d2c693d39393939393939393939393939
against 2 "session that ends" "$N" "$ok$ready"
against '[012]' "no row" "$N" "$ok$ready" "430000000d53454c454354203000$ready"
against '[012]' "row without columns" "$N" "$ok$ready" "44000000060000$ready"
against 2 "value longer than its row" "$N" "$ok$ready" "440000000b00017fffffff41$ready"
against '[012]' "row cut short" "$N" "$ok$ready" "4400000005ff$ready"
against 2 "statement without answer" "$N" "$ok$ready" hold
against 2 "statement that breaks the session" "$N" "$ok$ready" 450000002053464154414c0056464154414c00433537503031004d62796500
finish
