select name, sha256, status, how,
       to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       coalesce(duration_ms, 0), coalesce(error, '')
  from pgc.init
 order by name collate "C";
