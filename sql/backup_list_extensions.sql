-- Extensions that a dump creates again, and their versions. plpgsql is in every database.
select extname, extversion from pg_extension where extname <> 'plpgsql' order by extname
