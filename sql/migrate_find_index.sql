-- The index of a name ($1) on a table of a name ($2), letters compared without case: quoted name, is it valid.
select format('%I.%I', n.nspname, c.relname), i.indisvalid
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_class t on t.oid = i.indrelid
join pg_namespace n on n.oid = c.relnamespace
where lower(c.relname) = lower($1) and lower(t.relname) = lower($2) and n.nspname not like 'pg\_%'
order by i.indisvalid
