drop database app;
drop database if exists app;
create database app;
-- expect: ban-drop-database 1
-- expect: ban-drop-database 2
