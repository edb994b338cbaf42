create table t (
    id bigint,
    c0 char,
    c1 char(3),
    c2 character(4),
    c3 bpchar,
    c4 pg_catalog.char,
    c5 text,
    c6 varchar(3),
    c7 "char",
    c8 name
);
alter table t add column x char;
alter table t add column y text;
alter table t alter column z type char;
select null::char;
-- expect: ban-char-field 3
-- expect: ban-char-field 4
-- expect: ban-char-field 5
-- expect: ban-char-field 6
-- expect: ban-char-field 7
-- expect: ban-char-field 13
-- expect: ban-char-field 15
