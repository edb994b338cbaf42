#ifndef PGC_BACKUP_SCHEMA_LOCK_H
#define PGC_BACKUP_SCHEMA_LOCK_H
/* The advisory lock that keeps dumps and `pgc migrate` apart, from the dump's side.
 *
 * Shared: dumps do not keep each other waiting. A migration that works holds it exclusively, or, behind a transaction pooler, a
 * lease in a table; both count. The wait is one of tries from here, never a statement that waits in the server: that would be a
 * transaction for which the migration's CREATE INDEX CONCURRENTLY waits in turn, until the server shoots one of the two. */
#include <pgc/runtime.h>

#include "pg/conn.h"

/* Outside a transaction. Held until the connection ends. PGC_E_LOCKED when a migration is still at it after wait_ms (0: waits
 * for ever). Logs "backup.waiting" once when it has to wait. */
PGC_MUST_USE enum pgc_code pgc_schema_lock_share(struct pgc_conn *conn, int64_t wait_ms, const struct pgc_runtime *rt,
                                                 struct pgc_error *err);
#endif
