#ifndef PGC_INIT_LEDGER_H
#define PGC_INIT_LEDGER_H
/* The ledger pgc.init: one row for each script that was ever started, in the database that pgc init connects to.
 *
 * A row is 'started' before the script's first statement and 'done' or 'failed' after its last: a run that was killed leaves
 * 'started', and the next run takes the script up again. All writes happen under the advisory lock of pgc init. */
#include "init/step.h"
#include "pg/conn.h"

enum pgc_init_status { PGC_INIT_STARTED, PGC_INIT_DONE, PGC_INIT_FAILED };

struct pgc_init_row {
    char *name;
    char *sha256;
    char *how;
    char *started_at;  /* RFC 3339 */
    char *finished_at; /* "" while not finished */
    char *error;
    int64_t duration_ms;
    enum pgc_init_status status;
};

struct pgc_init_ledger {
    struct pgc_init_row *rows;
    size_t count, cap;
};
#define PGC_INIT_LEDGER_INIT                                                                                           \
    { NULL, 0, 0 }

/* An absent table is an empty ledger. */
PGC_MUST_USE enum pgc_code pgc_init_ledger_read(struct pgc_conn *conn, struct pgc_init_ledger *ledger,
                                                struct pgc_error *err);
void pgc_init_ledger_release(struct pgc_init_ledger *ledger);
const struct pgc_init_row *pgc_init_ledger_find(const struct pgc_init_ledger *ledger, const char *name);
const char *pgc_init_status_name(enum pgc_init_status status);

PGC_MUST_USE enum pgc_code pgc_init_ledger_create(struct pgc_conn *conn, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_init_ledger_start(struct pgc_conn *conn, const struct pgc_init_step *step,
                                                 struct pgc_error *err);
/* `error` NULL: done. Goes through also after a signal, so that the ledger stays true. */
PGC_MUST_USE enum pgc_code pgc_init_ledger_finish(struct pgc_conn *conn, const struct pgc_init_step *step,
                                                  int64_t duration_ms, const char *error, struct pgc_error *err);
#endif
