-- What a person should know about a dump of this database: kind, how many, names of the first five, how many more.
-- 'hidden' are tables of which row security hides rows from the current role.
with tables as (
    select c.oid, c.relkind, c.relpersistence, c.relrowsecurity, format('%I.%I', n.nspname, c.relname) as name
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
),
found (kind, name, number) as (
    select 'hidden', name, 1 from tables where relkind = 'r' and row_security_active(oid)
    union all
    select 'row security', name, 1 from tables where relrowsecurity
    union all
    select case when pg_is_in_recovery() then 'unlogged away' else 'unlogged' end, name, 1
    from tables where relkind = 'r' and relpersistence = 'u'
    union all
    select 'foreign', name, 1 from tables where relkind = 'f'
    union all
    select 'prepared', gid, 1 from pg_prepared_xacts where database = current_database()
    union all
    select case current_setting('is_superuser') when 'on' then 'subscription' else 'subscription away' end, s.subname, 1
    from pg_subscription s
    join pg_database d on d.oid = s.subdbid
    where d.datname = current_database()
    union all
    select 'event trigger', t.evtname, 1
    from pg_event_trigger t
    where not exists (select from pg_depend d
                      where d.classid = 'pg_event_trigger'::regclass and d.objid = t.oid and d.deptype = 'e')
    union all
    select 'extension', extname || ' ' || extversion, 1 from pg_extension where extname <> 'plpgsql'
    union all
    select 'large object', 'of ' || pg_get_userbyid(lomowner), count(*) from pg_largeobject_metadata group by lomowner
),
numbered as (
    select kind, name, number, row_number() over (partition by kind order by name collate "C") as place from found
)
select kind, sum(number) as number, string_agg(name, ', ' order by place) filter (where place <= 5) as names,
       count(*) filter (where place > 5) as more
from numbered
group by kind
order by kind
