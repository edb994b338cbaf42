-- $1 schema or null (then whatever search_path sees), $2 name. Names are values here: nothing is quoted, nothing can
-- break out. An unquoted name also fits in lower case, as in SQL. Tables, partitioned and foreign ones, views.
select 1
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f', 'v', 'm')
  and c.relname in ($2, $4)
  and case when $1::text is null then pg_catalog.pg_table_is_visible(c.oid) else n.nspname in ($1, $3) end
limit 1
