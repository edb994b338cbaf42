-- Indexes that a broken CREATE INDEX CONCURRENTLY or REINDEX CONCURRENTLY left: quoted name, is it a copy that REINDEX made.
-- Where somebody holds the lock that building takes, it may be under way: that is not ours to judge.
select format('%I.%I', n.nspname, c.relname), c.relname ~ '_cc(new|old)[0-9]*$'
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_namespace n on n.oid = c.relnamespace
where not i.indisvalid and c.relkind = 'i' and n.nspname not like 'pg\_temp%'
  and not exists (select 1 from pg_locks l
                  where l.locktype = 'relation' and l.relation = i.indrelid and l.mode = 'ShareUpdateExclusiveLock'
                    and l.granted and l.pid <> pg_backend_pid()
                    and l.database = (select oid from pg_database where datname = current_database()))
order by 1
