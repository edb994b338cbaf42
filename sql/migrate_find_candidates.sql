-- Tables that may be the ledger of another tool.
select n.nspname, c.relname,
       (select string_agg(a.attname || ':' || format_type(a.atttypid, null) || ' ', '' order by a.attnum)
        from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p')
  and c.relname in (select unnest(string_to_array($1, ',')))
  and n.nspname not like 'pg\_%'
order by 1, 2
