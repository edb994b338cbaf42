-- Roles that the application is run with. Init scripts run once per server, before any migration.
create role shop_owner nologin;
create role shop_reader nologin;
comment on role shop_reader is 'reads everything in schema shop, changes nothing';
