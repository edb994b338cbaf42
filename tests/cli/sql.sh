#!/bin/bash
# pgc sql: its own command line, and the applet psql beside the real one: same stdout, stderr and status.
. "$(dirname "$0")/../support/lib.sh"
psql=$B/applets/psql
mkdir -p "$T/w/sub"; cd "$T/w" || exit 1

same() { # same NAME ARGS...: both with these arguments, each in a fresh database x; STDIN is their standard input
  local name=$1 want_out want_err want_rc; shift
  sql -d postgres -c 'drop database if exists x with (force)' -c 'create database x' 2> /dev/null
  run "$PGBIN/psql" -X -d x "$@"
  want_out=$OUT want_err=$ERR want_rc=$RC
  sql -d postgres -c 'drop database if exists x with (force)' -c 'create database x' 2> /dev/null
  run "$psql" -X -d x "$@"
  is "$name: status" "$RC" "$want_rc"; is "$name: stdout" "$(diff <(echo "$want_out") <(echo "$OUT"))" ''; is "$name: stderr" "$(diff <(echo "$want_err") <(echo "$ERR"))" ''
}
script() { cat > "$1"; } # script FILE < text

# --- errors and where they are ---------------------------------------------------------------------------
script err.sql <<'X'
select 1;

select

 1

/;
-- lead
/* x */ select
 nosuch;
\foo
\if x
\endif
select E'a'
'b';
\i nosuch.sql
select 2
X
same 'errors' -f err.sql
same 'the first error' -v ON_ERROR_STOP=1 -f err.sql
STDIN=err.sql same 'errors on standard input'
STDIN=err.sql same 'errors on a dash' -f -
same 'no such file' -f nosuch.sql
same 'commands' -c 'select 1 as a' -c '\foo' -c 'select x' -c 'select 2 as b; select 3'
same 'a failed command' -v ON_ERROR_STOP=1 -c 'select x' -c 'select 2'
same 'a failed command in between' -c 'select x' -c 'select 2'
same 'one transaction' -1 -v ON_ERROR_STOP=1 -c 'create table t ()' -c 'select x'
same 'no database' -d nosuch -c 'select 1'
same 'echo all' -a -f err.sql
same 'echo queries' -e -f err.sql
same 'echo errors' -b -f err.sql
same 'unaligned' -At -F ';' -c "select 1 as a, null as b, 'x' as c" -c 'select 2'
same 'csv' --csv -c "select 1 as a, 'x,\"y' as b, E'l\\nm' as c"
same 'output file' -o out.txt -c 'select 1' -c '\echo here' -c '\qecho there'
is 'output file' "$(cat out.txt)" "$("$PGBIN/psql" -X -d x -c 'select 1'; echo there)"
same 'lost connection' -c 'select pg_terminate_backend(pg_backend_pid())' -c 'select 1'
script lost.sql <<'X'
select 1;
select pg_terminate_backend(pg_backend_pid());
select 2;
X
run "$psql" -X -d x -f lost.sql
is 'a lost connection is status 2' "$RC" 2
like 'and says so at its line' "$ERR" 'psql:lost.sql:2: error: connection to server was lost'

pgc sql run -d x -c 'select pg_sleep(60)' 2> "$T/sleep.err" & pid=$!
for _ in $(seq 100); do [ "$(sql -d postgres -c "select count(*) from pg_stat_activity where query = 'select pg_sleep(60)'")" = 1 ] && break; sleep 0.1; done
kill -TERM $pid; wait $pid
is 'a signal cancels the query and is the status' "$?" 143

# --- variables and meta-commands -------------------------------------------------------------------------
script meta.sql <<'X'
\set a 1
\set b :a 'x y' "q" :'a' ' \'' 'tab\there'
\echo :b :'b' :"b" :nosuch
\echo -n no newline
\echo
\warn w
select :'b' as b, :a as a, ':a' as c, $$:a$$ as d, '{1,2}'::int[], (array[1,2])[1:2];
\getenv h PATH_THAT_IS_NOT_SET
\echo :h :{?h} :{?a}
select 1 as one, 'two' as two, null as three \gset p_
\echo :p_one :p_two :{?p_three}
select 1 where false \gset
select generate_series(1, 2) \gset
select 1 as "ON_ERROR_STOP" \gset
select 'select ' || x from generate_series(1, 3) x \gexec
select 'create table t' || x, 'drop table t' || x from generate_series(1, 2) x \gexec
select 1 as a \gx
select 2 as a \g (format=unaligned tuples_only=on)
\g
select 3 \; select 4;
select 5 \r
select 6
\p
;
\if true
\echo yes
\elif true
\echo no
\else
\echo no
\endif
\if 0
\echo `false`
select 1/0;
\nosuch
\elif yes
\echo elif
\else
\echo else
\endif
select \if true 7 \else 8 \endif as n;
\else
\endif
\unset a
\echo :a
\set ON_ERROR_STOP maybe
\set ECHO wrong
\set QUIET
\pset format unaligned
\pset null 'NULL'
select null as x, 1 as y;
\pset format aligned
\x
select null as x, 1 as y from generate_series(1, 2);
\x
\set QUIET off
\a
\t
select 1;
\a \t
\pset border 2
select 1 as a, 'x' as b, E'two\nlines' as c, E'tab\there' as d, 'größe' as e, '日本' as f;
\x on
select 1 as a, E'two\nlines' as c;
\x off
\pset border 0
select 1 as a, 'x' as b, 1.5 as "a long header";
\pset border 1
\pset fieldsep ,
\pset footer off
select 1 as abcdefghijklmnop;
\pset footer on
\pset title 'My title'
select 1 as abcdefghijklmnop;
\pset title
\pset nosuch
\pset format nosuch
\encoding
\encoding latin1
\encoding utf8
\encoding nosuch
\timing off
insert into nosuch values (1);
\echo :ERROR :SQLSTATE :LAST_ERROR_SQLSTATE :LAST_ERROR_MESSAGE :ROW_COUNT
select generate_series(1, 3) as n;
\echo :ERROR :SQLSTATE :ROW_COUNT :SERVER_VERSION_NUM :DBNAME
create table r (a int); insert into r values (1), (2) returning a;
do $$ begin raise notice 'hello'; raise warning 'two
lines'; end $$;
\set VERBOSITY terse
select 1/0;
\set VERBOSITY verbose
\set VERBOSITY sqlstate
select 1/0;
\set VERBOSITY default
begin; select 1/0; select 1; rollback;
\set ON_ERROR_ROLLBACK on
begin; insert into r values (3); select 1/0; insert into r values (4); commit; select count(*) from r;
\set AUTOCOMMIT off
insert into r values (5); rollback; select count(*) from r; commit;
\set ON_ERROR_STOP
\ir sub/one.sql
\echo not reached
X
script sub/one.sql <<'X'
\echo one
\ir two.sql
\i sub/two.sql
X
echo 'select 1 as two; select nosuch;' > sub/two.sql
same 'meta-commands' -f meta.sql
same 'meta-commands, shell-like quoting' -v 'a=it''s "q"' -c '\echo :a' -f sub/two.sql
printf '\xef\xbb\xbfselect 1 as bom;\r\n\\echo crlf\r\nselect\r\n 2;\r\n' > crlf.sql
same 'byte order mark and CR LF' -f crlf.sql
printf '\\if true\nselect 1;\n' > if.sql
same 'open \if' -v ON_ERROR_STOP=1 -c '\echo' -f if.sql
printf 'select 1;\n\\q\nselect 2;\n' > quit.sql
same 'quit' -f quit.sql -c 'select 3'
printf '\\restrict k\nselect 1;\n\\echo no\n\\unrestrict x\n\\unrestrict k\n\\echo yes\n' > restrict.sql
same 'restricted' -f restrict.sql
printf 'PGDMP\n' > dump.sql
run "$psql" -d x -f dump.sql
is 'a custom dump is refused' "$RC" 1
like 'and names the tool' "$ERR" 'pg_restore'

# --- COPY ------------------------------------------------------------------------------------------------
script copy.sql <<'X'
create table t (a int, b text);
copy t from stdin; select 'after';
1	x
2	y
\.
copy t from stdin csv;
3,"zz"
\.
copy nosuch from stdin;
1	x; select 'INJECTED';
\.
copy t from stdin;
bad	x
4	ok; drop table t;
\.
copy t from stdin \; copy t from stdin;
5	five
\.
6	six
\.
select * from t order by 1;
copy t to stdout;
copy t to stdout \; select 1;
\copy t from stdin
7	seven
\.
\copy t to 't.txt'
\copy t from 't.txt'
\copy t from 'nosuch.txt'
\copy t to stdout
\copy (select a, 'x;y' from t where b = 'x''y' or a < 3 order by 1) to stdout csv
\copy nosuch from stdin
8	eight
\.
\copy
\copy t
\copy t foo
\copy t from
\copy t to 't.bin' binary
\copy t from 't.bin' (format binary)
\copy public.t (a, b) from 't.txt'
\o o.txt
copy t to stdout;
select 1;
\o
select count(*) from t;
copy t from stdin;
9	end
X
same 'copy' -f copy.sql
STDIN=copy.sql same 'copy from standard input'
same 'copy to a query file' -f copy.sql -c "copy (select 1) to stdout \\g c.txt"
echo 'a	b' > in.txt
STDIN=in.txt same 'COPY from the program'"'"'s input' -c 'create table t (a text, b text)' -c 'copy t from stdin' -c 'table t'
STDIN=in.txt same '\copy from pstdin' -c 'create table t (a text, b text)' -c '\copy t from pstdin' -c 'table t'

# --- connections -----------------------------------------------------------------------------------------
sql -d postgres -c 'create role "App User" login' -c 'create database "My DB"'
script connect.sql <<X
\c "My DB"
select current_database(), current_user;
\connect - "App User"
select current_database(), current_user;
\c x postgres;
select current_database(), current_user;
\c "dbname=postgres user=postgres"
select current_database(), current_user;
\c -reuse-previous=on "dbname=x"
select current_database(), current_user;
\c - - 127.0.0.1
select current_database(), inet_server_addr();
\c
\set QUIET
\c postgresql:///postgres?host=$PGHOST
select current_database();
\c nosuch
select 'not reached';
X
same 'connect' -f connect.sql
same 'connect, stopping' -v ON_ERROR_STOP=1 -f connect.sql

# --- no shell --------------------------------------------------------------------------------------------
script shell.sql <<'X'
\set v `echo "$SQL_SH_VALUE"`
\echo :v
\set v `echo $SQL_SH_VALUE`
\echo :v
\set w `touch made-by-a-shell`
\! touch made-by-a-shell
\copy (select 1) to program 'touch made-by-a-shell'
\o |touch made-by-a-shell
select 1 \g |touch made-by-a-shell
\echo :{?w}
X
export SQL_SH_VALUE="a value; with 'quotes'"
run "$psql" -d x -f shell.sql
is 'environment values without a shell' "$OUT" "$SQL_SH_VALUE"$'\n'"$SQL_SH_VALUE"$'\nFALSE'
ok 'no shell was run' test ! -e made-by-a-shell
run "$psql" -d x -f shell.sql
is 'each attempt is an error with its line' "$(grep -c 'psql:shell.sql:[5-9]: error: .*no shell is run here' <<< "$ERR")" 5
run "$psql" -d x -v ON_ERROR_STOP=1 -f shell.sql
is 'which stops the script' "$RC" 3
script shell2.sql <<'X'
\set v `printf 'a\nb\n\n'`
\echo :v
\set q 'it''s'
\echo `echo :'q'`
\! echo from the shell
select 1 \g |cat
X
run "$PGBIN/psql" -X -d x -f shell2.sql; want=$OUT
run "$psql" --allow-shell -d x -f shell2.sql
is 'with --allow-shell as psql does' "$OUT" "$want"

# --- pgc sql run and split -------------------------------------------------------------------------------
status 'run' 0 env DATABASE_URL="postgresql:///x?host=$PGHOST&port=$PGPORT&user=postgres" pgc sql run -At -c 'select current_database()'
is 'takes DATABASE_URL' "$OUT" x
status 'unknown option' 64 pgc sql run --nosuch
status 'unknown option of the applet' 1 "$psql" --nosuch
status 'no server' 2 pgc sql run -h "$T" -c 'select 1'
status 'help' 0 pgc sql run --help
like 'names the pipeline' "$OUT" '--pipeline'
{ echo 'create table p (a int primary key);'; seq 1 1000 | sed 's/.*/insert into p values (&);/'; echo 'copy p from stdin;'; seq 1001 1010; echo '\.'; } > pipe.sql
sql -d postgres -c 'drop database if exists x with (force)' -c 'create database x'
status 'pipeline' 0 pgc sql run --pipeline -q -d x -f pipe.sql
is 'ran all of it' "$(sql -d x -c 'select count(*), sum(a) from p')" '1010|510555'
sed -i '1d; 701s/.*/insert into p values (5);/' pipe.sql
sql -d x -c 'truncate p'
status 'a failure in a pipeline' 3 pgc sql run --pipeline -q -v ON_ERROR_STOP=1 -d x -f pipe.sql
like 'names its line' "$ERR" '^psql:pipe.sql:700: ERROR:  duplicate key'
is 'and leaves nothing behind' "$(sql -d x -c 'select count(*) from p')" 0
printf 'select 1;\n\nselect\n  :v\n;\n\\echo x\ncopy t from stdin;\n1\n\\.\nselect $$;' > split.sql
status 'split' 0 pgc sql split -v v=2 split.sql
is 'split text' "$OUT" $'-- line 1\nselect 1;\n-- line 3\nselect\n  2\n;\n-- line 7\ncopy t from stdin;\n-- line 10\nselect $$;'
is 'split tells what is open' "$ERR" 'split.sql:10: a dollar-quoted string is not closed'
status 'split as JSON' 0 pgc sql split --json --all split.sql
is 'split JSON' "$OUT" '[
{"line":1,"end_line":1,"offset":0,"length":9,"kind":"statement","terminated":true,"copy_from_stdin":0,"sql":"select 1;"},
{"line":3,"end_line":5,"offset":11,"length":13,"kind":"statement","terminated":true,"copy_from_stdin":0,"sql":"select\n  :v\n;"},
{"line":6,"end_line":6,"offset":25,"length":7,"kind":"meta","command":"echo x"},
{"line":7,"end_line":7,"offset":33,"length":18,"kind":"statement","terminated":true,"copy_from_stdin":1,"sql":"copy t from stdin;"},
{"line":8,"end_line":8,"offset":52,"length":2,"kind":"copy_data"},
{"line":10,"end_line":10,"offset":57,"length":10,"kind":"statement","terminated":false,"copy_from_stdin":0,"sql":"select $$;"}
]'
printf '' > empty.sql
status 'split of nothing' 0 pgc sql split --json empty.sql
is 'split of nothing' "$OUT" '[]'
status 'split of no file' 1 pgc sql split nosuch.sql
finish
