create table t (
    id bigint,
    c0 varchar(10),
    c1 character varying(3),
    c2 pg_catalog.varchar(4)[],
    c3 varchar,
    c4 text,
    c5 s.varchar
);
alter table t add column x varchar(10);
alter table t add column y varchar;
alter table t alter column z type varchar(10);
select null::varchar(10);
-- expect: prefer-text-field 3
-- expect: prefer-text-field 4
-- expect: prefer-text-field 5
-- expect: prefer-text-field 10
-- expect: prefer-text-field 12
