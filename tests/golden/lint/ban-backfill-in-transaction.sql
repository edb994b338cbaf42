update t set a = 1 where b;
update t set a = 1;
begin;
alter table t add column c int;
update t set c = 1 where a < 5;
update o set c = 1 where a < 5;
delete from t where a = 3;
commit;
update t set c = 1 where a < 5;
create table n (a int);
update n set a = 1;
-- expect: ban-backfill-in-transaction 2
-- expect: ban-backfill-in-transaction 5
-- expect: ban-backfill-in-transaction 7
