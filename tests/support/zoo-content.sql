-- What a database holds, by other means than pgc's: a count and a sum of MD5 per table, every sequence, every large object.
-- For psql: each row of the first queries is a query.
set client_min_messages = warning;
set search_path = '';
set timezone = 'UTC';
select format('select %L, count(*), sum((''x'' || substr(md5(("~row".*)::text), 1, 15))::bit(60)::bigint) from only %I.%I "~row"',
              n.nspname || '.' || c.relname, n.nspname, c.relname)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by n.nspname collate "C", c.relname collate "C"
\gexec
select format('select %L, last_value, is_called from %I.%I', n.nspname || '.' || c.relname, n.nspname, c.relname)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'S' order by n.nspname collate "C", c.relname collate "C"
\gexec
select 'large object', oid, lomowner::regrole, lomacl, md5(lo_get(oid)), obj_description(oid, 'pg_largeobject')
from pg_catalog.pg_largeobject_metadata order by oid;
select relname, relispopulated from pg_catalog.pg_class where relkind = 'm' order by relname collate "C";
