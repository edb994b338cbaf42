#ifndef PGC_BACKUP_PRUNE_H
#define PGC_BACKUP_PRUNE_H
/* Which backups of a store go, and their deletion.
 *
 *     PGC_CLEANUP(pgc_prune_plan_release) struct pgc_prune_plan plan = PGC_PRUNE_PLAN_INIT;
 *     code = pgc_prune_plan_make(&catalog, &policy, now_us, &plan, err);
 *     ... show plan.items ...
 *     code = pgc_prune_run(store, &plan, rt, &deleted, err);
 *
 * The policy is applied to each database of each cluster by itself, over backups that are complete: a damaged one is neither
 * counted nor deleted. Spans count back from the newest good backup, so nothing expires while backups fail. The newest good
 * one always stays, and pinned ones stay. Only objects that a manifest names are deleted, the manifest first. */
#include "backup/catalog.h"
#include "backup/retention.h"

struct pgc_prune_item {
    const struct pgc_catalog_entry *entry; /* borrowed from the catalogue */
    bool keep;
    char *reasons; /* "daily snapshot, within 1m"; of a removed one "" */
};
struct pgc_prune_plan {
    struct pgc_prune_item *items; /* by cluster and database, newest first */
    size_t count, cap;
};
#define PGC_PRUNE_PLAN_INIT                                                                                            \
    { NULL, 0, 0 }
void pgc_prune_plan_release(struct pgc_prune_plan *plan);

/* An empty policy is PGC_E_USAGE: it keeps everything, which nobody means who prunes. */
PGC_MUST_USE enum pgc_code pgc_prune_plan_make(const struct pgc_catalog *catalog, const struct pgc_keep_policy *policy,
                                               int64_t now_us, struct pgc_prune_plan *out, struct pgc_error *err);
/* Goes on after a failure and returns the first; *deleted counts those that are gone. */
PGC_MUST_USE enum pgc_code pgc_prune_run(struct pgc_store *store, const struct pgc_prune_plan *plan,
                                         const struct pgc_runtime *rt, size_t *deleted, struct pgc_error *err);
#endif
