create table t (
    id bigint,
    c0 json,
    c1 json[],
    c2 pg_catalog.json,
    c3 jsonb,
    c4 text
);
alter table t add column x json;
alter table t add column y jsonb;
alter table t alter column z type json;
select null::json;
-- expect: prefer-jsonb 3
-- expect: prefer-jsonb 4
-- expect: prefer-jsonb 5
-- expect: prefer-jsonb 9
-- expect: prefer-jsonb 11
