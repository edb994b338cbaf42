-- Roles that a restore needs: owners, grantees and roles in policies of the current database.
-- The bootstrap superuser is pinned and not in pg_shdepend, so its objects are looked for by hand.
select pg_get_userbyid(d.refobjid) as role
from pg_shdepend d
where d.refclassid = 'pg_authid'::regclass
  and d.dbid = (select oid from pg_database where datname = current_database())
union
select pg_get_userbyid(o.owner)
from (select relowner as owner, relnamespace as namespace from pg_class
      union all select proowner, pronamespace from pg_proc
      union all select typowner, typnamespace from pg_type
      union all select nspowner, oid from pg_namespace) o
join pg_namespace n on n.oid = o.namespace
where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'public')
order by 1
