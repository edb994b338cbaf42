-- Roles that a restore needs: owners, grantees and roles in policies of the current database.
-- The bootstrap superuser is pinned and not in pg_shdepend, so its objects are looked for by hand; members of extensions
-- are made by the extension again and do not count.
select pg_get_userbyid(d.refobjid) as role
from pg_shdepend d
where d.refclassid = 'pg_authid'::regclass
  and d.dbid = (select oid from pg_database where datname = current_database())
union
select pg_get_userbyid(o.owner)
from (select 'pg_class'::regclass as class, oid, relowner as owner, relnamespace as namespace from pg_class
      union all select 'pg_proc'::regclass, oid, proowner, pronamespace from pg_proc
      union all select 'pg_type'::regclass, oid, typowner, typnamespace from pg_type where typtype <> 'p'
      union all select 'pg_namespace'::regclass, oid, nspowner, oid from pg_namespace where nspname <> 'public') o
join pg_namespace n on n.oid = o.namespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend d
                  where d.classid = o.class and d.objid = o.oid and d.deptype = 'e')
order by 1
