-- How many objects of its own the database has: 0 for one fresh from template0. What initdb made has an OID below 16384; the
-- public schema and plpgsql count as made by it, also where somebody has made them again.
select (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname !~ '^pg_' and n.nspname <> 'information_schema')
     + (select count(*) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname !~ '^pg_' and n.nspname <> 'information_schema')
     + (select count(*) from pg_type t join pg_namespace n on n.oid = t.typnamespace
        where n.nspname !~ '^pg_' and n.nspname <> 'information_schema')
     + (select count(*) from pg_namespace
        where nspname !~ '^pg_' and nspname not in ('information_schema', 'public'))
     + (select count(*) from pg_extension where extname <> 'plpgsql')
     + (select count(*) from pg_largeobject_metadata)
     + (select count(*)
        from (select oid from pg_operator union all select oid from pg_opclass union all select oid from pg_opfamily
              union all select oid from pg_collation union all select oid from pg_conversion
              union all select oid from pg_cast union all select oid from pg_transform
              union all select oid from pg_am union all select oid from pg_default_acl
              union all select oid from pg_ts_config union all select oid from pg_ts_dict
              union all select oid from pg_ts_parser union all select oid from pg_ts_template
              union all select oid from pg_publication union all select oid from pg_event_trigger
              union all select oid from pg_foreign_data_wrapper union all select oid from pg_foreign_server
              union all select oid from pg_language where lanname <> 'plpgsql'
              union all select oid from pg_subscription
                        where subdbid = (select oid from pg_database where datname = current_database())) o
        where oid >= 16384)
