#ifndef PGC_MIGRATE_RUN_INTERNAL_H
#define PGC_MIGRATE_RUN_INTERNAL_H
/* Between run.c (the order of things), run_transaction.c, run_psql.c and run_outside.c (how one step is run), run_session.c,
 * run_outcome.c and run_record.c (what they need). */
#include "migrate/lock.h"
#include "migrate/run.h"

struct pgc__run {
    struct pgc_migrate *migrate;
    struct pgc_plan *plan;
    struct pgc_migrate_lock *lock;
    struct pgc_shape *shapes; /* of the plan's steps */
    size_t *done;
    bool prepared; /* the ledger's insert is prepared in the session */
    /* What holds up the statement that runs, seen from a connection of its own. */
    struct pgc_conn *watcher;
    bool blind;     /* there is no such connection to be had */
    char *blockers; /* NULL: nothing seen */
};

/* --- run_transaction.c, run_psql.c, run_outside.c: one step each ------------------------------------------------ */

/* Runs steps [from, from + count) in one transaction and one message; count > 1 only for steps in TRANSACTION mode.
 * On failure nothing of them is in the database; *failed is the step that broke. */
PGC_MUST_USE enum pgc_code pgc__run_transaction(struct pgc__run *run, size_t from, size_t count, size_t *failed,
                                                struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__run_psql(struct pgc__run *run, size_t step, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__run_statements(struct pgc__run *run, size_t step, struct pgc_error *err);
/* Steps that change nothing but the ledger. */
PGC_MUST_USE enum pgc_code pgc__run_ledger_only(struct pgc__run *run, size_t step, struct pgc_error *err);
/* Hooks outside of steps, each in a transaction of its own unless it holds what refuses one. before_each leaves its settings
 * to the script that follows, after the others the session is put back. */
PGC_MUST_USE enum pgc_code pgc__run_hooks(struct pgc__run *run, enum pgc_hook_when when, struct pgc_error *err);

/* --- run_session.c ------------------------------------------------------------------------------------------------ */

/* pgc_conn_exec, and a lost lock is PGC_E_LOCKED. */
PGC_MUST_USE enum pgc_code pgc__run_exec(const struct pgc__run *run, const struct pgc_buf *sql, struct pgc_error *err);
/* Puts "; text" behind the message. */
void pgc__run_say_more(struct pgc_error *err, const char *format, ...) PGC_PRINTF(2, 3);
/* What every file in run_*.c says in the same way. */
void pgc__run_tell(const struct pgc__run *run, enum pgc_migrate_event_kind kind, const struct pgc_plan_step *step,
                   int64_t duration_ms, const char *text);
/* set local lock_timeout and statement_timeout, as far as wanted. */
void pgc__run_put_limits(const struct pgc__run *run, struct pgc_buf *sql, bool lock_timeout, bool statement_timeout);
/* What the session has for the next file, to stand behind put_reset: limits, that the server notices within seconds when we
 * are gone instead of running a statement to its end with our locks, and the ledger's insert. Nothing behind a pooler, where
 * the session is shared with strangers. */
void pgc__run_put_session(struct pgc__run *run, struct pgc_buf *sql);
/* The same without a limit for locks, for scripts outside a transaction. */
void pgc__run_put_outside_session(struct pgc__run *run, struct pgc_buf *sql);
/* The session belongs to the next file as if nothing had run in it: role, settings, cursors, ... Prepared statements too,
 * behind a pooler only when there may be some (`prepared`): those of strangers are there. */
void pgc__run_put_reset(struct pgc__run *run, struct pgc_buf *sql, bool prepared);
/* Does the script speak of prepared statements? */
bool pgc__run_prepares(const struct pgc_migration_script *script);
/* Rolls back when a transaction is open; goes through although we were interrupted. */
void pgc__run_roll_back(const struct pgc__run *run);
/* After a failure for want of a lock: names who is in the way, sleeps, counts. False: give up (the message names them then),
 * or it was something else. */
bool pgc__run_try_again(struct pgc__run *run, const struct pgc_plan_step *step, int64_t *tries, struct pgc_error *err);
/* Looks for blockers while statements wait, from now on. */
void pgc__run_watch(struct pgc__run *run);
void pgc__run_watch_end(struct pgc__run *run);
#define PGC__RUN_RESET "reset session authorization;reset role;reset all;"
/* In front of what we write in a transaction of a script: its own role and user come back at the commit. */
#define PGC__RUN_AS_US "set local session authorization default;set local role none;"

/* --- run_record.c ------------------------------------------------------------------------------------------------- */

/* The ledger's statements for a finished step. */
void pgc__run_put_record(const struct pgc__run *run, struct pgc_buf *sql, const struct pgc_plan_step *step);
/* The same for a step whose row of progress is in our ledger. */
void pgc__run_put_finish(const struct pgc__run *run, struct pgc_buf *sql, const struct pgc_plan_step *step);
/* Parses the folder again with what only a server knows. */
PGC_MUST_USE enum pgc_code pgc__migrate_ask_server(struct pgc_migrate *migrate, struct pgc_error *err);
bool pgc__run_is_down(const struct pgc_plan_step *step);
bool pgc__run_resumes(const struct pgc_plan_step *step);

/* --- run_outcome.c: a statement outside a transaction that was started, and nobody saw how it ended ---------------- */

enum pgc__outcome {
    PGC__OUTCOME_AGAIN,   /* running it once more does the same: VACUUM, REINDEX, ALTER SYSTEM, ... */
    PGC__OUTCOME_INDEX,   /* CREATE INDEX CONCURRENTLY with a name: the index tells */
    PGC__OUTCOME_ERROR,   /* run once more it says so itself: "exists already", "does not exist" */
    PGC__OUTCOME_UNKNOWN, /* nothing tells: a procedure that commits, an index without a name */
};
enum pgc__outcome pgc__outcome_of(const char *sql, size_t len);
/* Does this failure of a statement in OUTCOME_ERROR say that its work is done? */
bool pgc__outcome_done(const char *sql, size_t len, const struct pgc_error *err);
/* The index of a statement in OUTCOME_INDEX. Waits while another session builds it. An invalid one is dropped when `drop`,
 * else *name (malloc'ed) tells of it. */
PGC_MUST_USE enum pgc_code pgc__outcome_index(const struct pgc__run *run, const char *sql, size_t len, bool drop,
                                              bool *valid, char **name, struct pgc_error *err);
/* Drops the copies that a REINDEX CONCURRENTLY which broke has left. */
PGC_MUST_USE enum pgc_code pgc__outcome_sweep(const struct pgc__run *run, struct pgc_error *err);
/* `-- pgc:idempotent` in the script: all of it may run twice. */
bool pgc__outcome_idempotent(const struct pgc_migration_script *script);
/* Refuses to resume a step whose next statement may have happened and whose outcome nothing tells: PGC_E_DATA with
 * file:line and the ways on. Also when what is finished has changed. */
PGC_MUST_USE enum pgc_code pgc__outcome_check(const struct pgc_plan_step *step, const struct pgc_shape *shape,
                                              struct pgc_error *err);
/* What `repair` writes about a half done step: that its next statement may run again, or counts as done. */
PGC_MUST_USE enum pgc_code pgc__outcome_settle(const struct pgc__run *run, const struct pgc_plan_step *step,
                                               struct pgc_buf *sql, struct pgc_error *err);
/* SHA-256 over the first `count` statements, line ends as LF. */
void pgc__outcome_checksum(const struct pgc_migration_script *script, const struct pgc_shape *shape, size_t count,
                           char out[65]);
#endif
