#ifndef PGC_INIT_PLAN_H
#define PGC_INIT_PLAN_H
/* What a run would do with each step: pure, from the steps and the ledger. */
#include "init/ledger.h"

enum pgc_init_action { PGC_INIT_RUN, PGC_INIT_SKIP, PGC_INIT_IGNORE };

struct pgc_init_decision {
    enum pgc_init_action action;
    const char *why; /* static text: "new", "failed before", "changed", ... */
    bool changed;    /* done before with another content, and skipped all the same */
};

/* `ledger` NULL: as on a server that has none. */
struct pgc_init_decision pgc_init_decide(const struct pgc_init_step *step, const struct pgc_init_ledger *ledger);
/* "run", "skip", "ignore". */
const char *pgc_init_action_name(enum pgc_init_action action);
/* True when some step would run. */
bool pgc_init_has_work(const struct pgc_init_steps *steps, const struct pgc_init_ledger *ledger);
#endif
