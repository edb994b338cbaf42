-- The statement that reads the ledger of `pgc init`, an unfinished script first. Null when there is no such ledger.
select case when pg_catalog.to_regclass('pgc.init') is not null
             and (select pg_catalog.count(*) from pg_catalog.pg_attribute
                  where attrelid = pg_catalog.to_regclass('pgc.init') and attname in ('name', 'status') and attnum > 0) = 2
             and pg_catalog.has_table_privilege(pg_catalog.to_regclass('pgc.init'), 'select')
            then 'select name, status from pgc.init order by status = ''done'', name limit 1' end
