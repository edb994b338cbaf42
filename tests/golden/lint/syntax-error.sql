-- expect: syntax-error 5
-- expect: syntax-error 8
-- expect: syntax-error 11
select 1;
selec 2;
create table t (
    a int,
    b int oops(1),
    c int
);
select 'unfinished;
