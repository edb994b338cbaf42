-- The files that were loaded. Run inside the transaction that loads them.
create schema if not exists pgc;
create table if not exists pgc.seed (
    name text primary key,
    sha256 text not null,
    rows bigint not null,
    loaded_at timestamptz not null default now()
);
