-- $1 array of table oids: one statement per sequence that belongs to a column of these tables (serial, identity). It sets
-- the sequence behind the highest value (the lowest, when it counts down); a sequence never goes back, an empty table
-- leaves it alone.
select format(
    'select setval(%L, %s(v, s.last_value)) from (select %s(%I)::bigint as v from %s) t, %s s where v is not null',
    d.objid::regclass, x.pick, x.far, a.attname, d.refobjid::regclass, d.objid::regclass)
from pg_depend d
join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
join pg_sequence q on q.seqrelid = d.objid
cross join lateral (
    select case when q.seqincrement > 0 then 'greatest' else 'least' end as pick,
        case when q.seqincrement > 0 then 'max' else 'min' end as far) x
where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
    and d.refobjid = any ($1::oid[]) and not a.attisdropped
order by 1
