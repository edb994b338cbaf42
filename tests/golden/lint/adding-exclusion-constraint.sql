alter table t add constraint x exclude using gist (r with &&);
create table n (r int4range, exclude using gist (r with &&));
alter table n add exclude using gist (r with &&);
-- expect: adding-exclusion-constraint 1
