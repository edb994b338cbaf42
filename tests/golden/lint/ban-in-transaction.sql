vacuum t;
begin;
vacuum t;
analyze t;
drop index concurrently i;
reindex index concurrently i;
reindex schema s;
alter table t detach partition p concurrently;
create database d;
alter system set work_mem = '1MB';
do $$ begin perform 1; commit; end $$;
do $$ begin perform 1; end $$;
discard all;
create subscription s connection '' publication p;
create subscription s connection '' publication p with (connect = false);
commit;
-- expect: ban-in-transaction 3
-- expect: ban-in-transaction 5
-- expect: ban-in-transaction 6
-- expect: ban-in-transaction 7
-- expect: ban-in-transaction 8
-- expect: ban-in-transaction 9
-- expect: ban-in-transaction 10
-- expect: ban-in-transaction 11
-- expect: ban-in-transaction 13
-- expect: ban-in-transaction 14
