-- pgc:nolint ban-drop-table the table was never used
drop table a;
-- pgc:nolint ban-drop-table
drop table b;
-- pgc:nolint ban-drop-tabel never used
drop table c;
-- expect: nolint-comment 3
-- expect: nolint-comment 5
