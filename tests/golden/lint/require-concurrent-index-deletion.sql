drop index i;
drop index if exists i, j;
drop index concurrently i;
drop table t;
-- expect: require-concurrent-index-deletion 1
-- expect: require-concurrent-index-deletion 2
