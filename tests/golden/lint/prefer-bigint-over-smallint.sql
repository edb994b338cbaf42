create table t (
    id bigint,
    c0 smallint,
    c1 int2,
    c2 smallserial,
    c3 int2[],
    c4 int,
    c5 bigint,
    c6 s.int2
);
alter table t add column x smallint;
alter table t add column y int;
alter table t alter column z type smallint;
select null::smallint;
-- expect: prefer-bigint-over-smallint 3
-- expect: prefer-bigint-over-smallint 4
-- expect: prefer-bigint-over-smallint 5
-- expect: prefer-bigint-over-smallint 6
-- expect: prefer-bigint-over-smallint 11
-- expect: prefer-bigint-over-smallint 13
