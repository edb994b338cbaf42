-- What every probe of level query asks: one row, no catalogue access, so that a fresh backend answers at once.
select pg_catalog.pg_is_in_recovery(),
       pg_catalog.current_setting('transaction_read_only'),
       pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time()),
       pg_catalog.current_setting('listen_addresses') <> ''
