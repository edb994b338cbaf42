-- One line per table: name, rows, and a hash of the content that does not depend on the order of rows.
-- psql -XAt -f fingerprint.sql
select format('select %L, count(*), coalesce(sum(hashtextextended(row_::text, 0)::numeric), 0) from %s row_',
    n.nspname || '.' || c.relname, c.oid::regclass)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname !~ '^(pg_|information_schema$)'
order by n.nspname, c.relname
\gexec
