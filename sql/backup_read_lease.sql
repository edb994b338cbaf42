-- Who holds the lease now. No row: nobody.
select held_by from pgc.migration_lease where expires_at >= clock_timestamp()
