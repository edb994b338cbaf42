set lock_timeout = '1s';
set statement_timeout = 0;
alter table t add column b int;
reset all;
drop table t;
-- expect: require-statement-timeout 3
