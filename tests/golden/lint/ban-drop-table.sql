drop table t;
drop table if exists s.t cascade;
create table n (a int);
drop table n;
drop view v;
-- expect: ban-drop-table 1
-- expect: ban-drop-table 2
