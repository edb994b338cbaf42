alter table t add constraint u unique (a);
alter table t add unique (a);
alter table t add column b text unique;
alter table t add constraint u unique using index i;
create table n (a int unique);
alter table n add unique (a);
-- expect: disallowed-unique-constraint 1
-- expect: disallowed-unique-constraint 2
-- expect: disallowed-unique-constraint 3
