#ifndef PGC_MIGRATE_RUN_INTERNAL_H
#define PGC_MIGRATE_RUN_INTERNAL_H
/* Between run.c (the order of things), run_transaction.c and run_outside.c (how one step is run). */
#include "migrate/lock.h"
#include "migrate/run.h"

struct pgc__run {
    struct pgc_migrate *migrate;
    struct pgc_plan *plan;
    struct pgc_migrate_lock *lock;
    struct pgc_shape *shapes; /* of the plan's steps */
    size_t *done;
    bool limits_set; /* lock_timeout and statement_timeout are set for the session */
    bool prepared;   /* the ledger's insert is prepared in the session */
};

/* Runs steps [from, from + count) in one transaction and one message; count > 1 only for steps in TRANSACTION mode.
 * On failure nothing of them is in the database; *failed is the step that broke. */
PGC_MUST_USE enum pgc_code pgc__run_transaction(struct pgc__run *run, size_t from, size_t count, size_t *failed,
                                                struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__run_psql(struct pgc__run *run, size_t step, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__run_statements(struct pgc__run *run, size_t step, struct pgc_error *err);
/* Steps that change nothing but the ledger. */
PGC_MUST_USE enum pgc_code pgc__run_ledger_only(struct pgc__run *run, size_t step, struct pgc_error *err);
/* Hooks outside of steps, each in a transaction of its own. */
PGC_MUST_USE enum pgc_code pgc__run_hooks(struct pgc__run *run, enum pgc_hook_when when, struct pgc_error *err);

/* What every file in run_*.c says in the same way. */
void pgc__run_tell(const struct pgc__run *run, enum pgc_migrate_event_kind kind, const struct pgc_plan_step *step,
                   int64_t duration_ms, const char *text);
/* set local lock_timeout ...; returns the number of statements. */
size_t pgc__run_put_limits(const struct pgc__run *run, struct pgc_buf *sql, bool lock_timeout);
/* The same for the whole session. */
size_t pgc__run_put_session_limits(const struct pgc__run *run, struct pgc_buf *sql);
/* Lets the server notice within seconds that we are gone (killed, network cut), instead of running a statement to its end
 * with our locks. */
size_t pgc__run_put_check(const struct pgc__run *run, struct pgc_buf *sql);
/* The ledger's statements for a finished step. */
void pgc__run_put_record(const struct pgc__run *run, struct pgc_buf *sql, const struct pgc_plan_step *step);
/* The same for a step whose row of progress is in our ledger. */
void pgc__run_put_finish(const struct pgc__run *run, struct pgc_buf *sql, const struct pgc_plan_step *step);
bool pgc__run_is_down(const struct pgc_plan_step *step);
/* Rolls back when a transaction is open; goes through although we were interrupted. */
void pgc__run_roll_back(const struct pgc__run *run);
/* After a failure for want of a lock: names who is in the way, sleeps, counts. False: give up, or it was something else. */
bool pgc__run_try_again(const struct pgc__run *run, const struct pgc_plan_step *step, int64_t *tries,
                        const struct pgc_error *err);
#define PGC__RUN_RESET "reset session authorization;reset role;reset all;"
#define PGC__RUN_CLEAN "unlisten *;discard temp;"
#endif
