update pgc.init
   set status = $2, finished_at = clock_timestamp(), duration_ms = $3, error = $4
 where name = $1;
