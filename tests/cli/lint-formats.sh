#!/bin/bash
# pgc lint FOLDER: whether each file runs in a transaction, and which part of it runs upwards, as every format says it.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
cd "$T" || exit 1

# folder FILE TEXT...: the folder f with these files.
folder() {
  rm -rf f
  while [ $# -gt 0 ]; do mkdir -p "f/$(dirname "$1")"; printf '%b' "$2" > "f/$1"; shift 2; done
}
# In a transaction VACUUM is an error, outside of one DROP without IF EXISTS a warning; the file that undoes says neither.
sql='drop table s.a;\nvacuum s.b;\n'
inside='ban-in-transaction 2'
outside='prefer-robust-stmts 1'
# at NAME WANT: rule and line of what is found, lines counted from the SQL above in the file $at.
mode() {
  run pgc-lint --json --rules ban-in-transaction,prefer-robust-stmts,transaction-nesting,syntax-error,template-placeholder f
  is "$1" "$(jq -r '.findings[] | "\(.rule) \(.line)"' <<< "$OUT" | tr '\n' ' ' | sed 's/ $//')" "$2"
}

folder V1__a.sql "$sql" V1__a.sql.conf 'executeInTransaction=true\n'
mode "flyway: .conf says true" "$inside"
# shellcheck disable=SC2016 # a placeholder of Flyway
folder V1__a.sql "$sql" V1__a.sql.conf 'executeInTransaction=false\n' V2__b.sql 'create table ${schema}.t (a bigint); drop table s.x;'
mode "flyway: .conf says false, placeholders have no value" "$outside"
folder sub/V1.1__a.sql "begin;\n" V2__b.sql 'drop table s.a; drop table s.b;'
mode "flyway: what controls transactions runs outside, what does not inside" ""
folder 2024-01-01-000000_a/up.sql "$sql" 2024-01-01-000000_a/down.sql "$sql" 2024-01-01-000000_a/metadata.toml 'run_in_transaction = false\n'
mode "diesel: metadata.toml says false" "$outside"
folder 2024-01-01-000000_a/up.sql "$sql" 2024-01-01-000000_a/metadata.toml 'run_in_transaction = true\n'
mode "diesel: metadata.toml says true" "$inside"
folder 1_a.up.sql "$sql" 1_a.down.sql "$sql"
mode "golang-migrate: several statements of one query are a transaction" "$inside"
folder 1_a.up.sql "begin;\ncommit;\n$sql"
mode "golang-migrate: unless the file has its own" "prefer-robust-stmts 3"
folder 1_a.sql "-- +goose Up\n$sql-- +goose Down\n$sql"
mode "goose" 'ban-in-transaction 3'
folder 1_a.sql "-- +goose NO TRANSACTION\n-- +goose Up\n$sql-- +goose Down\n$sql"
mode "goose: NO TRANSACTION" 'prefer-robust-stmts 3'
folder 1_a.sql "-- migrate:up\n$sql-- migrate:down\n$sql"
mode "dbmate" 'ban-in-transaction 3'
folder 1_a.sql "-- migrate:up transaction:false\n$sql-- migrate:down\n$sql"
mode "dbmate: transaction:false" 'prefer-robust-stmts 2'
folder 1_a.sql "-- no-transaction\n$sql"
mode "sqlx: -- no-transaction" 'prefer-robust-stmts 2'
folder 1_a.sql "-- atlas:txmode none\n\n$sql" atlas.sum 'h1:x\n'
mode "atlas: txmode none" 'prefer-robust-stmts 3'
folder 1_a.sql "-- +migrate Up notransaction\n$sql-- +migrate Down\n$sql"
mode "sql-migrate: notransaction" 'prefer-robust-stmts 2'
folder 001_a.sql "$sql---- create above / drop below ----\n$sql" tern.conf '[data]\n'
mode "tern" "$inside"
folder 001_a.sql "---- tern: disable-tx ----\n$sql---- create above / drop below ----\n$sql" tern.conf '[data]\n'
mode "tern: disable-tx" 'prefer-robust-stmts 2'
folder 001_a.sql '{{ template "shared/x.sql" . }};\ncreate table {{.prefix}}_t (a bigint);\n{{ if .x }} oops {{ end }};\n' tern.conf '[data]\n'
mode "tern: templates are no syntax errors" 'template-placeholder 1 template-placeholder 3'
status "nor failures" 0 pgc-lint --rules syntax-error f
folder 1_a.sql "-- migrate:up\nselect 1;\n-- migrate:down\ndrop table s.a;\n"
run pgc-lint --down --json --rules ban-drop-table f
is "--down checks what undoes" "$(jq -r '.findings[].line' <<< "$OUT")" 4
finish
