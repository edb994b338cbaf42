begin;
create table a (a int);
commit;
begin;
create table b (a int);
-- expect: ban-uncommitted-transaction 4
