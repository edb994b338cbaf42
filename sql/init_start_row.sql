insert into pgc.init (name, sha256, how, status, started_at, tool_version)
values ($1, $2, $3, 'started', clock_timestamp(), $4)
    on conflict (name) do update
   set sha256 = excluded.sha256, how = excluded.how, status = 'started', started_at = excluded.started_at,
       finished_at = null, duration_ms = null, error = null, runs = pgc.init.runs + 1,
       run_by = session_user, tool_version = excluded.tool_version;
