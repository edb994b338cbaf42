-- Databases that can be backed up by the current role, by name.
select datname
from pg_database
where datallowconn and not datistemplate and has_database_privilege(oid, 'connect')
order by datname
