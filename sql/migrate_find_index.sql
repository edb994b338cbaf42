-- The index of a name ($1) on a table ($2, quoted): its quoted name, is it valid, is somebody building it just now.
select format('%I.%I', n.nspname, c.relname), i.indisvalid,
       exists (select 1 from pg_locks l
               where l.locktype = 'relation' and l.relation = i.indrelid and l.mode = 'ShareUpdateExclusiveLock'
                 and l.granted and l.pid <> pg_backend_pid()
                 and l.database = (select oid from pg_database where datname = current_database()))
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_namespace n on n.oid = c.relnamespace
where i.indrelid = to_regclass($2) and c.relname = $1
