select version, name, file, checksum, state,
       to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), applied_by, duration_ms,
       statements_done, statements_checksum, in_flight, tool_version,
       to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), error, pg_backend_pid()
from pgc.migrations
order by coalesce(finished_at, started_at), started_at, key
