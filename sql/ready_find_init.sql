-- Init scripts that began or failed and did not end, by the ledger of `pgc init`. Null when there is no such ledger.
select case when pg_catalog.to_regclass('pgc.init') is not null
             and (select pg_catalog.count(*) from pg_catalog.pg_attribute
                  where attrelid = pg_catalog.to_regclass('pgc.init') and attname in ('path', 'status') and attnum > 0) = 2
             and pg_catalog.has_table_privilege(pg_catalog.to_regclass('pgc.init'), 'select')
            then 'select path, status from pgc.init where status in (''started'', ''failed'') order by path limit 1' end
