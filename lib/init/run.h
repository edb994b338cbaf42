#ifndef PGC_INIT_RUN_H
#define PGC_INIT_RUN_H
/* Running the steps against a server: locked, recorded, resumable.
 *
 * One session advisory lock serialises replicas; it is tried from here with pauses, never waited for in the server. Each script
 * gets connections of its own, as with the official image (SET ROLE in one file does not reach the next); the ledger's connection
 * is not theirs. The first failure ends the run: its row says 'failed', the scripts after it keep no row, and the next run
 * takes up at that script. */
#include "init/declare.h"
#include "init/plan.h"
#include "init/shell.h"

enum pgc_init_event {
    PGC_INIT_EVENT_RUNNING, /* about to run; detail: why */
    PGC_INIT_EVENT_DONE,    /* detail: NULL */
    PGC_INIT_EVENT_FAILED,  /* detail: the error */
    PGC_INIT_EVENT_SKIPPED, /* detail: why */
    PGC_INIT_EVENT_IGNORED,
    PGC_INIT_EVENT_WAITING,  /* for the lock; step NULL, detail: who holds it */
    PGC_INIT_EVENT_DECLARED, /* step NULL, detail: what was made */
};
typedef void pgc_init_event_fn(void *arg, enum pgc_init_event event, const struct pgc_init_step *step,
                               int64_t duration_ms, const char *detail);

struct pgc_init_run_options {
    struct pgc_conn_options conn; /* target; its database holds the ledger and is where scripts start */
    struct pgc_init_shell *shell; /* environment of the scripts */
    const struct pgc_init_declaration *declaration;
    bool transaction;         /* one transaction per SQL file that allows it */
    bool allow_shell;         /* \! and backquotes in SQL files */
    int64_t lock_wait_ms;     /* how long to wait for another run; < 0: for ever */
    pgc_init_event_fn *event; /* may be NULL */
    void *arg;
};

struct pgc_init_result {
    size_t ran, skipped, ignored;
    int script_status; /* exit status of the script that failed as psql or the shell gives it, 0 when none did */
};

/* PGC_OK: everything there is to run has run. Script failures are PGC_E_FAILED with result->script_status set. */
PGC_MUST_USE enum pgc_code pgc_init_run(const struct pgc_init_run_options *options, const struct pgc_init_steps *steps,
                                        const struct pgc_runtime *rt, struct pgc_init_result *result,
                                        struct pgc_error *err);

/* Opens the target. A database that does not exist is created by way of `postgres` or `template1` (as the official image creates
 * POSTGRES_DB) when `create` is set. */
PGC_MUST_USE enum pgc_code pgc_init_open(const struct pgc_conn_options *options, bool create,
                                         const struct pgc_runtime *rt, struct pgc_conn **out, struct pgc_error *err);
#endif
