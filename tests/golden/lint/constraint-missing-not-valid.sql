alter table t add constraint c check (a > 0);
alter table t add foreign key (a) references o (id);
alter table t add constraint d check (a > 0) not valid;
alter table t validate constraint d;
begin;
alter table t add constraint e check (a > 0) not valid;
alter table t validate constraint e;
commit;
alter table t add constraint u unique using index i;
-- expect: constraint-missing-not-valid 1
-- expect: constraint-missing-not-valid 2
-- expect: constraint-missing-not-valid 7
