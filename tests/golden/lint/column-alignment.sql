create table t (a bool, b bigint, c bool, d bigint);
create table u (b bigint, d bigint, a bool, c bool);
create table v (a bool, b text, c int);
-- expect: column-alignment 1
