-- Extensions that a dump creates again. plpgsql is in every database.
select extname from pg_extension where extname <> 'plpgsql' order by extname
