alter table t add column a int default 1;
alter table t add column b timestamptz default now();
alter table t add column c uuid default gen_random_uuid();
alter table t add column d double precision default random() * 2;
alter table t add column e timestamptz default clock_timestamp();
alter table t add column f int generated always as (a + 1) stored;
alter table t add column g text default lower('A' || 'B');
alter table t add column h text default app.lower('A');
alter table t add column i text[] default array['a', 'b']::text[];
alter table t add column j int default null;
-- expect: adding-field-with-default 3
-- expect: adding-field-with-default 4
-- expect: adding-field-with-default 5
-- expect: adding-field-with-default 6
-- expect: adding-field-with-default 8
