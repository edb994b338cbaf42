-- Roles that a restore of the database itself needs: its owner, grantees, and those with settings in it. The bootstrap
-- superuser is pinned and not in pg_shdepend, so the owner is looked for by hand.
select pg_get_userbyid(datdba) as role from pg_database where datname = current_database()
union
select pg_get_userbyid(d.refobjid)
from pg_shdepend d
where d.refclassid = 'pg_authid'::regclass
  and d.classid = 'pg_database'::regclass and d.dbid = 0
  and d.objid = (select oid from pg_database where datname = current_database())
union
select pg_get_userbyid(setrole)
from pg_db_role_setting
where setrole <> 0 and setdatabase = (select oid from pg_database where datname = current_database())
order by 1
