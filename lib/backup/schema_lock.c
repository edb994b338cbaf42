#include "backup/schema_lock.h"

#include <stdio.h>
#include <stdlib.h>

#include "pg/locks.h"
#include "sql_embedded.h"

#define STEP_MS     100
#define STEP_MAX_MS 2000

/* *holder: who holds the lease, NULL for nobody. */
static enum pgc_code read_lease(struct pgc_conn *conn, char **holder, struct pgc_error *err) {
    PGC_AUTO(pgc_rows_free) struct pgc_rows *table = NULL;
    enum pgc_code code = pgc_conn_query(conn, pgc_sql_backup_find_lease_table, NULL, 0, &table, err);
    if (code != PGC_OK || pgc_rows_count(table) == 0)
        return code;
    return pgc_conn_query_text(conn, pgc_sql_backup_read_lease, NULL, 0, holder, err);
}

/* Lock first, lease second: a migration does it the other way round, so one of the two always sees the other. */
static enum pgc_code try_once(struct pgc_conn *conn, bool *got, struct pgc_error *err) {
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    PGC_AUTO_FREE char *holder = NULL;
    char key[24];
    const char *params[] = { key };
    snprintf(key, sizeof key, "%lld", (long long)PGC_LOCK_SCHEMA);
    enum pgc_code code =
        pgc_conn_query(conn, "select pg_catalog.pg_try_advisory_lock_shared($1::bigint)", params, 1, &rows, err);
    *got = code == PGC_OK && pgc_rows_bool(rows, 0, 0);
    if (!*got)
        return code;
    code = read_lease(conn, &holder, err);
    *got = code == PGC_OK && holder == NULL;
    if (code == PGC_OK && holder != NULL)
        code = pgc_conn_query(conn, "select pg_catalog.pg_advisory_unlock_shared($1::bigint)", params, 1, NULL, err);
    return code;
}

enum pgc_code pgc_schema_lock_share(struct pgc_conn *conn, int64_t wait_ms, const struct pgc_runtime *rt,
                                    struct pgc_error *err) {
    int64_t end_ms = pgc_mono_ms(rt) + wait_ms, step_ms = STEP_MS;
    for (bool told = false;; told = true) {
        bool got;
        enum pgc_code code = try_once(conn, &got, err);
        if (code == PGC_OK)
            code = pgc_check_cancelled(rt, err);
        if (code != PGC_OK || got)
            return code;
        int64_t left_ms = end_ms - pgc_mono_ms(rt);
        if (wait_ms > 0 && left_ms <= 0)
            return pgc_fail(err, PGC_E_LOCKED, "a migration holds the schema lock of '%s'", pgc_conn_dbname(conn));
        if (!told)
            pgc_log(rt, PGC_LOG_INFO, "backup.waiting", "a migration is under way: waiting",
                    PGC_LOG_TEXT("database", pgc_conn_dbname(conn)));
        pgc_sleep_ms(rt, wait_ms > 0 && left_ms < step_ms ? left_ms : step_ms);
        step_ms = step_ms * 2 < STEP_MAX_MS ? step_ms * 2 : STEP_MAX_MS;
    }
}
