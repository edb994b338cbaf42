-- Tablespaces that the database and its relations are in, but for the default ones.
select spcname
from pg_tablespace
where spcname not in ('pg_default', 'pg_global')
  and (oid in (select reltablespace from pg_class)
       or oid = (select dattablespace from pg_database where datname = current_database()))
order by 1
