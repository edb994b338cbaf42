-- Databases whose name begins with $1 and that a restore has made and not finished, while the session that stands in the
-- mark is gone. As it is, and quoted.
select datname, quote_ident(datname)
from pg_database d
where starts_with(datname, $1)
  and shobj_description(oid, 'pg_database') ~ '^pgc restore, not complete: session [0-9]+$'
  and not exists (select from pg_stat_activity
                  where pid = substring(shobj_description(d.oid, 'pg_database') from '[0-9]+$')::int)
