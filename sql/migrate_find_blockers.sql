-- Sessions in the way, one text. $1 > 0: of those for which the session $1 waits; $1 = 0: for which sessions of the application
-- $2 in this database wait for a lock (behind a pooler nobody knows the pid); $1 < 0: that hold locks on tables, oldest first.
-- What follows the word password in a query, and a password in a URL, is hidden.
with suspects as (
    select distinct unnest(pg_blocking_pids(a.pid)) as pid
    from pg_stat_activity a
    where a.pid = $1::integer
       or ($1::integer = 0 and a.application_name = $2 and a.datname = current_database() and a.wait_event_type = 'Lock')
    union
    select l.pid
    from pg_locks l
    where $1::integer < 0 and l.locktype = 'relation' and l.granted and l.relation >= 16384 and l.pid <> pg_backend_pid()
      and l.database = (select oid from pg_database where datname = current_database())
)
select string_agg(line, '; ')
from (
    select case when s.pid = 0 then 'a prepared transaction, see pg_prepared_xacts'
                else format('pid %s (%s, %s) %s, its transaction began %s: %s', s.pid,
                            coalesce(a.usename::text, a.backend_type, '?'),
                            coalesce(nullif(a.application_name, ''), 'no application_name'), coalesce(a.state, '?'),
                            coalesce(to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '?'),
                            left(regexp_replace(regexp_replace(a.query, '(password).*', '\1 ********', 'is'),
                                                '(://[^:@/ ]*:)[^@ ]*@', '\1********@', 'g'), 200)) end as line
    from suspects s
    left join pg_stat_activity a on a.pid = s.pid
    where s.pid = 0 or $1::integer >= 0 or a.xact_start is not null
    order by a.xact_start nulls last
    limit 5
) as oldest
