#ifndef PGC_MIGRATE_LEDGER_CONN_H
#define PGC_MIGRATE_LEDGER_CONN_H
/* Ledgers in a database: finding, creating, reading. What is written is SQL text of ledger.h and the dialects. */
#include "migrate/ledger.h"
#include "pg/conn.h"

/* Reads our ledger in one query. A table that is not there is an empty ledger with exists = false.
 * `times`: also when and by whom, in order of application; without, only what a plan needs. */
PGC_MUST_USE enum pgc_code pgc_ledger_read(struct pgc_conn *conn, const struct pgc_ledger_native *native, bool times,
                                           struct pgc_ledger *out, struct pgc_error *err);
/* Creates schema and tables that are not there. Somebody else who does the same at once is no error. */
PGC_MUST_USE enum pgc_code pgc_ledger_create(struct pgc_conn *conn, const struct pgc_ledger_native *native,
                                             struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_ledger_create_lease(struct pgc_conn *conn, const struct pgc_ledger_native *native,
                                                   struct pgc_error *err);

/* Where a foreign ledger is (or would be): owns its strings. */
struct pgc_ledger_found {
    struct pgc_ledger_place place;
    char *schema, *table, *qualified, *database, *columns;
    bool exists, schema_exists;
};
#define PGC_LEDGER_FOUND_INIT                                                                                          \
    { 0 }
void pgc_ledger_found_release(struct pgc_ledger_found *found);
/* `table` ("name" or "schema.name") overrides the dialect's usual place. PGC_E_DATA when a table of that name is there
 * but is not this dialect's ledger. */
PGC_MUST_USE enum pgc_code pgc_ledger_find(struct pgc_conn *conn, const struct pgc_dialect_ledger *dialect,
                                           const char *table, struct pgc_ledger_found *out, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_ledger_read_foreign(struct pgc_conn *conn, const struct pgc_dialect_ledger *dialect,
                                                   const struct pgc_ledger_found *found, struct pgc_ledger *out,
                                                   struct pgc_error *err);
/* The first foreign ledger in the database that holds rows, and whose it is; *dialect NULL when there is none. For refusing to
 * start over in a database that another tool has migrated. */
PGC_MUST_USE enum pgc_code pgc_ledger_look_for_foreign(struct pgc_conn *conn, struct pgc_ledger_found *found,
                                                       const struct pgc_dialect **dialect, struct pgc_error *err);
#endif
