alter table t add constraint f foreign key (a) references o (id);
alter table t add constraint f foreign key (a) references o (id) not valid;
alter table t add column b bigint references o;
alter table t validate constraint f;
create table n (a int references o);
alter table n add foreign key (a) references o (id);
-- expect: adding-foreign-key-constraint 1
-- expect: adding-foreign-key-constraint 3
