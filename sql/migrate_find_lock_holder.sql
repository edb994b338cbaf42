-- Who holds the advisory lock of a key ($1).
select string_agg(format('pid %s (%s%s) since %s: %s', a.pid, a.application_name, coalesce(' from ' || host(a.client_addr), ''),
                         to_char(a.state_change at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'), left(a.query, 80)), '; ')
from pg_locks l
join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.objsubid = 1
  and l.database = (select oid from pg_database where datname = current_database())
  and l.classid::bigint = (($1::bigint >> 32) & 4294967295) and l.objid::bigint = ($1::bigint & 4294967295)
