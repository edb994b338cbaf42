#!/bin/bash
# The probe matrix: every way in which a server can be not (yet) ready, on real servers.
# shellcheck source=tests/support/lib.sh disable=SC1091,SC2016,SC2317
. "$(dirname "$0")/../support/lib.sh"
support=$(cd "$(dirname "$0")/../support" && pwd)

vars=$(PG_EXTRA="-c wal_level=replica -c max_wal_senders=4 -c superuser_reserved_connections=2 -c max_connections=10" "$support/pg.sh" start "$T/a") || { fail "own server starts"; finish; }
for v in $vars; do export "${v?}"; done
A=$T/a/pg/data
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid="$(stat -c %u "$A")" --regid="$(stat -c %g "$A")" --clear-groups -- "$@"; else "$@"; fi; }
ctl() { local data=$1; shift; as "$PGBIN/pg_ctl" -D "$data" -s "$@" > /dev/null 2>&1; }
stop_all() {
  local d
  for d in "$T"/a/pg/data "$T"/a/pg/b "$T"/a/pg/c; do [ ! -e "$d/postmaster.pid" ] || { kill -CONT "$(head -n 1 "$d/postmaster.pid")" 2> /dev/null; ctl "$d" -m immediate stop; }; done
}
trap stop_all EXIT
export PGDATABASE=postgres
tcp=(-h 127.0.0.1)
hba() { printf '%s\n' "$@" "local all all trust" "host all postgres 127.0.0.1/32 trust" "host replication all 127.0.0.1/32 trust" > "$A/pg_hba.conf"; ctl "$A" reload; sleep 0.3; }

sql -c "create role app login password 'right'" -c "create role nobody_knows login" > /dev/null

# --- authentication
hba "host all app 127.0.0.1/32 scram-sha-256" "host all nobody_knows 127.0.0.1/32 reject"
status "scram, right password" 0 env PGPASSWORD=right pgc-ready "${tcp[@]}" -U app
printf 'right\n' > "$T/secret"
status "scram, password file" 0 env PGPASSWORD_FILE="$T/secret" pgc-ready "${tcp[@]}" -U app
status "scram, URI" 0 pgc-ready "postgres://app:right@127.0.0.1:$PGPORT/postgres"
status "wrong password" 4 env PGPASSWORD=wrong pgc-ready "${tcp[@]}" -U app
like "wrong password says what to do" "$ERR" '\(28P01\): check the password'
unlike "no password in the message" "$ERR" 'wrong[^ ]*$'
status "no password" 4 pgc-ready "${tcp[@]}" -U app
like "no password says what to do" "$ERR" 'PGPASSWORD'
status "wrong password: ping is ready" 0 env PGPASSWORD=wrong pgc-ready --level ping "${tcp[@]}" -U app
status "pg_hba reject" 4 pgc-ready "${tcp[@]}" -U nobody_knows
like "pg_hba reject has its SQLSTATE" "$ERR" '28000.*pg_hba.conf'
status "missing database" 4 env PGPASSWORD=right pgc-ready "${tcp[@]}" -U app -d no_such_db
like "missing database has its SQLSTATE" "$ERR" '3D000'
: > "$T/before"; cp "$T/a/pg/server.log" "$T/before"
status "ping with credentials" 0 env PGPASSWORD=right pgc-ready --level ping "${tcp[@]}" -U app
status "ping with a wrong password" 0 env PGPASSWORD=wrong pgc-ready --level ping "${tcp[@]}" -U app
status "query with credentials" 0 env PGPASSWORD=right pgc-ready "${tcp[@]}" -U app
sleep 0.2
is "nothing in the server's log" "$(diff "$T/before" "$T/a/pg/server.log")" ""

# --- slots
conns=()
for _ in 1 2 3 4 5 6 7 8; do "$PGBIN/psql" "${tcp[@]}" -U postgres -XAtqc 'select pg_sleep(30)' > /dev/null 2>&1 & conns+=($!); done
for _ in $(seq 50); do [ "$(sql -c "select count(*) from pg_stat_activity where query like '%pg_sleep(30)%' and pid <> pg_backend_pid()")" = 8 ] && break; sleep 0.1; done
status "slots full: rejecting" 1 env PGPASSWORD=right pgc-ready "${tcp[@]}" -U app
like "slots full says what to do" "$ERR" '53300.*max_connections'
status "slots full: ping is ready" 0 env PGPASSWORD=right pgc-ready --level ping "${tcp[@]}" -U app
kill "${conns[@]}" 2> /dev/null; wait 2> /dev/null
sql -c "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(30)%' and pid <> pg_backend_pid()" > /dev/null
status "waits for a slot" 0 env PGPASSWORD=right pgc-ready --wait 5s "${tcp[@]}" -U app

# --- read-only, ledgers
new_db ro > /dev/null; sql -c "alter database ro set default_transaction_read_only = on"
status "read-only answers queries" 0 pgc-ready -d ro
status "read-only refuses level write" 5 pgc-ready -d ro --level write
like "read-only says where from" "$ERR" 'default_transaction_read_only'
new_db led > /dev/null
status "no ledger" 6 pgc-ready -d led --level migrated
sql -d led -c 'create table schema_migrations (version bigint not null primary key, dirty boolean not null)' -c 'insert into schema_migrations values (42, true)'
status "dirty ledger" 6 pgc-ready -d led --level migrated
like "dirty ledger is named" "$ERR" "'42' in public.schema_migrations \(golang-migrate\) is not clean"
sql -d led -c 'update schema_migrations set dirty = false'
status "clean ledger" 0 pgc-ready -d led --level migrated
like "says the version" "$OUT" 'golang-migrate 42'
status "new enough" 0 pgc-ready -d led --min-version 42
status "too old" 6 pgc-ready -d led --min-version 43
status "extension there" 0 pgc-ready -d led --require-extension plpgsql
status "extension missing" 6 pgc-ready -d led --require-extension 'no"such'
sql -d led -c 'create schema "We ird"' -c "create table \"We ird\".\"it's\"(i int)"
status "table there" 0 pgc-ready -d led --require-table 'public.schema_migrations' --require-table "We ird.it's"
status "table, case folded" 0 pgc-ready -d led --require-table 'Public.SCHEMA_migrations'
status "table, quoted" 0 pgc-ready -d led --require-table "\"We ird\".\"it's\""
status "table missing" 6 pgc-ready -d led --require-table "public.x'; drop table schema_migrations; --"
status "nothing was dropped" 0 pgc-ready -d led --require-table schema_migrations

# --- TLS
openssl req -new -x509 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout "$T/key" -out "$T/crt" 2> /dev/null
openssl req -new -x509 -nodes -days 2 -subj /CN=other -keyout "$T/okey" -out "$T/other.crt" 2> /dev/null
status "TLS wanted, server has none" 7 pgc-ready "postgres://postgres@127.0.0.1:$PGPORT/postgres?sslmode=require"
cp "$T/key" "$A/server.key"; cp "$T/crt" "$A/server.crt"; chmod 600 "$A/server.key"; [ "$(id -u)" != 0 ] || chown --reference="$A" "$A/server.key" "$A/server.crt"
echo "ssl = on" >> "$A/postgresql.conf"
hba "hostssl all app 127.0.0.1/32 scram-sha-256"
status "TLS by sslmode=prefer" 0 env PGPASSWORD=right pgc-ready "${tcp[@]}" -U app
status "TLS required, client without" 7 env PGPASSWORD=right PGSSLMODE=disable pgc-ready "${tcp[@]}" -U app
like "says that TLS is wanted" "$ERR" 'set sslmode=require'
status "good CA" 0 env PGPASSWORD=right PGSSLMODE=verify-full PGSSLROOTCERT="$T/crt" pgc-ready "${tcp[@]}" -U app
status "bad CA" 7 env PGPASSWORD=right PGSSLMODE=verify-full PGSSLROOTCERT="$T/other.crt" pgc-ready --wait 20s "${tcp[@]}" -U app
like "bad CA is named" "$ERR" 'certificate'
status "CA file missing" 7 env PGPASSWORD=right PGSSLMODE=verify-ca PGSSLROOTCERT="$T/none.crt" pgc-ready "${tcp[@]}" -U app
cp "$T/a/pg/server.log" "$T/before"
status "ping over TLS" 0 env PGPASSWORD=right pgc-ready --level ping "${tcp[@]}" -U app
status "query over TLS" 0 env PGPASSWORD=right pgc-ready "${tcp[@]}" -U app
sleep 0.2
is "nothing in the log over TLS" "$(diff "$T/before" "$T/a/pg/server.log")" ""

# --- standby: streaming, caught up, lagging, gone
S=$T/a/pg/b
bport=$("$support/free-port.sh")
as "$PGBIN/pg_basebackup" -h 127.0.0.1 -U postgres -D "$S" -R -X stream -c fast > "$T/bb.log" 2>&1 || fail "pg_basebackup" "$(cat "$T/bb.log")"
ctl "$S" -w -l "$T/a/pg/b.log" -o "-p $bport -k $T/a/pg -c listen_addresses=127.0.0.1 -c max_connections=10 -c max_prepared_transactions=5" start
standby=(-h 127.0.0.1 -p "$bport")
status "standby is ready" 0 pgc-ready "${standby[@]}"
like "standby is called so" "$OUT" 'standby'
status "standby role" 0 pgc-ready "${standby[@]}" --role standby
status "not a primary" 5 pgc-ready "${standby[@]}" --role primary
status "not writable" 5 pgc-ready "${standby[@]}" --level write
status "primary role" 0 pgc-ready "${tcp[@]}" --role primary
both="postgres://postgres@127.0.0.1:$bport,127.0.0.1:$PGPORT/postgres"
status "the primary among several" 0 pgc-ready --role primary "$both"
status "the writable one among several" 0 pgc-ready --level write "$both"
status "the standby among several" 0 pgc-ready --role standby "postgres://postgres@127.0.0.1:$PGPORT,127.0.0.1:$bport/postgres"
status "no standby among several" 5 pgc-ready --role standby "postgres://postgres@127.0.0.1:$PGPORT,127.0.0.1:$PGPORT/postgres"
status "primary is no standby" 5 pgc-ready "${tcp[@]}" --role standby
status "migrated on a standby" 0 pgc-ready "${standby[@]}" -d led --role standby --level migrated
status "streaming and caught up by bytes" 0 pgc-ready "${standby[@]}" --wait 5s --role standby --max-lag 16MB
sleep 1
status "an idle standby is not late" 0 pgc-ready "${standby[@]}" --wait 3s --max-lag 300ms
sql "${standby[@]}" -c 'select pg_wal_replay_pause()' > /dev/null
sql -c 'create table lagging as select generate_series(1, 20000) i' > /dev/null
sleep 0.6
status "late by bytes" 5 pgc-ready "${standby[@]}" --max-lag 1kB
like "says how late" "$ERR" 'behind, at most 1\.0 KiB is allowed'
status "late by time" 5 pgc-ready "${standby[@]}" --max-lag 200ms
status "not too late" 0 pgc-ready "${standby[@]}" --max-lag 1GB
sql "${standby[@]}" -c 'select pg_wal_replay_resume()' > /dev/null
status "waits until it has caught up" 0 pgc-ready "${standby[@]}" --wait 10s --max-lag 1kB

# --- starting, recovering: 57P03 from a standby that lets nobody in
ctl "$S" -m fast stop
ctl "$S" -l "$T/a/pg/b.log" -o "-p $bport -k $T/a/pg -c listen_addresses=127.0.0.1 -c max_connections=10 -c max_prepared_transactions=5 -c hot_standby=off" -W start
for _ in $(seq 100); do "$PGBIN/pg_isready" -q "${standby[@]}"; [ $? -eq 1 ] && break; sleep 0.05; done
status "57P03: rejecting" 1 pgc-ready "${standby[@]}"
like "57P03 says wait" "$ERR" '57P03.*wait'
status "57P03: ping rejects" 1 pgc-ready --level ping "${standby[@]}"
status "57P03 accepted for liveness" 0 pgc-ready --accept recovering "${standby[@]}"
status "57P03 accepted by ping" 0 pgc-ready --level ping --accept recovering "${standby[@]}"
status "57P03: deadline" 124 pgc-ready --wait 300ms "${standby[@]}"
ctl "$S" -m immediate stop

# --- a server that swallows everything
kill -STOP "$(head -n 1 "$A/postmaster.pid")"
status "hanging server" 2 pgc-ready --timeout 300ms "${tcp[@]}"
like "hanging server is told apart" "$ERR" 'no answer before the deadline'
status "hanging server: deadline" 124 pgc-ready --wait 600ms "${tcp[@]}"
kill -CONT "$(head -n 1 "$A/postmaster.pid")"
status "and back" 0 pgc-ready --wait 5s "${tcp[@]}"

# --- the temporary server of an initialising container: socket only, then a restart
C=$T/a/pg/c
cport=$("$support/free-port.sh")
as "$PGBIN/initdb" -D "$C" -U postgres -A trust --no-sync > /dev/null 2>&1
ctl "$C" -w -l "$T/a/pg/c.log" -o "-p $cport -k $T/a/pg -c listen_addresses=" start
status "temporary server: nothing on TCP" 2 pgc-ready -h 127.0.0.1 -p "$cport"
status "temporary server: the socket answers" 0 pgc-ready -h "$T/a/pg" -p "$cport"
like "and a warning says so" "$ERR" 'Unix socket only'
pgc-ready -h "$T/a/pg" -p "$cport" --wait 20s --stable 1s 2> "$T/stable.err" > "$T/stable.out" & W=$!
sleep 0.5
is "--stable does not count the first" "$(cat "$T/stable.out")" ""
ctl "$C" -m fast -w stop
ctl "$C" -w -l "$T/a/pg/c.log" -o "-p $cport -k $T/a/pg -c listen_addresses=127.0.0.1" start
started=$(date +%s%N)
wait "$W"; rc=$?
is "--stable is ready in the end" "$rc" 0
ok "--stable waited for the second server" test $(( ($(date +%s%N) - started) / 1000000 )) -gt 700
status "--stable without restart" 0 pgc-ready -h 127.0.0.1 -p "$cport" --stable 300ms
# restarted between two checks, by start time alone
pgc-ready -h 127.0.0.1 -p "$cport" --stable 3s > "$T/re.out" 2> "$T/re.err" & W=$!
sleep 0.3
ctl "$C" -m fast -w -l "$T/a/pg/c.log" -o "-p $cport -k $T/a/pg -c listen_addresses=127.0.0.1" restart
wait "$W"; rc=$?
is "a restart between two checks is noticed" "$rc" 1
like "and said" "$(cat "$T/re.err")" 'started anew'
ctl "$C" -m immediate stop

# --- a server that comes later, a name that comes later, a black hole
(sleep 0.7; ctl "$C" -W -l "$T/a/pg/c.log" -o "-p $cport -k $T/a/pg -c listen_addresses=127.0.0.1" start) &
status "waits for a server that comes" 0 pgc-ready --wait 20s -h 127.0.0.1 -p "$cport"
wait
if [ "$(id -u)" = 0 ] && unshare -m true 2> /dev/null; then
  cp /etc/hosts "$T/hosts"
  run unshare -m sh -c 'mount --bind "$1/hosts" /etc/hosts && (sleep 0.7; echo "127.0.0.1 comes-later.test" >> "$1/hosts") & sleep 0.1; exec pgc-ready --wait 15s -h comes-later.test' sh "$T"
  is "waits for a name that comes" "$RC" 0
  like "and says so meanwhile" "$ERR" "the name 'comes-later.test' cannot be resolved"
  # A name server that swallows questions.
  perl -MSocket -e 'socket(my $s, PF_INET, SOCK_DGRAM, 0); bind($s, sockaddr_in(53, inet_aton("127.9.9.9"))) or exit 1; $| = 1; print "up\n"; sleep 30' > "$T/ns" & N=$!
  sleep 0.3
  if [ -s "$T/ns" ]; then
    echo "nameserver 127.9.9.9" > "$T/resolv.conf"
    SECONDS=0
    run unshare -m sh -c 'mount --bind "$1/resolv.conf" /etc/resolv.conf && exec pgc-ready --timeout 500ms -h some-name.test' sh "$T"
    is "name server that does not answer" "$RC" 2
    like "is told apart" "$ERR" 'the name server does not answer'
    ok "in time" test "$SECONDS" -le 2
  fi
  kill "$N" 2> /dev/null
else
  skip "name appears later" "needs a mount namespace"
fi
# A listener whose queue is full drops what comes: no answer to a SYN, as behind a firewall.
perl -MSocket -e 'my @c; socket(my $l, PF_INET, SOCK_STREAM, 0); bind($l, sockaddr_in(0, INADDR_LOOPBACK)) && listen($l, 0);
  my $a = getsockname($l); for (1..8) { socket(my $c, PF_INET, SOCK_STREAM | 2048, 0); connect($c, $a); push @c, $c }
  $| = 1; print((sockaddr_in($a))[0], "\n"); sleep 60' > "$T/hole" & H=$!
for _ in $(seq 50); do [ -s "$T/hole" ] && break; sleep 0.1; done
hole=$(cat "$T/hole")
SECONDS=0
status "black hole" 2 pgc-ready --timeout 500ms -h 127.0.0.1 -p "$hole"
like "black hole is told apart" "$ERR" 'no answer before the deadline'
status "black hole: tcp target" 2 pgc-ready --timeout 300ms "tcp://127.0.0.1:$hole"
status "black hole: one deadline over all hosts" 124 pgc-ready --wait 900ms -h 127.0.0.1,127.0.0.1 -p "$hole"
ok "black hole: in time" test "$SECONDS" -le 4
status "black hole: the second host gets its share" 0 pgc-ready --timeout 2s "postgres://postgres@127.0.0.1:$hole,127.0.0.1:$PGPORT/postgres"
kill "$H"
status "the second host answers" 0 pgc-ready --timeout 3s "postgres://postgres@127.0.0.1:1,127.0.0.1:$PGPORT/postgres"
finish
