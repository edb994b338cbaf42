alter table t rename to u;
alter view v rename to w;
alter index i rename to j;
create table n (a int);
alter table n rename to m;
-- expect: renaming-table 1
-- expect: renaming-table 2
