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

# The server knows a table by the name that it had before this run, and IF NOT EXISTS makes no new one of it.
printf 'alter table s.large rename to huge;\ncreate index on s.huge (a);\nalter table s.huge set schema other;\n' > 1.sql
printf 'create index on other.huge (a);\ncreate index on s.huge (a);\n' > 2.sql
lint --only PG101 1.sql 2.sql
is "renamed and moved tables keep their size" "$(jq -c '.findings[] | [.file, .line, .rows]' <<< "$OUT" | tr '\n' ' ')" '["1.sql",2,100000] ["2.sql",1,100000] ["2.sql",2,100000] '
printf 'create table if not exists s.large (a int);\ncreate index on s.large (a);\ncreate table if not exists other (a int);\ncreate index on other (a);\n' > maybe.sql
printf 'do $$ begin if false then create table s.large (a int); create table fresh (a int); end if; end $$;\ncreate index on s.large (a);\ncreate index on fresh (a);\n' > do.sql
lint --only PG101 maybe.sql do.sql
is "IF NOT EXISTS and conditions make no new table of an old one" "$(jq -c '.findings[] | [.file, .line]' <<< "$OUT" | tr '\n' ' ')" '["maybe.sql",2] ["do.sql",2] '

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

# What the rules advise works, and the rule has nothing to say about it. Recipes: rule, then the files, each with its statements.
sql -d lint -c "create table w (id int, a int, b int, t timestamp); insert into w select g, g, g, now() from generate_series(1, 9) g;
  create table ref (id int primary key); insert into ref select g from generate_series(1, 9) g; create type mood as enum ('good');
  create table parts (a int not null, b int) partition by range (a); create table parts_1 partition of parts for values from (0) to (9);
  insert into parts values (1, 1); create index old_i on w (b); create schema old_s; create table old_s.x (a int)" > /dev/null
while IFS='|' read -r rule recipe; do
  n=0
  IFS='|' read -r -a files <<< "$recipe"
  for file in "${files[@]}"; do
    n=$((n + 1)); echo "$file" > "safe$n.sql"
    run pgc-lint --json --only "$rule" --no-assume-in-transaction "safe$n.sql"
    is "$rule: nothing to say about the safe way, file $n" "$(jq -c '[.findings[].message]' <<< "$OUT")" '[]'
    ok "$rule: it works" "$PGBIN/psql" -Xq -v ON_ERROR_STOP=1 -d lint -f "safe$n.sql"
  done
done << 'E2'
require-concurrent-index-creation|create index concurrently w_a on w (a);
require-concurrent-index-creation|create index parts_b on only parts (b);|create index concurrently parts_1_b on parts_1 (b);|alter index parts_b attach partition parts_1_b;
require-concurrent-index-deletion|drop index concurrently old_i;
require-concurrent-reindex|reindex index concurrently w_a;
require-concurrent-partition-detach|alter table parts detach partition parts_1 concurrently;
disallowed-unique-constraint|create unique index concurrently w_b_key on w (b);|alter table w add constraint w_b_key unique using index w_b_key;
adding-not-nullable-field|alter table w add constraint w_id_is check (id is not null) not valid;|alter table w validate constraint w_id_is; alter table w alter id set not null; alter table w drop constraint w_id_is;
adding-serial-primary-key-field|create unique index concurrently w_pkey on w (id);|alter table w add constraint w_pkey primary key using index w_pkey;
adding-foreign-key-constraint|alter table w add constraint w_ref foreign key (a) references ref not valid;|alter table w validate constraint w_ref;
constraint-missing-not-valid|alter table w add constraint w_pos check (a > 0) not valid;|alter table w validate constraint w_pos;
adding-required-field|alter table w add column c int not null default 0;
adding-field-with-default|alter table w add column d uuid; alter table w alter column d set default gen_random_uuid();|update w set d = gen_random_uuid() where id between 1 and 5;
prefer-text-field|alter table w add column e text check (length(e) <= 10);
prefer-identity|create table ids (id bigint generated by default as identity primary key);
require-enum-value-ordering|alter type mood add value 'bad' after 'good';
require-lock-timeout|set lock_timeout = '3s'; alter table w alter column a set default 1;
prefer-robust-stmts|alter table w drop constraint if exists w_pos; drop table if exists absent;
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
