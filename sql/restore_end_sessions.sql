-- Ends every other session of database $1, so that it can be renamed.
select count(pg_terminate_backend(pid))
from pg_stat_activity
where datname = $1 and pid <> pg_backend_pid()
