-- What `up` needs to see that there is nothing to do: no times, no sorting.
select version, name, file, checksum, state, null, null, duration_ms, statements_done, statements_checksum, in_flight,
       null, null, error, pg_backend_pid()
from pgc.migrations
