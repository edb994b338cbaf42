create table if not exists pgc.migration_lease (
    id integer primary key check (id = 1),
    owner text not null,
    held_by text not null,
    acquired_at timestamptz not null,
    heartbeat_at timestamptz not null,
    expires_at timestamptz not null
);
comment on table pgc.migration_lease is 'the lock of pgc migrate behind a transaction pooler, where session locks cannot be held';
