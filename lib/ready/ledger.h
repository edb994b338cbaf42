#ifndef PGC_READY_LEDGER_H
#define PGC_READY_LEDGER_H
/* Level `migrated`: what the migration ledgers say. Every ledger found must be clean: no failed, dirty or half-done
 * migration; with --min-version at least one must have come that far. */
#include "ready/ready.h"

PGC_MUST_USE enum pgc_code pgc_ready_check_ledgers(const struct pgc_ready_spec *spec, struct pgc_probe *probe,
                                                   int64_t deadline, const struct pgc_runtime *rt,
                                                   struct pgc_ready_report *report, struct pgc_error *err);

/* Pure: versions as people order them. Runs of digits compare as numbers of any length, '.' and '_' separate alike,
 * a missing part is 0 ("1" = "1.0" = "1_0"), other text compares byte by byte. <0, 0, >0. */
int pgc_ready_version_compare(const char *a, const char *b);

/* Pure: does a ledger whose newest version is `have` satisfy `wanted`? Alembic's revisions have no order: equal or not.
 * Django's are per app ("blog.0003_x"): only the same app counts. */
bool pgc_ready_version_reaches(const char *kind, const char *have, const char *wanted);
#endif
