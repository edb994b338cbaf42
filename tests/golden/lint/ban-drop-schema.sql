drop schema s;
drop schema if exists a cascade;
create schema s;
-- expect: ban-drop-schema 1
-- expect: ban-drop-schema 2
