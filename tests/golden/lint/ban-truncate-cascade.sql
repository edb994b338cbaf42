truncate a, b cascade;
truncate a, b;
-- expect: ban-truncate-cascade 1
