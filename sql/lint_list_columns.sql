-- Types of the columns of all tables.
select n.nspname, c.relname, a.attname, pg_table_is_visible(c.oid), format_type(a.atttypid, a.atttypmod)
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'f')
  and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
order by c.relname collate "C", a.attname collate "C", pg_table_is_visible(c.oid) desc, n.nspname collate "C"
