update pgc.migration_lease
set heartbeat_at = clock_timestamp(), expires_at = clock_timestamp() + $2::float8 * interval '1 millisecond'
where owner = $1
returning owner
