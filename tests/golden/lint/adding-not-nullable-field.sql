alter table t alter column a set not null;
alter table t add constraint b_is check (b is not null and b > 0) not valid;
alter table t validate constraint b_is;
alter table t alter column b set not null;
alter table t alter column c set not null;
alter table t drop constraint b_is;
alter table t alter column b set not null;
alter table t validate constraint of_another_file;
alter table t alter column d set not null;
-- expect: adding-not-nullable-field 1
-- expect: adding-not-nullable-field 5
-- expect: adding-not-nullable-field 7
