select 1;
{{ if .x }} drop table y {{ end }};
-- expect: template-placeholder 2
drop table ${schema}.t;
