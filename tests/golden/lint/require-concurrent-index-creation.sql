create index i on t (a);
create index concurrently j on t (a);
create unique index on s.t (lower(a));
create table u (a int);
create index on u (a);
create index on only parted (a);
create materialized view m as select 1 a;
create index on m (a);
-- expect: require-concurrent-index-creation 1
-- expect: require-concurrent-index-creation 3
