-- Databases that are no templates and let people connect, by name; and what keeps the current role out, null: nothing.
select datname,
       case when datconnlimit = -2 then 'it is invalid: drop database was interrupted'
            when not has_database_privilege(oid, 'connect') then 'the role may not connect to it'
       end as obstacle
from pg_database
where datallowconn and not datistemplate
order by datname
