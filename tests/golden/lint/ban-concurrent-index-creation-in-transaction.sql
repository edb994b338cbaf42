create index concurrently a on t (a);
begin;
create index concurrently b on t (b);
create index c on t (c);
commit;
create unique index concurrently d on t (d);
-- expect: ban-concurrent-index-creation-in-transaction 3
