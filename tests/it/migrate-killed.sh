#!/bin/bash
# Connection loss (the server process ends, the line is cut), SIGTERM and SIGKILL at every statement boundary of scripts inside and outside a transaction: running again
# until it succeeds ends in the same schema and rows as an undisturbed run.
. "$(dirname "$0")/../support/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$T" || exit 1

# script KIND STATEMENT: six statements with STATEMENT (%d: its number) before, between and behind them.
script() {
  local n=0
  echo "-- migrate:up$([ "$1" = outside ] && echo ' transaction:false')"
  while read -r line; do
    # shellcheck disable=SC2059
    printf "$2\n" $n
    echo "$line"
    n=$((n + 1))
  done << S
create table a (i int, t text);
insert into a select n, 'row' from generate_series(1, 1000) n;
$([ "$1" = outside ] && echo 'create index concurrently a_i on a (i);' || echo 'create index a_i on a (i);')
alter table a add column u int default 7;
do \$\$ begin insert into a values (0, 'done'); end \$\$;
$([ "$1" = outside ] && echo 'drop index concurrently a_i;' || echo 'drop index a_i;')
S
  # shellcheck disable=SC2059
  printf "$2\n" 6
}
db() { # NAME: with the counters that survive a rollback
  new_db "$1"
  sql -d "$1" -c "do \$\$ begin for i in 0..6 loop execute format('create sequence k%s', i); end loop; end \$\$"
}
# The sequences differ by design, everything else is compared.
picture() { pgc-migrate dump -d "$1"; sql -d "$1" -c 'select count(*), sum(i), sum(u) from a' -c "select key, state from pgc.migrations"; }

# A line to the server that can be cut: `line` opens one ($line_port), killing $line cuts every connection on it.
line() {
  rm -f line.in line.port
  mkfifo line.in
  python3 "$here/../support/slow-proxy.py" 127.0.0.1 "$PGPORT" 0 < line.in > line.port &
  line=$!
  exec 8> line.in
  for _ in $(seq 200); do [ -s line.port ] && break; sleep 0.05; done
  line_port=$(cat line.port)
}

for kind in inside outside; do
  mkdir -p "$kind.lost" "$kind.wait"
  # The first one to take a number loses its connection, or waits to be killed.
  script $kind "select case when nextval('k%d') = 1 then pg_terminate_backend(pg_backend_pid()) end;" > "$kind.lost/1_a.sql"
  script $kind "select case when nextval('k%d') = 1 then pg_sleep(0.7) end;" > "$kind.wait/1_a.sql"
  db "calm_$kind"
  status "$kind: undisturbed" 0 pgc-migrate up --dir "$kind.wait" -d "calm_$kind" --log-level error
  want=$(picture "calm_$kind")

  db "lost_$kind"
  runs=0 last=75
  while [ $last != 0 ] && [ $runs -lt 20 ]; do
    pgc-migrate up --dir "$kind.lost" -d "lost_$kind" --log-level error > /dev/null 2>&1
    last=$?
    runs=$((runs + 1))
  done
  is "$kind: connection lost at each of seven places, then done" "$last $runs" "0 8"
  is "$kind: the same after lost connections" "$(picture "lost_$kind")" "$want"

  for signal in TERM KILL CUT; do
    name=$(tr '[:upper:]' '[:lower:]' <<< "${signal}_$kind")
    db "$name"
    kills=0 statuses=''
    for _ in 1 2 3 4 5 6 7 8 9; do
      to=$name
      if [ $signal = CUT ]; then line; to="host=127.0.0.1 port=$line_port dbname=$name"; fi
      pgc-migrate up --dir "$kind.wait" -d "$to" --log-level error > out 2>&1 8>&- &
      pid=$!
      for _ in $(seq 200); do
        kill -0 $pid 2> /dev/null || break
        if [ "$(sql -d postgres -c "select count(*) from pg_stat_activity where datname = '$name' and wait_event = 'PgSleep'")" != 0 ]; then
          if [ $signal = CUT ]; then kill -KILL $line; else kill -s $signal $pid; fi 2> /dev/null && kills=$((kills + 1))
          break
        fi
        sleep 0.02
      done
      wait $pid 2> /dev/null
      last=$?
      statuses="$statuses $last"
      # The server process goes the way of its client, as when a machine dies.
      [ $signal = KILL ] && sql -d postgres -c "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '$name'" > /dev/null
      # It does not notice a cut line while it works: it is waited for, or the next run would be taken for it.
      if [ $signal = CUT ]; then
        exec 8>&-; kill -KILL $line; wait $line
        comes "$kind: the session behind the cut line ends" 0 sql -d postgres -c "select count(*) from pg_stat_activity where datname = '$name'"
      fi 2> /dev/null
      [ $last = 0 ] && break
    done
    is "$kind: ends after $signal" "$last" 0
    # What was one message when the line was cut is done, and the next run finds it so.
    if [ $kills -ge 3 ] || [ "$kind $signal" = "inside CUT" ]; then pass "$kind: was interrupted"; else fail "$kind: was interrupted" "$kills times:$statuses"; fi
    if [ $signal = CUT ]; then like "$kind: exit status after the cut" "$statuses" '^( 75)+ 0$'; fi
    if [ $signal = TERM ]; then like "$kind: exit status after SIGTERM" "$statuses" '^( 143)+ 0$'; fi
    is "$kind: the same after $signal" "$(picture "$name")" "$want"
  done
done 2> /dev/null
finish
