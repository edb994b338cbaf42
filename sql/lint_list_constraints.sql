-- Kinds of the constraints of all tables.
select n.nspname, c.relname, k.conname, pg_table_is_visible(c.oid), k.contype
from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
order by c.relname collate "C", k.conname collate "C", pg_table_is_visible(c.oid) desc, n.nspname collate "C"
