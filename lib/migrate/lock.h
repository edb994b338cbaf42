#ifndef PGC_MIGRATE_LOCK_H
#define PGC_MIGRATE_LOCK_H
/* One migration run at a time per database, without ever waiting inside the server.
 *
 * A blocked pg_advisory_lock() is a transaction with a snapshot, for which CREATE INDEX CONCURRENTLY waits: two replicas
 * would wait for each other. Therefore: a try, its own short statement, then sleep here (with jitter), try again.
 *
 * Directly connected: session advisory lock PGC_LOCK_SCHEMA, and the old tool's key when its ledger is kept.
 * Behind a transaction pooler a session lock would stay on a server connection that belongs to nobody: there the lock is
 * a row in pgc.migration_lease with a heartbeat from a thread on a connection of its own. Both kinds look at each other. */
#include "migrate/ledger.h"
#include "pg/conn.h"

struct pgc_migrate_lock;

struct pgc_migrate_lock_options {
    const struct pgc_conn_options *connect;    /* for the heartbeat's connection */
    const struct pgc_ledger_native *native;    /* schema of the lease */
    int64_t wait_ms;                           /* how long to try; < 0: for ever; 0: once */
    bool pooled;                               /* use the lease */
    int64_t foreign_keys[PGC_LEDGER_KEYS_MAX]; /* the old tool's, taken too */
    size_t foreign_count;
    int64_t lease_ms; /* 0: 30 s */
};

/* PGC_E_LOCKED with who holds it (pid, application, since when, what it runs) when the time is over. */
PGC_MUST_USE enum pgc_code pgc_migrate_lock_take(struct pgc_conn *conn, const struct pgc_migrate_lock_options *options,
                                                 const struct pgc_runtime *rt, struct pgc_migrate_lock **out,
                                                 struct pgc_error *err);
/* SQL for transactions of ours; borrowed, each statement with its semicolon.
 *
 * guard stands behind begin and fails unless the lock is still ours. A script may give session locks back (DISCARD ALL,
 * pg_advisory_unlock_all()): guard holds the keys for the transaction too, and keep, which stands before commit, takes them
 * again, so that there is no moment in which somebody else could. For a row, keep is the same check once more.
 * guard is one statement. A message that fails for want of the lock is put right by pgc_migrate_lock_fault. */
const char *pgc_migrate_lock_guard(const struct pgc_migrate_lock *lock);
const char *pgc_migrate_lock_keep(const struct pgc_migrate_lock *lock);
/* Is it a row (behind a pooler), which every transaction has to look at? Session locks only go by a script's own doing. */
bool pgc_migrate_lock_is_row(const struct pgc_migrate_lock *lock);
/* Returns `code`, or PGC_E_LOCKED when the failure was guard's or keep's. */
enum pgc_code pgc_migrate_lock_fault(enum pgc_code code, struct pgc_error *err);
/* Gives it back (best effort: the end of the connection does too). NULL is fine. */
void pgc_migrate_lock_free(struct pgc_migrate_lock *lock);
PGC_DEFINE_AUTO(pgc_migrate_lock_free, struct pgc_migrate_lock *)
/* True when the server process behind the connection is not the one that libpq was told about: a pooler. */
PGC_MUST_USE enum pgc_code pgc_migrate_pooled(struct pgc_conn *conn, bool *pooled, struct pgc_error *err);
#endif
