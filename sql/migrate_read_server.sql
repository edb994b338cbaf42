-- What placeholders of migration formats may stand for: database, its owner, user, schema, time.
select current_database(), pg_get_userbyid(datdba), current_user, coalesce(current_schema(), 'public'),
       to_char(clock_timestamp(), 'YYYY-MM-DD HH24:MI:SS')
from pg_database
where datname = current_database()
