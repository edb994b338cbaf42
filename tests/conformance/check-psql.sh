#!/bin/bash
# Differential harness (make check-psql): every script of the corpora through real psql and through pgc sql run, each on a server
# of its own. Wanted: the same exit class, the same failing lines, equal pg_dump of every database, equal roles.
#   sample-dbs, init-scripts, sqlsplit: with ON_ERROR_STOP=1.  pgregress: to the end, past every error (\d and the like, which
#   pgc sql run does not serve, are left out of the comparison; databases are compared by schema and row counts).
# check-psql.sh [PATTERN...]: only scripts whose path matches. Needs B = build folder.
cd "$(dirname "$0")/../.." || exit 1
T=${T:-$(mktemp -d "${TMPDIR:-/tmp}/pgc-check-psql.XXXXXX")}; export T
B=${B:-$PWD/build/release} CORPUS=${CORPUS:-$PWD/../shared/corpus}; export B CORPUS
. tests/support/lib.sh
chmod 755 "$T"
for v in $(compgen -e | grep -E '^(PG[A-Z]|POSTGRES_|DATABASE_URL)' | grep -v '^PGBIN$'); do unset "$v"; done
export LC_ALL=C.UTF-8 TZ=UTC
PGBIN=${PGBIN:-$(tools/pgbin.sh)}
need_corpus sample-dbs || finish
# shellcheck disable=SC2317 # called by the trap
stop_servers() { tests/support/pg.sh stop "$T/p"; tests/support/pg.sh stop "$T/q"; }
trap 'stop_servers; rm -rf "$T"' EXIT
trap 'exit 130' INT TERM
declare -A at
for w in p q; do
  vars=$(tests/support/pg.sh start "$T/$w") || { echo "cannot start PostgreSQL" >&2; exit 1; }
  at[$w]=$vars
done
# shellcheck disable=SC2086 # the assignments are words
on() { local w=$1; shift; env ${at[$w]} "$@"; }
ask() { local w=$1; shift; on "$w" "$PGBIN/psql" -XAtq "$@" 2> /dev/null; }

fresh() { # fresh SERVER: as after initdb, with an empty database app
  local db
  ask "$1" -d postgres -c "select datname from pg_database where datname not in ('postgres', 'template0', 'template1')" | while read -r db; do
    ask "$1" -d postgres -c "alter database \"$db\" with is_template false connection limit -1" -c "drop database \"$db\" with (force)"
  done
  ask "$1" -d postgres -c "select format('drop owned by %1\$I cascade; drop role %1\$I', rolname) from pg_roles where rolname !~ '^pg_' and rolname <> 'postgres'" \
    | ask "$1" -d postgres -f -
  ask "$1" -d postgres -c 'alter role postgres reset all' -c 'create database app'
}
state() { # state SERVER FULL|SCHEMA
  local db
  ask "$1" -d postgres -c "select rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolconnlimit, rolpassword is not null, rolvaliduntil, rolconfig from pg_roles r natural join (select oid, rolpassword is not null from pg_authid) a where rolname !~ '^pg_' order by 1" \
    -c "select roleid::regrole, member::regrole, admin_option from pg_auth_members where roleid >= 16384 or member >= 16384 order by 1, 2"
  for db in $(ask "$1" -d postgres -c "select datname from pg_database where datallowconn and datname <> 'template1' order by 1"); do
    echo "-- database $db"
    if [ "$2" = FULL ]; then
      on "$1" "$PGBIN/pg_dump" -C -d "dbname='$db'" 2>&1 | sed -E "/^pg_dump:/s/'[0-9]+'/oid/g" | grep -vE '^.(un)?restrict '
    else
      on "$1" "$PGBIN/pg_dump" -s -d "dbname='$db'" 2>&1 | sed -E "/^pg_dump:/s/'[0-9]+'/oid/g" | grep -vE '^.(un)?restrict '
      ask "$1" -d "$db" -c "select format('select %L, count(*) from %I.%I;', c.oid::regclass::text, n.nspname, relname) from pg_class c join pg_namespace n on n.oid = relnamespace where relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by n.nspname, relname" \
        | ask "$1" -d "$db" -f -
    fi
  done
}
play() { # play SERVER OPTIONS... -- FILES...: the files in turn until one fails
  local w=$1 o=() f rc=0; shift
  while [ "$1" != -- ]; do o+=("$1"); shift; done; shift
  for f in "$@"; do
    local tool=("$PGBIN/psql" -X); [ "$w" = p ] || tool=("$B/bin/pgc-sql" run --allow-shell)
    (cd "$(dirname "$f")" && POSTGRES_USER=postgres POSTGRES_DB=app POSTGRES_PASSWORD=secret on "$w" timeout 120 "${tool[@]}" -q -w -d app "${o[@]}" -f "$(basename "$f")") < /dev/null
    rc=$?
    [ "$rc" = 0 ] || break
  done
  return $rc
}
# Where psql complained; SQL errors by line, so that a wording of libpq does not matter.
# Left out: the commands that are not served here, what psql says to the same ones, also inside a failed transaction.
places() {
  grep -oE '^psql:[^ ]*:[0-9]+: (ERROR|FATAL|error):.*' \
    | grep -vE 'error: invalid command .(d|l|z|sf|sv)|error: .(gdesc|crosstabview|watch) is not|error: ERROR:|ERROR:  current transaction is aborted' \
    | cut -d: -f1-4
}
both() { # both NAME FULL|SCHEMA OPTIONS... -- FILES...
  local name=$1 how=$2 w; shift 2
  for w in p q; do
    { fresh "$w"; play "$w" "$@" > "$T/$w.out" 2> "$T/$w.err"; echo $? > "$T/$w.rc"; state "$w" "$how" > "$T/$w.state"; } &
  done
  wait
  is "$name: exit status" "$(cat "$T/q.rc")" "$(cat "$T/p.rc")"
  is "$name: failing lines" "$(diff <(places < "$T/p.err") <(places < "$T/q.err"))" ''
  if ! cmp -s "$T/p.state" "$T/q.state"; then
    # now() and random() differ between two runs of psql as well: only what stays the same there is compared
    cp "$T/p.state" "$T/p.first"; fresh p; play p "$@" > /dev/null 2>&1; state p "$how" > "$T/p.state"
    if ! cmp -s "$T/p.state" "$T/p.first"; then
      for w in p q; do state "$w" SCHEMA > "$T/$w.state"; done
    fi
  fi
  if cmp -s "$T/p.state" "$T/q.state"; then pass "$name: databases and roles"; else fail "$name: databases and roles" "$(diff "$T/p.state" "$T/q.state" | head -n 20)"; fi
}
wanted() { [ ${#patterns[@]} -eq 0 ] && return 0; local p; for p in "${patterns[@]}"; do [[ $1 == *$p* ]] && return 0; done; return 1; }
patterns=("$@")

for f in "$CORPUS"/sample-dbs/*.sql; do wanted "$f" && both "sample-dbs/$(basename "$f")" FULL -v ON_ERROR_STOP=1 -- "$f"; done
for d in "$CORPUS"/init-scripts/*/initdb.d; do
  files=("$d"/*.sql)
  [ -e "${files[0]}" ] && wanted "$d" && both "init-scripts/$(basename "$(dirname "$d")")" FULL -v ON_ERROR_STOP=1 -- "${files[@]}"
done
for d in "$CORPUS"/sqlsplit/*/; do
  grep -q '"syntax": "postgres"' "$d/expected.json" && wanted "$d" && both "sqlsplit/$(basename "$d")" FULL -v ON_ERROR_STOP=1 -- "$d/input.sql"
done
for f in "$CORPUS"/pgregress/*.sql; do
  wanted "$f" || continue
  case $(basename "$f" .sql) in
    event_trigger_login) continue ;; # locks everybody out of the database
  esac
  both "pgregress/$(basename "$f")" SCHEMA -- "$f"
done
finish
