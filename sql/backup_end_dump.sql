-- Ends the backends of a dump that was given up: $1 is the application name of its clients.
select count(pg_terminate_backend(pid))
from pg_stat_activity
where application_name = $1 and usename = current_user and pid <> pg_backend_pid()
