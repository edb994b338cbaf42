alter table t alter column a type bigint;
alter table t
    alter column a set default 1,
    alter column b set data type text using b::text;
create table n (a int);
alter table n alter column a type text;
-- expect: changing-column-type 1
-- expect: changing-column-type 4
