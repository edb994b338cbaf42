create table t (a int);
create table s.t (a int);
create temp table u (a int);
alter table t add column b int;
alter table s.t add column b int;
alter table t rename to w;
drop table t;
drop table s.t;
create table x as select 1 a;
create index on t (a);
-- expect: require-table-schema 1
-- expect: require-table-schema 4
-- expect: require-table-schema 6
-- expect: require-table-schema 7
-- expect: require-table-schema 9
