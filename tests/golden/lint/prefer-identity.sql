create table t (
    id bigint,
    c0 serial,
    c1 bigserial,
    c2 smallserial,
    c3 serial8,
    c4 bigint,
    c5 int,
    c6 s.serial
);
alter table t add column x serial;
alter table t add column y bigint;
select null::int;
-- expect: prefer-identity 3
-- expect: prefer-identity 4
-- expect: prefer-identity 5
-- expect: prefer-identity 6
-- expect: prefer-identity 11
