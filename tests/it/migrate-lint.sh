#!/bin/bash
# pgc migrate up --lint: refuses before anything runs, knows the server and each script's transaction.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
cd "$T" || exit 1
export PGDATABASE=miglint
new_db miglint
mkdir m
printf -- '-- migrate:up\ncreate table big as select a from generate_series(1, 200000) a;\n-- migrate:down\ndrop table big;\n' > m/1_big.sql
printf -- '-- migrate:up\ncreate index big_a on big (a);\n' > m/2_index.sql
printf -- '-- migrate:up\ncreate table new (a bigint);\ncreate index on new (a);\n' > m/3_new.sql

status "tables that are not there yet make no trouble" 0 pgc-migrate up --dir m --lint=error --to 1
status "an index on a large table is refused" 1 pgc-migrate up --dir m --lint=error
like "with its place and rule" "$ERR" "m/2_index.sql:2:1: .*require-concurrent-index-creation.*nothing was changed"
is "nothing ran, not even what is harmless" "$(sql -c "select to_regclass('new') is null, count(*) from pgc.migrations")" "t|1"
status "a dry run says so too" 1 pgc-migrate up --dir m --lint --dry-run
run pgc-migrate up --dir m --lint --json
is "JSON has the refusal" "$RC $(jq -c '[.count, (.error | contains("lint refuses"))]' <<< "$OUT")" '1 [0,true]'
printf -- '-- migrate:up\n-- pgc:nolint require-concurrent-index-creation the table is not in use yet\ncreate index big_a on big (a);\n' > m/2_index.sql
status "silenced with a reason" 0 pgc-migrate up --dir m --lint=error
printf 'create index concurrently big_b on big (a);\ndrop index concurrently big_a;\n' > m/4_concurrently.sql
status "outside of a transaction CONCURRENTLY is right" 0 pgc-migrate up --dir m --lint=error
printf -- '-- migrate:up\ndrop table new;\n-- migrate:down\ncreate table new (a bigint);\ndrop table if exists unused;\n' > m/5_drop.sql
status "warn tells and goes on" 0 pgc-migrate up --dir m --lint=warn
like "what it tells" "$ERR" "m/5_drop.sql:2:1: dropping table 'new'"
is "it ran" "$(sql -c "select to_regclass('new') is null")" t
printf -- '-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;\n' > m/6_harmless.sql
status "only what is pending is checked" 0 pgc-migrate up --dir m --lint=error
unlike "nothing about what has run" "$ERR" 5_drop
printf 'do $$ begin\n  drop table big;\nend $$;\n' > m/7_do.sql
status "what a DO block does counts" 1 pgc-migrate up --dir m --lint=error
like "at its own place" "$ERR" "m/7_do.sql:2:3: dropping table 'big'"
rm m/7_do.sql
status "down is not checked" 0 pgc-migrate down --dir m --lint=error --to 4
status "off by default" 0 pgc-migrate up --dir m
finish
