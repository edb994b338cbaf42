select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), action, version, name, done_by, duration_ms,
       checksum, tool_version
from (
    select coalesce(finished_at, started_at) as at, case state when 'applied' then 'up' else state end as action,
           version, name, applied_by as done_by, duration_ms, checksum, tool_version, 1 as rank
    from pgc.migrations
    union all
    select coalesce(finished_at, started_at), 'up', version, name, applied_by, duration_ms, checksum, tool_version, 2
    from pgc.migration_history
    union all
    select at, action, version, name, done_by, null, checksum, tool_version, 3
    from pgc.migration_history
) as events
order by at, rank, version, name
