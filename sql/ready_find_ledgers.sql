-- Every migration ledger of this database that the user may read: which tool's, and the statement that reads it.
-- Tools share table names, so they are told apart by columns (and the types of these), never by name alone. Only plain
-- tables with columns of built-in types count: reading one can then run nobody's code. `ask` gives one row per
-- version of interest: version, dirty (null: clean), and may be run as it is (psql: \gexec).
with t as (
  select c.oid, n.nspname, c.relname, pg_catalog.format('%I.%I', n.nspname, c.relname) as name,
         pg_catalog.array_agg(a.attname::text) as cols,
         pg_catalog.max(a.atttypid) filter (where a.attname = 'version') as version_type
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relkind in ('r', 'p')
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and c.relname in ('migrations', 'schema_migrations', 'schema_version', 'flyway_schema_history', 'goose_db_version',
                      '_sqlx_migrations', '__diesel_schema_migrations', 'refinery_schema_history',
                      'atlas_schema_revisions', 'alembic_version', 'django_migrations')
    and pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_table_privilege(c.oid, 'select')
  group by 1, 2, 3, 4
)
select kind, name, 'select ' || pg_catalog.replace(ask, '%T', name) as ask
from t, lateral (
  select 'pgc', 'version, case when state not in (''applied'', ''baseline'', ''ignored'') then ''it is '' || state end from %T where version is not null or state not in (''applied'', ''baseline'', ''ignored'')'
    where relname = 'migrations' and cols @> '{version,state,checksum}'
  union all
  select 'golang-migrate', 'version, case when dirty then ''it broke'' end from %T'
    where cols @> '{version,dirty}'
  union all
  select 'goose', 'version_id, null from (select distinct on (version_id) version_id, is_applied from %T order by version_id, id desc) g where is_applied and version_id > 0'
    where cols @> '{id,version_id,is_applied}'
  union all
  select 'flyway', 'version, case when not success then ''it failed'' end from %T where version is not null or not success'
    where cols @> '{installed_rank,version,success}'
  union all
  select 'sqlx', 'version, case when not success then ''it broke'' end from %T'
    where cols @> '{version,success,checksum}' and not cols @> '{installed_rank}'
  union all
  select 'diesel', 'version, null from %T'
    where cols @> '{version,run_on}'
  union all
  select 'refinery', 'version, null from %T'
    where cols @> '{version,applied_on,checksum}'
  union all
  select 'tern', 'version, null from %T where version > 0'
    where relname = 'schema_version' and cols = '{version}' and version_type = 23
  union all
  select 'atlas', 'version, case when coalesce(error, '''') <> '''' then ''it failed'' when applied < total then ''it is half applied'' end from %T where version <> ''.atlas_cloud_identifier'''
    where cols @> '{version,applied,total,error}'
  union all
  select 'alembic', 'version_num, null from %T'
    where cols = '{version_num}'
  union all
  select 'django', 'app || ''.'' || name, null from %T'
    where cols @> '{app,name,applied}'
  union all
  select case when exists (select 1 from pg_catalog.pg_class r join pg_catalog.pg_namespace m on m.oid = r.relnamespace
                           where r.relname = 'ar_internal_metadata' and m.nspname = t.nspname) then 'rails' else 'dbmate' end,
         'version, null from %T'
    where relname = 'schema_migrations' and cols = '{version}' and version_type in (25, 1043)
) k (kind, ask)
where not exists (select 1 from pg_catalog.pg_attribute a join pg_catalog.pg_type y on y.oid = a.atttypid
                  where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
                    and y.oid >= 16384 and y.typtype <> 'e')
order by kind <> 'pgc', kind, name
