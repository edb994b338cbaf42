alter table t drop constraint t_a_fkey;
alter table t drop constraint if exists fk_user;
alter table t drop constraint t_check;
alter table t drop constraint fk_old;
alter table t add constraint fk_old foreign key (a) references o (id) not valid;
-- expect: ban-drop-foreign-key 1
-- expect: ban-drop-foreign-key 2
