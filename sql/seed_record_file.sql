-- $1 name, $2 sha256, $3 rows
insert into pgc.seed (name, sha256, rows) values ($1, $2, $3)
on conflict (name) do update set sha256 = excluded.sha256, rows = excluded.rows, loaded_at = now()
