-- Sessions that hold locks on tables longest: who may be in the way of a statement that did not get its lock.
select string_agg(line, '; ')
from (
    select format('pid %s (%s, %s) in a transaction since %s: %s', a.pid, a.usename, a.application_name,
                  to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'), left(a.query, 100)) as line
    from pg_stat_activity a
    where a.pid <> pg_backend_pid() and a.datname = current_database() and a.xact_start is not null
      and exists (select 1 from pg_locks l where l.pid = a.pid and l.locktype = 'relation' and l.granted
                  and l.relation >= 16384)
    order by a.xact_start
    limit 3
) as oldest
