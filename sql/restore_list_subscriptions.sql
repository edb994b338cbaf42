-- Subscriptions of the current database, quoted.
select quote_ident(subname) from pg_subscription
where subdbid = (select oid from pg_database where datname = current_database())
