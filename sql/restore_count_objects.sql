-- How many objects of its own the database has: 0 for one fresh from template0.
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
