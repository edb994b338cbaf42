#include "backup/prune.h"

#include <stdlib.h>
#include <string.h>

void pgc_prune_plan_release(struct pgc_prune_plan *plan) {
    for (size_t i = 0; i < plan->count; i++)
        free(plan->items[i].reasons);
    free(plan->items);
    *plan = (struct pgc_prune_plan)PGC_PRUNE_PLAN_INIT;
}

static int by_database(const void *a, const void *b) {
    const struct pgc_catalog_entry *x = *(const struct pgc_catalog_entry *const *)a;
    const struct pgc_catalog_entry *y = *(const struct pgc_catalog_entry *const *)b;
    int order = strcmp(x->manifest.cluster, y->manifest.cluster);
    if (order == 0)
        order = strcmp(x->manifest.database, y->manifest.database);
    if (order == 0 && x->manifest.started_us != y->manifest.started_us)
        order = x->manifest.started_us > y->manifest.started_us ? -1 : 1;
    return order != 0 ? order : strcmp(y->manifest.id, x->manifest.id);
}

static bool same_database(const struct pgc_catalog_entry *a, const struct pgc_catalog_entry *b) {
    return strcmp(a->manifest.cluster, b->manifest.cluster) == 0 &&
           strcmp(a->manifest.database, b->manifest.database) == 0;
}

static enum pgc_code add(struct pgc_prune_plan *plan, const struct pgc_catalog_entry *entry, bool keep,
                         const struct pgc_strings *reasons, const char *other, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    if (!pgc_array_grow(&plan->items, &plan->cap, plan->count + 1, sizeof *plan->items))
        return pgc_fail_nomem(err);
    for (size_t i = 0; reasons != NULL && i < reasons->count; i++)
        pgc_buf_putf(&text, "%s%s", text.len == 0 ? "" : ", ", reasons->items[i]);
    if (other != NULL)
        pgc_buf_putf(&text, "%s%s", text.len == 0 ? "" : ", ", other);
    char *joined = pgc_buf_detach(&text);
    if (joined == NULL)
        return pgc_fail_nomem(err);
    plan->items[plan->count++] = (struct pgc_prune_item) { entry, keep, joined };
    return PGC_OK;
}

/* The items of one database were judged: into the plan, with the damaged ones between them. */
static enum pgc_code add_group(struct pgc_prune_plan *out, const struct pgc_keep_item *items, size_t count,
                               const struct pgc_catalog_entry *const *damaged, size_t damaged_count,
                               struct pgc_error *err) {
    bool any = false;
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; i < count; i++)
        any |= items[i].keep;
    for (size_t i = 0; code == PGC_OK && i < count; i++) {
        /* Whatever the policy says: a database never loses its last good backup. */
        bool last_resort = !any && i == 0;
        code = add(out, items[i].arg, items[i].keep || last_resort, items[i].keep ? &items[i].reasons : NULL,
                   last_resort ? "the newest one" : NULL, err);
    }
    for (size_t i = 0; code == PGC_OK && i < damaged_count; i++)
        code = add(out, damaged[i], true, NULL, "damaged: neither counted nor deleted", err);
    return code;
}

static enum pgc_code judge_group(const struct pgc_catalog_entry *const *entries, size_t count,
                                 const struct pgc_keep_policy *policy, int64_t now_us, struct pgc_prune_plan *out,
                                 struct pgc_error *err) {
    struct pgc_keep_item *items = calloc(count, sizeof *items);
    const struct pgc_catalog_entry **damaged = calloc(count, sizeof *damaged);
    size_t good = 0, bad = 0;
    enum pgc_code code = items == NULL || damaged == NULL ? pgc_fail_nomem(err) : PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < count; i++) {
        if (entries[i]->problem != NULL || entries[i]->failed_us > 0)
            damaged[bad++] = entries[i];
        else
            items[good++] = (struct pgc_keep_item) { .time_us = entries[i]->manifest.started_us,
                                                     .pinned = entries[i]->pinned ? "pinned" : NULL,
                                                     .arg = (void *)(size_t)entries[i] };
    }
    if (code == PGC_OK && good > 0)
        code = pgc_keep_apply(policy, items, good, now_us, err);
    if (code == PGC_OK)
        code = add_group(out, items, good, damaged, bad, err);
    if (items != NULL)
        pgc_keep_items_release(items, good);
    free(items);
    free(damaged);
    return code;
}

enum pgc_code pgc_prune_plan_make(const struct pgc_catalog *catalog, const struct pgc_keep_policy *policy,
                                  int64_t now_us, struct pgc_prune_plan *out, struct pgc_error *err) {
    if (pgc_keep_policy_empty(policy))
        return pgc_fail(err, PGC_E_USAGE, "no policy given: say what to keep (--keep-daily 7 ...)");
    if (catalog->count == 0)
        return PGC_OK;
    const struct pgc_catalog_entry **sorted = calloc(catalog->count, sizeof *sorted);
    if (sorted == NULL)
        return pgc_fail_nomem(err);
    for (size_t i = 0; i < catalog->count; i++)
        sorted[i] = &catalog->items[i];
    qsort(sorted, catalog->count, sizeof *sorted, by_database);
    enum pgc_code code = PGC_OK;
    for (size_t from = 0, to; code == PGC_OK && from < catalog->count; from = to) {
        for (to = from + 1; to < catalog->count && same_database(sorted[from], sorted[to]);)
            to++;
        code = judge_group(sorted + from, to - from, policy, now_us, out, err);
    }
    free(sorted);
    return code;
}

enum pgc_code pgc_prune_run(struct pgc_store *store, const struct pgc_prune_plan *plan, const struct pgc_runtime *rt,
                            size_t *deleted, struct pgc_error *err) {
    enum pgc_code first = PGC_OK;
    *deleted = 0;
    for (size_t i = 0; i < plan->count; i++) {
        struct pgc_error one;
        if (plan->items[i].keep)
            continue;
        enum pgc_code code = pgc_check_cancelled(rt, &one);
        if (code == PGC_OK)
            code = pgc_catalog_erase(store, plan->items[i].entry, &one);
        if (code == PGC_OK)
            (*deleted)++;
        else if (first == PGC_OK) {
            first = code;
            *err = one;
        }
        if (code == PGC_E_CANCELLED)
            break;
    }
    return first;
}
