alter table t alter column a drop not null;
alter table t alter column a drop default;
-- expect: ban-drop-not-null 1
