do E'begin\n execute \'drop table \\'\'x\\'\'\'; end';
copy t from stdin;
a	b
\.
select 1 \gset
{{ if .x }} alter table t rename to u; {{ end }}
