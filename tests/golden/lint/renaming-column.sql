alter table t rename column a to b;
alter table t rename a to b;
create table n (a int);
alter table n rename column a to b;
alter table t rename constraint a to b;
-- expect: renaming-column 1
-- expect: renaming-column 2
