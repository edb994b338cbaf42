-- Takes the lease when nobody has it or it has run out; returns the owner, or no row. $1 owner, $2 who, $3 milliseconds.
insert into pgc.migration_lease as lease (id, owner, held_by, acquired_at, heartbeat_at, expires_at)
values (1, $1, $2, clock_timestamp(), clock_timestamp(), clock_timestamp() + $3::float8 * interval '1 millisecond')
on conflict (id) do update
set owner = excluded.owner, held_by = excluded.held_by, acquired_at = excluded.acquired_at,
    heartbeat_at = excluded.heartbeat_at, expires_at = excluded.expires_at
where lease.expires_at < clock_timestamp()
returning owner
