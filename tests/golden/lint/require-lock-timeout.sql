select 1;
create table t (a int);
set statement_timeout = '5s';
create index concurrently on t (a);
alter table t add column b int;
alter table t add column c int;
-- expect: require-lock-timeout 5
