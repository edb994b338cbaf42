create table t (
    id bigint,
    c0 timestamp,
    c1 timestamp(3),
    c2 timestamp[],
    c3 timestamptz,
    c4 date,
    c5 time
);
alter table t add column x timestamp;
alter table t add column y timestamptz;
alter table t alter column z type timestamp;
select null::timestamp;
-- expect: prefer-timestamp-tz 3
-- expect: prefer-timestamp-tz 4
-- expect: prefer-timestamp-tz 5
-- expect: prefer-timestamp-tz 10
-- expect: prefer-timestamp-tz 12
