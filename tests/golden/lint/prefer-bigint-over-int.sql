create table t (
    id bigint,
    c0 int,
    c1 integer,
    c2 int4,
    c3 serial,
    c4 int[],
    c5 bigint,
    c6 smallint,
    c7 text,
    c8 s.int4,
    c9 bigserial
);
alter table t add column x int;
alter table t add column y bigint;
alter table t alter column z type int;
select null::int;
-- expect: prefer-bigint-over-int 3
-- expect: prefer-bigint-over-int 4
-- expect: prefer-bigint-over-int 5
-- expect: prefer-bigint-over-int 6
-- expect: prefer-bigint-over-int 7
-- expect: prefer-bigint-over-int 14
-- expect: prefer-bigint-over-int 16
