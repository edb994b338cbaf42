#ifndef PGC_MIGRATE_PLAN_H
#define PGC_MIGRATE_PLAN_H
/* What would be done: a set, a ledger and a request in, states, steps and problems out. Pure: no server, no disk, no clock.
 *
 *     struct pgc_plan_request request = { .verb = PGC_PLAN_UP };
 *     PGC_CLEANUP(pgc_plan_release) struct pgc_plan plan = PGC_PLAN_INIT;
 *     code = pgc_plan_make(&plan, &set, &ledger, NULL, &request, err);
 *     if (plan.fatal) ... plan.problems[...]
 *
 * The plan borrows the set and the ledger. A plan with a fatal problem still lists everything, but is never run. */
#include "migrate/ledger.h"
#include "migrate/set.h"

enum pgc_plan_verb {
    PGC_PLAN_UP,
    PGC_PLAN_DOWN,
    PGC_PLAN_REDO,
    PGC_PLAN_GOTO,
    PGC_PLAN_BASELINE,
    PGC_PLAN_MARK_APPLIED,
    PGC_PLAN_MARK_PENDING,
    PGC_PLAN_REPAIR,
};

enum pgc_plan_policy { PGC_PLAN_ERROR, PGC_PLAN_WARN, PGC_PLAN_APPLY };

/* For repair: what becomes of a statement that was started and whose outcome nobody saw. */
enum pgc_plan_interrupted {
    PGC_PLAN_INTERRUPTED_KEEP,
    PGC_PLAN_INTERRUPTED_RERUN, /* it has had no effect, or may have it twice */
    PGC_PLAN_INTERRUPTED_SKIP,  /* it has had its effect */
};

struct pgc_plan_request {
    enum pgc_plan_verb verb;
    const char *to; /* VERSION or NAME, NULL: none; for down "0" means everything */
    bool has_count; /* then `count` migrations at most */
    size_t count;
    enum pgc_plan_policy out_of_order; /* pending ones older than the newest applied one */
    enum pgc_plan_policy drift;        /* applied ones whose text has changed; APPLY: say nothing */
    enum pgc_plan_policy missing;      /* applied ones that are not in the folder; APPLY: say nothing */
    enum pgc_plan_interrupted interrupted;
};

enum pgc_plan_state {
    PGC_STATE_PENDING,
    PGC_STATE_APPLIED,
    PGC_STATE_BASELINE,     /* covered by a baseline */
    PGC_STATE_OUT_OF_ORDER, /* pending, but a newer one is applied */
    PGC_STATE_CHANGED,      /* applied, its text is another one now */
    PGC_STATE_OUTDATED,     /* repeatable, changed since it ran: runs again */
    PGC_STATE_MISSING,      /* applied, not in the folder */
    PGC_STATE_INCOMPLETE,   /* half through */
    PGC_STATE_FAILED,       /* another tool left it broken */
    PGC_STATE_EMPTY,        /* a version that has nothing to run upwards */
};

/* One line of `status`. */
struct pgc_plan_entry {
    enum pgc_plan_state state;
    const struct pgc_migration *migration; /* NULL when missing */
    const struct pgc_ledger_row *row;      /* NULL when not in the ledger */
};

enum pgc_plan_action {
    PGC_ACTION_UP,
    PGC_ACTION_DOWN,
    PGC_ACTION_RERUN,  /* repeatable, ran before */
    PGC_ACTION_RESUME, /* up, from statement row->done on */
    PGC_ACTION_RESUME_DOWN,
    PGC_ACTION_RECORD,   /* ledger only: as applied */
    PGC_ACTION_BASELINE, /* ledger only: as a baseline */
    PGC_ACTION_FORGET,   /* ledger only: as pending */
    PGC_ACTION_ACCEPT,   /* ledger only: the new checksum */
    PGC_ACTION_RETRY,    /* ledger only: the interrupted statement may be run again */
    PGC_ACTION_SKIP,     /* ledger only: the interrupted or broken statement counts as done */
};

struct pgc_plan_step {
    enum pgc_plan_action action;
    const struct pgc_migration *migration; /* NULL: FORGET of one that is missing */
    const struct pgc_ledger_row *row;
    const char *previous; /* newest version after a DOWN or FORGET, NULL: none is left */
};

struct pgc_plan_problem {
    bool fatal;
    const char *kind; /* "out-of-order", "drift", "missing", "irreversible", "failed", "interrupted" */
    char *message;    /* names files, says what to do */
};

struct pgc_plan {
    struct pgc_plan_entry *entries; /* in the set's order; missing ones stand before the first one that is newer */
    size_t entry_count, entry_cap;
    struct pgc_plan_step *steps; /* in the order in which they run */
    size_t step_count, step_cap;
    struct pgc_plan_problem *problems;
    size_t problem_count, problem_cap;
    bool fatal;          /* one of the problems is */
    size_t pending;      /* entries that `up` would run */
    const char *current; /* newest version in the ledger, NULL: none */
};
#define PGC_PLAN_INIT                                                                                                  \
    { 0 }

void pgc_plan_release(struct pgc_plan *plan);
/* `foreign`: the ledger is that of another tool (its own checksums, perhaps only a high-water mark); NULL: ours.
 * PGC_E_USAGE when request->to names nothing. */
PGC_MUST_USE enum pgc_code pgc_plan_make(struct pgc_plan *plan, const struct pgc_migration_set *set,
                                         const struct pgc_ledger *ledger, const struct pgc_dialect_ledger *foreign,
                                         const struct pgc_plan_request *request, struct pgc_error *err);
const char *pgc_plan_state_name(enum pgc_plan_state state);    /* "out-of-order" */
const char *pgc_plan_action_name(enum pgc_plan_action action); /* "up" */
/* The first fatal problems as one error: PGC_E_DATA. */
PGC_MUST_USE enum pgc_code pgc_plan_check(const struct pgc_plan *plan, struct pgc_error *err);
#endif
