-- What the manifest tells about the server and the database. One row.
select current_setting('server_version') as server_version,
       current_setting('server_version_num') as server_version_num,
       pg_database_size(d.oid) as database_bytes,
       pg_encoding_to_char(d.encoding) as encoding,
       d.datcollate as collate,
       d.datctype as ctype,
       pg_get_userbyid(d.datdba) as owner,
       has_function_privilege('pg_control_system()', 'execute') as may_read_control,
       has_table_privilege('pg_authid', 'select') as may_read_passwords,
       pg_is_in_recovery() as in_recovery
from pg_database d
where d.datname = current_database()
