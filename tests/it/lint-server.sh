#!/bin/bash
# pgc lint with a connection: version, sizes of tables, types of columns, kinds of constraints; and its list of stable functions.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
cd "$T" || exit 1
new_db lint
sql -d lint -c "create schema s; create schema hidden;
  create table small (a int, v varchar(10)); create table s.large (a int);
  create table parent (id int primary key); create table child (p int constraint to_parent references parent);
  create table hidden.large (a int);
  insert into s.large select generate_series(1, 100000); analyze s.large" > /dev/null
lint() { run pgc-lint -d lint --json "$@"; }

cat > sizes.sql <<'E2'
create index on small (a);
create index on s.large (a);
create index on absent (a);
create index on large (a);
E2
lint --only PG101 sizes.sql
is "small is info, absent is new" "$(jq -c '.findings[] | [.line, .severity, .table]' <<< "$OUT" | tr '\n' ' ')" '[1,"info","small"] [2,"error","s.large"] '
is "the size is told" "$(jq '.findings[1] | .rows == 100000 and .bytes > 3000000' <<< "$OUT")" true
lint --only PG101 --small-table 1GB sizes.sql
is "what is small can be said" "$(jq -c '[.findings[].severity]' <<< "$OUT")" '["info","info"]'
lint --only PG101 --small-table 0 sizes.sql
is "nothing is small" "$(jq -c '[.findings[].severity]' <<< "$OUT")" '["error","error"]'

cat > types.sql <<'E2'
alter table small alter column v type varchar(20);
alter table small alter column v type varchar(5);
alter table small alter column v type text;
E2
lint --only changing-column-type types.sql
is "only the shorter one" "$(jq -c '[.findings[].line]' <<< "$OUT")" '[2]'
echo 'alter table child drop constraint to_parent; alter table parent drop constraint parent_pkey;' > drop.sql
lint --only ban-drop-foreign-key drop.sql
is "a foreign key by its kind" "$(jq -r '.findings[].message' <<< "$OUT")" "without the foreign key 'to_parent' rows may refer to nothing"

echo 'create table new (a int); create index on new (a);' > new.sql
lint --only PG101 new.sql
is "a table that the server lacks and the file makes" "$(jq '.findings | length' <<< "$OUT")" 0
status "no server" 69 pgc-lint -d "host=$T port=1 dbname=x connect_timeout=1" new.sql
before=$(sql -d lint -c "select count(*) from pg_class")
lint types.sql
is "nothing was changed" "$(sql -d lint -c "select count(*) from pg_class")" "$before"

# A change of type that lint calls harmless leaves the table's file alone, and the others do not.
while IFS='>' read -r from to; do
  sql -d lint -c "set client_min_messages = error; drop table if exists r; create table r (c $from)"
  echo "set timezone = 'UTC'; alter table r alter column c type $to;" > relabel.sql
  lint --only changing-column-type relabel.sql
  said=$(jq '.findings | length == 0' <<< "$OUT")
  before=$(sql -d lint -c "select pg_relation_filenode('r')")
  sql -d lint -f relabel.sql
  is "$from to $to" "$said" "$(sql -d lint -c "select case when pg_relation_filenode('r') = $before then 'true' else 'false' end")"
done << 'E2'
varchar(10)>varchar(20)
varchar(10)>varchar(5)
varchar(10)>varchar
varchar>varchar(10)
varchar(10)>text
text>varchar
text>varchar(10)
numeric(10,2)>numeric(12,2)
numeric(10,2)>numeric(12,3)
numeric(10,2)>numeric(8,2)
numeric(10,2)>numeric
numeric>numeric(10,2)
cidr>inet
timestamp(3)>timestamp(6)
timestamp(6)>timestamp(3)
timestamp>timestamptz
timestamptz>timestamp
bit varying(8)>bit varying(9)
interval(3)>interval(6)
time(2)>time
integer>bigint
smallint>integer
E2

# What the golden file of ban-in-transaction expects is what the server refuses.
golden=$OLDPWD/tests/golden/lint/ban-in-transaction.sql
sql -d lint -c "create table p (a int) partition by range (a); create table p1 partition of p for values from (0) to (9); create index i on p1 (a); create table t (a int)" > /dev/null
expected=$(sed -n 's/^-- expect: ban-in-transaction //p' "$golden" | tr '\n' ' ')
refused=''
for line in $(seq 3 "$(grep -n '^commit;' "$golden" | cut -d : -f 1)"); do
  statement=$(sed -n "${line}p" "$golden" | sed 's/detach partition p concurrently/detach partition p1 concurrently/; s/alter table t/alter table p/')
  if "$PGBIN/psql" -Xq -d lint -c begin -c "$statement" 2>&1 | grep -qE 'inside a transaction block|invalid transaction termination|from a function'; then refused="$refused$line "; fi
done
is "what must not run in a transaction is what the server refuses" "$refused" "$expected"

# Functions that count as stable must not be volatile on this server, in any variant.
sed -n '/^static const char stable_functions/,/;$/s/^ *"\(.*\)".*/\1/p' "$OLDPWD/lib/lint/volatility.c" | tr ' ' '\n' | sed '/^$/d' > names
is "no volatile function in the list" "$(sql -d lint -c "create temp table n (name text); copy n from stdin" -c "select distinct name from n join pg_proc p on p.proname = n.name where p.pronamespace = 'pg_catalog'::regnamespace and p.provolatile = 'v'" < names)" ""
ok "the list was read" test "$(wc -l < names)" -gt 200
finish
