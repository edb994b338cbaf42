#!/bin/bash
# Level migrated: the ledgers of the other tools, told apart by their columns, clean and not clean.
# shellcheck source=tests/support/lib.sh disable=SC1091
. "$(dirname "$0")/../support/lib.sh"
n=0
# ledger NAME SQL: a fresh database with this ledger in it, in $PGDATABASE
ledger() {
  n=$((n + 1))
  export PGDATABASE=ready_ledger_$n
  new_db "$PGDATABASE" > /dev/null
  sql -c "$1" || fail "set-up of $PGDATABASE"
}
clean() { status "$1 is clean" 0 pgc-ready --level migrated; like "$1 is told apart" "$OUT" ", $1 $2\)\$"; }
dirty() { status "$1 is not clean" 6 pgc-ready --level migrated; like "$1 says why" "$ERR" "$2"; }

ledger "create table schema_migrations (version varchar primary key); insert into schema_migrations values ('20240101000000'), ('9')"
clean dbmate 20240101000000
status "dbmate, old enough" 0 pgc-ready --min-version 20231231000000
status "dbmate, too old" 6 pgc-ready --min-version 20240101000001
sql -c "create table ar_internal_metadata (key varchar primary key, value varchar)"
clean rails 20240101000000
ledger "create table schema_migrations (version varchar(255) primary key)"
dirty dbmate 'holds no migration yet'
ledger "create table schema_migrations (version bigint not null primary key, dirty boolean not null); insert into schema_migrations values (7, false)"
clean golang-migrate 7
sql -c "update schema_migrations set dirty = true"
dirty golang-migrate "'7' .*is not clean: it broke"
ledger "create table goose_db_version (id serial, version_id bigint not null, is_applied boolean not null, tstamp timestamp);
  insert into goose_db_version (version_id, is_applied) values (0, true), (1, true), (2, true), (2, false)"
clean goose 1
ledger "create table flyway_schema_history (installed_rank int primary key, version varchar(50), description varchar(200), type varchar(20), script varchar(1000), checksum int, installed_by varchar(100), installed_on timestamp default now(), execution_time int, success boolean);
  insert into flyway_schema_history (installed_rank, version, success) values (1, '1', true), (2, '1.10', true), (3, '1.9', true), (4, null, true)"
clean flyway '1\.10'
status "flyway, parts as numbers" 0 pgc-ready --min-version 1.10.0
status "flyway, too old" 6 pgc-ready --min-version 1.11
sql -c "update flyway_schema_history set success = false where installed_rank = 3"
dirty flyway "'1.9' .*it failed"
ledger "create table _sqlx_migrations (version bigint primary key, description text, installed_on timestamptz default now(), success boolean not null, checksum bytea, execution_time bigint); insert into _sqlx_migrations values (3, 'x', now(), true, '', 1)"
clean sqlx 3
sql -c "update _sqlx_migrations set success = false"
dirty sqlx "'3' .*it broke"
ledger "create table __diesel_schema_migrations (version varchar(50) primary key, run_on timestamp not null default now()); insert into __diesel_schema_migrations values ('20160107082941')"
clean diesel 20160107082941
ledger "create table refinery_schema_history (version int4 primary key, name varchar(255), applied_on varchar(255), checksum varchar(255)); insert into refinery_schema_history values (5, 'x', '', '')"
clean refinery 5
ledger "create table schema_version (version int4 not null primary key); insert into schema_version values (12)"
clean tern 12
ledger "create schema atlas_schema_revisions; create table atlas_schema_revisions.atlas_schema_revisions (version varchar primary key, description varchar, type bigint, applied bigint, total bigint, executed_at timestamptz, execution_time bigint, error text, error_stmt text, hash varchar, partial_hashes jsonb, operator_version varchar);
  insert into atlas_schema_revisions.atlas_schema_revisions (version, applied, total) values ('.atlas_cloud_identifier', 0, 0), ('20240202', 2, 2)"
clean atlas 20240202
sql -c "update atlas_schema_revisions.atlas_schema_revisions set total = 3 where version = '20240202'"
dirty atlas "half applied"
ledger "create table alembic_version (version_num varchar(32) primary key); insert into alembic_version values ('1975ea83b712')"
clean alembic 1975ea83b712
status "alembic, that revision" 0 pgc-ready --min-version 1975ea83b712
status "alembic, another revision" 6 pgc-ready --min-version 0000ea83b712
ledger "create table django_migrations (id bigserial primary key, app varchar(255), name varchar(255), applied timestamptz); insert into django_migrations (app, name, applied) values ('blog', '0003_x', now()), ('auth', '0012_y', now())"
status "django" 0 pgc-ready --level migrated
status "django, per app" 0 pgc-ready --min-version blog.0003
status "django, another app's number does not count" 6 pgc-ready --min-version blog.0004

# Ours, as pgc migrate makes it.
ledger "$(printf 'create schema pgc;\n'; cat "$(dirname "$0")/../../sql/migrate_create_ledger.sql")"
dirty pgc 'holds no migration yet'
sql -c "insert into pgc.migrations (key, version, name, kind, state, started_at, applied_by, tool_version) values ('1', '1', 'x', 'versioned', 'applied', now(), 'me', '0')"
clean pgc 1
sql -c "insert into pgc.migrations (key, version, name, kind, state, started_at, applied_by, tool_version) values ('2', '2', 'y', 'versioned', 'applying', now(), 'me', '0')"
dirty pgc "'2' .*it is applying"
sql -c "update pgc.migrations set state = 'applied'"
clean pgc 2

# Init scripts, as pgc init keeps them.
ledger "$(cat "$(dirname "$0")/../../sql/init_create_ledger.sql")"
sql -c "insert into pgc.init (name, sha256, how, status, started_at, tool_version) values ('01.sql', '', 'once', 'done', now(), '0')"
status "init scripts that are done suffice" 0 pgc-ready --level migrated
sql -c "insert into pgc.init (name, sha256, how, status, started_at, tool_version) values ('02.sql', '', 'once', 'failed', now(), '0')"
dirty init "the init script '02.sql' has failed and not finished"
sql -c "update pgc.init set status = 'started'"
dirty init "has started"

# What is no ledger, though it has the name; whoever cannot read one; several at once.
ledger "create table migrations (id int, name text)"
dirty foreign 'no migration ledger'
ledger "create table alembic_version (version_num varchar(32) primary key); insert into alembic_version values ('a'); create role ready_outsider login"
status "a role that may not read it" 6 pgc-ready --level migrated -U ready_outsider
sql -c "create table schema_migrations (version bigint not null primary key, dirty boolean not null); insert into schema_migrations values (7, true)"
dirty "one of two" "golang-migrate"
sql -c "drop role ready_outsider"
finish
