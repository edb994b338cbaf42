-- Rows that the current transaction inserted so far, by table; the ledger itself does not count.
select c.oid::text, c.oid::regclass::text, pg_stat_get_xact_tuples_inserted(c.oid)
from pg_class c
where c.relkind = 'r' and c.oid >= 16384 and c.oid is distinct from to_regclass('pgc.seed')
    and pg_stat_get_xact_tuples_inserted(c.oid) > 0
order by 2
