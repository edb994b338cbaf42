-- Tables of a name ($1) in a schema ($2, null: any on the search path, else the current one) with their columns.
select coalesce($2, n.nspname, current_schema(), 'public') as schema,
       current_database(),
       (select string_agg(a.attname || ':' || format_type(a.atttypid, null) || ' ', '' order by a.attnum)
        from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
       exists (select from pg_namespace s where s.nspname = coalesce($2, n.nspname, current_schema(), 'public'))
from (select 1) as one
left join (pg_class c join pg_namespace n on n.oid = c.relnamespace)
       on c.relname = $1 and c.relkind in ('r', 'p')
          and case when $2::text is null then pg_table_is_visible(c.oid) else n.nspname = $2 end
limit 1
