-- $1 array of table oids: which of them refer to which others by foreign key.
select distinct conrelid::text, confrelid::text
from pg_constraint
where contype = 'f' and conrelid = any ($1::oid[]) and confrelid = any ($1::oid[]) and conrelid <> confrelid
