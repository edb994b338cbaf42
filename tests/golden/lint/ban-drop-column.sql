alter table t drop column a;
alter table t drop column if exists a,
    drop b cascade;
create table n (a int);
alter table n drop column a;
alter type ct drop attribute a;
-- expect: ban-drop-column 1
-- expect: ban-drop-column 2
-- expect: ban-drop-column 3
