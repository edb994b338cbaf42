alter table t add primary key (id);
alter table t add constraint p primary key using index i;
alter table t add column id bigserial;
alter table t
    add column note text,
    add column id bigint generated always as identity primary key;
create table n (a int);
alter table n add primary key (a);
-- expect: adding-serial-primary-key-field 1
-- expect: adding-serial-primary-key-field 3
-- expect: adding-serial-primary-key-field 6
