create table t (a int);
create table if not exists t (a int);
create index concurrently i on t (a);
create index concurrently on t (a);
alter table t
    add column if not exists b int,
    add column c int;
drop view v;
drop view if exists v;
create schema s;
alter type e add value 'x' before 'y';
alter type e add value if not exists 'x' before 'y';
begin;
create table u (a int);
commit;
do $$ begin if to_regclass('q') is null then create table q (a int); end if; end $$;
-- expect: prefer-robust-stmts 1
-- expect: prefer-robust-stmts 3
-- expect: prefer-robust-stmts 7
-- expect: prefer-robust-stmts 8
-- expect: prefer-robust-stmts 10
-- expect: prefer-robust-stmts 11
