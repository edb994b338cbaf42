-- Is there a table of leases (the lock of pgc migrate behind a transaction pooler) that the current role may read?
select
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'pgc' and c.relname = 'migration_lease' and c.relkind = 'r'
  and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
