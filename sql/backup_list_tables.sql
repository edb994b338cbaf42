-- Relations whose rows are in a dump: tables and materialized views outside the catalogues. Members of extensions count
-- only when the extension says that their rows are to be dumped.
select n.nspname, c.relname, c.relkind = 'm' and not c.relispopulated as empty_view,
       format('%I.%I', n.nspname, c.relname) as quoted
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm')
  and c.relpersistence <> 't'
  and n.nspname !~ '^pg_'
  and n.nspname <> 'information_schema'
  and not exists (select from pg_depend d
                  join pg_extension e on e.oid = d.refobjid
                  where d.classid = 'pg_class'::regclass and d.objid = c.oid
                    and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e'
                    and not (coalesce(e.extconfig, '{}') @> array[c.oid]))
order by n.nspname collate "C", c.relname collate "C"
