-- Relations a migration may name, with size; "visible" says that the bare name means this one.
select n.nspname, c.relname, pg_table_is_visible(c.oid), c.reltuples::bigint,
       coalesce((select sum(pg_total_relation_size(p.relid)) from pg_partition_tree(c.oid) p), pg_total_relation_size(c.oid))::bigint
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
order by c.relname collate "C", pg_table_is_visible(c.oid) desc, n.nspname collate "C"
