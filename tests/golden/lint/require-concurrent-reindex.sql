reindex index i;
reindex table s.t;
reindex schema s;
reindex (concurrently off) table t;
reindex index concurrently i;
reindex (concurrently) table t;
reindex system app;
create table u (a int primary key);
reindex table u;
-- expect: require-concurrent-reindex 1
-- expect: require-concurrent-reindex 2
-- expect: require-concurrent-reindex 3
-- expect: require-concurrent-reindex 4
