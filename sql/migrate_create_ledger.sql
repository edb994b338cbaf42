create table if not exists pgc.migrations (
    key text primary key,
    version text,
    name text not null,
    kind text not null,
    file text,
    checksum text,
    state text not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    duration_ms bigint,
    applied_by text not null,
    tool_version text not null,
    statements_done integer,
    statements_checksum text,
    in_flight boolean,
    error text
);
comment on table pgc.migrations is 'migrations that are in this database; written by pgc migrate in the transaction of each migration';
create table if not exists pgc.migration_history (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    action text not null,
    done_by text not null default session_user,
    key text not null,
    version text,
    name text not null,
    kind text not null,
    file text,
    checksum text,
    started_at timestamptz,
    finished_at timestamptz,
    duration_ms bigint,
    applied_by text,
    tool_version text
);
comment on table pgc.migration_history is 'rows that have left pgc.migrations: reverted, run again, repaired';
