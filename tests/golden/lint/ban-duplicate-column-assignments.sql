update t set a = 1, b = 2, a = 3;
insert into t (a, b, a) values (1, 2, 3);
insert into t (a) values (1) on conflict (a) do update set b = 1, b = 2;
merge into t using s on t.a = s.a when matched then update set b = 1, b = 2;
create table u (
    a int,
    b int,
    a text
);
create view v as select a, b, a from t;
create view w (x, y) as select a, a from t;
create table x as select lower(a), lower(b) from t;
select count(*), count(*) from t;
update t set a.x = 1, a.y = 2;
-- expect: ban-duplicate-column-assignments 1
-- expect: ban-duplicate-column-assignments 1
-- expect: ban-duplicate-column-assignments 2
-- expect: ban-duplicate-column-assignments 2
-- expect: ban-duplicate-column-assignments 3
-- expect: ban-duplicate-column-assignments 3
-- expect: ban-duplicate-column-assignments 4
-- expect: ban-duplicate-column-assignments 4
-- expect: ban-duplicate-column-assignments 6
-- expect: ban-duplicate-column-assignments 8
-- expect: ban-duplicate-column-assignments 10
-- expect: ban-duplicate-column-assignments 10
-- expect: ban-duplicate-column-assignments 12
-- expect: ban-duplicate-column-assignments 12
