-- $1 quoted name, with or without schema: the table as the server prints it and its oid; no row when there is none.
select c.oid::regclass::text, c.oid::text
from pg_class c
where c.oid = to_regclass($1) and c.relkind in ('r', 'p', 'v', 'f')
