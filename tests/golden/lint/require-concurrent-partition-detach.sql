alter table t detach partition p;
alter table t detach partition p concurrently;
alter table t detach partition p finalize;
-- expect: require-concurrent-partition-detach 1
