-- $1 the extension's name. No row: not installed in this database.
select extversion from pg_catalog.pg_extension where extname = $1
