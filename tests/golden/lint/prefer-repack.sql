vacuum full;
vacuum full t;
vacuum (full, verbose) t;
vacuum (full off) t;
vacuum (full 0) t;
vacuum analyze t;
cluster t using i;
cluster;
-- expect: prefer-repack 1
-- expect: prefer-repack 2
-- expect: prefer-repack 3
-- expect: prefer-repack 7
-- expect: prefer-repack 8
