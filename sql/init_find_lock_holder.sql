select format('pid %s%s, since %s', a.pid, coalesce(' (' || nullif(a.application_name, '') || ')', ''),
              to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
  from pg_locks l join pg_stat_activity a using (pid)
 where l.locktype = 'advisory' and l.granted
   and l.classid = ($1::bigint >> 32)::bigint::oid and l.objid = ($1::bigint & 4294967295)::oid and l.objsubid = 1
   and l.database = (select oid from pg_database where datname = current_database())
 limit 1;
