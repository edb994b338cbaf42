-- Relations whose rows are in a dump: tables and materialized views outside the catalogues. Members of extensions count
-- only when the extension says that their rows are to be dumped, and then only the rows that it says.
-- A materialized view is made anew by a restore, from what the tables hold then: only its being there can be compared.
-- Rows of unlogged tables are not to be had from a standby.
select n.nspname, c.relname, c.relkind = 'm' as made_anew, c.relpersistence = 'u' and pg_is_in_recovery() as unread,
       format('%I.%I', n.nspname, c.relname) as quoted, format('%I', c.relname) as alias,
       coalesce(e.extcondition[array_position(e.extconfig, c.oid)], '') as condition
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid
                     and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e'
left join pg_extension e on e.oid = d.refobjid
where c.relkind in ('r', 'm')
  and c.relpersistence <> 't'
  and n.nspname !~ '^pg_'
  and n.nspname <> 'information_schema'
  and (e.oid is null or coalesce(e.extconfig, '{}') @> array[c.oid])
order by n.nspname collate "C", c.relname collate "C"
