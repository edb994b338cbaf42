alter table t add column a int not null;
alter table t add column b int not null default 0;
alter table t add column c int;
alter table t add column d bigint not null generated always as identity;
alter table t add column e bigserial not null;
alter table t add column f int not null generated always as (a + 1) stored;
create table n (a int not null);
alter table n add column b int not null;
-- expect: adding-required-field 1
