#include "init/plan.h"

#include <string.h>

const char *pgc_init_action_name(enum pgc_init_action action) {
    static const char *const names[] = { "run", "skip", "ignore" };
    return names[action];
}

struct pgc_init_decision pgc_init_decide(const struct pgc_init_step *step, const struct pgc_init_ledger *ledger) {
    if (step->kind == PGC_INIT_IGNORED)
        return (struct pgc_init_decision) { PGC_INIT_IGNORE, "not a type of init script", false };
    const struct pgc_init_row *row = ledger != NULL ? pgc_init_ledger_find(ledger, step->name) : NULL;
    if (row == NULL)
        return (struct pgc_init_decision) { PGC_INIT_RUN, "new", false };
    if (row->status == PGC_INIT_FAILED)
        return (struct pgc_init_decision) { PGC_INIT_RUN, "failed before", false };
    if (row->status == PGC_INIT_STARTED)
        return (struct pgc_init_decision) { PGC_INIT_RUN, "was interrupted before", false };
    bool changed = strcmp(row->sha256, step->sha256) != 0;
    if (step->rerun == PGC_INIT_RERUN_ALWAYS)
        return (struct pgc_init_decision) { PGC_INIT_RUN, "runs always", false };
    if (step->rerun == PGC_INIT_RERUN_CHANGED && changed)
        return (struct pgc_init_decision) { PGC_INIT_RUN, "changed", false };
    return (struct pgc_init_decision) { PGC_INIT_SKIP, changed ? "done before, changed since" : "done before",
                                        changed };
}

bool pgc_init_has_work(const struct pgc_init_steps *steps, const struct pgc_init_ledger *ledger) {
    for (size_t i = 0; i < steps->count; i++)
        if (pgc_init_decide(&steps->items[i], ledger).action == PGC_INIT_RUN)
            return true;
    return false;
}
