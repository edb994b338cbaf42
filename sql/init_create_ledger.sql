create schema if not exists pgc;
create table if not exists pgc.init (
    name         text primary key,
    sha256       text not null,
    how          text not null,
    status       text not null check (status in ('started', 'done', 'failed')),
    started_at   timestamptz not null,
    finished_at  timestamptz,
    duration_ms  bigint,
    error        text,
    runs         integer not null default 1,
    run_by       text not null default session_user,
    tool_version text not null
);
comment on table pgc.init is 'init scripts that pgc init has run; one that is not done keeps pgc ready --level migrated from passing';
