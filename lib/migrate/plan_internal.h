#ifndef PGC_MIGRATE_PLAN_INTERNAL_H
#define PGC_MIGRATE_PLAN_INTERNAL_H
/* Between plan.c (who meets whom) and plan_steps.c (what that means, and what is done about it). */
#include "migrate/plan.h"

/* One entry per migration and per row without a file. */
PGC_MUST_USE enum pgc_code pgc__plan_match(struct pgc_plan *plan, const struct pgc_migration_set *set,
                                           const struct pgc_ledger *ledger, const struct pgc_dialect_ledger *foreign,
                                           struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__plan_problem(struct pgc_plan *plan, bool fatal, const char *kind, struct pgc_error *err,
                                             const char *format, ...) PGC_PRINTF(5, 6);
PGC_MUST_USE enum pgc_code pgc__plan_step(struct pgc_plan *plan, enum pgc_plan_action action,
                                          const struct pgc_plan_entry *entry, const char *previous,
                                          struct pgc_error *err);
#endif
