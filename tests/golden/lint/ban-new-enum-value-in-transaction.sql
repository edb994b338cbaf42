begin;
alter type e add value 'x' before 'y';
insert into t values ('y');
update t set a = 'x' where b;
commit;
alter type e add value 'z' before 'y';
insert into t values ('z');
-- expect: ban-new-enum-value-in-transaction 4
