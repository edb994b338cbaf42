/* The order of a set: sorting, duplicates, requires. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "migrate/set.h"
#include "migrate/version.h"

struct sorter {
    pgc_migration_compare_fn *compare;
};

/* Repeatable ones last, by name; a baseline before the versioned migration of the same version. */
static int in_order(const void *a, const void *b, void *arg) {
    const struct pgc_migration *ma = a, *mb = b;
    const struct sorter *sorter = arg;
    bool ra = ma->kind == PGC_MIGRATION_REPEATABLE, rb = mb->kind == PGC_MIGRATION_REPEATABLE;
    if (ra != rb)
        return ra - rb;
    int order = ra ? strcmp(ma->name, mb->name) : sorter->compare(ma, mb);
    if (order == 0 && !ra)
        order = (mb->kind == PGC_MIGRATION_BASELINE) - (ma->kind == PGC_MIGRATION_BASELINE);
    return order != 0 ? order : strcmp(ma->path, mb->path);
}

static int by_version(const void *a, const void *b) {
    const struct pgc_migration *ma = *(const struct pgc_migration *const *)a;
    const struct pgc_migration *mb = *(const struct pgc_migration *const *)b;
    int order = pgc_version_compare(ma->version, mb->version);
    if (order == 0)
        order = (int)ma->kind - (int)mb->kind;
    return order != 0 ? order : strcmp(ma->path, mb->path);
}

/* In most folders the order of the names is that of the versions: one look is cheaper than a sort. */
static bool is_sorted(const struct pgc_migration *const *items, size_t count) {
    for (size_t i = 1; i < count; i++) {
        if (by_version(&items[i - 1], &items[i]) > 0)
            return false;
    }
    return true;
}

static enum pgc_code refuse_duplicates(const struct pgc_migration_set *set, struct pgc_error *err) {
    size_t versioned = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct pgc_migration *m = &set->items[i];
        if (m->kind != PGC_MIGRATION_REPEATABLE)
            versioned++;
        else if (i > 0 && m[-1].kind == PGC_MIGRATION_REPEATABLE && strcmp(m[-1].name, m->name) == 0)
            return pgc_fail(err, PGC_E_DATA, "the repeatable migration '%s' is there twice: '%s' and '%s'", m->name,
                            m[-1].path, m->path);
    }
    const struct pgc_migration **sorted = calloc(versioned + 1, sizeof *sorted);
    if (sorted == NULL)
        return pgc_fail_nomem(err);
    for (size_t i = 0; i < versioned; i++)
        sorted[i] = &set->items[i];
    if (!is_sorted(sorted, versioned))
        qsort(sorted, versioned, sizeof *sorted, by_version);
    enum pgc_code code = PGC_OK;
    for (size_t i = 1; i < versioned && code == PGC_OK; i++) {
        if (sorted[i - 1]->kind == sorted[i]->kind &&
            pgc_version_compare(sorted[i - 1]->version, sorted[i]->version) == 0)
            code = pgc_fail(err, PGC_E_DATA, "version %s is used twice: '%s' and '%s'; rename one of them",
                            sorted[i]->version, sorted[i - 1]->path, sorted[i]->path);
    }
    free(sorted);
    return code;
}

/* How well `m` is meant by `target`: 2 by version or file, 1 by name only. */
static int meant(const struct pgc_migration *m, const char *target, size_t len) {
    if (m->version != NULL && pgc_version_valid(target) && pgc_version_compare(m->version, target) == 0)
        return 2;
    if (strncmp(m->file, target, len) == 0 && (m->file[len] == '\0' || strcmp(m->file + len, ".sql") == 0))
        return 2;
    return m->name != NULL && strcmp(m->name, target) == 0 ? 1 : 0;
}

static enum pgc_code resolve(const struct pgc_migration_set *set, const struct pgc_migration *m,
                             struct pgc_migration_need *need, struct pgc_error *err) {
    size_t len = strlen(need->target);
    const struct pgc_migration *found = NULL;
    int how = 0;
    for (size_t i = 0; i < set->count; i++) {
        int fit = meant(&set->items[i], need->target, len);
        if (fit == 0 || fit < how)
            continue;
        if (fit == how && set->items[i].kind == found->kind)
            return pgc_fail(err, PGC_E_DATA, "%s:%zu: requires '%s', which can mean '%s' or '%s'; name the version",
                            m->path, need->line, need->target, found->path, set->items[i].path);
        if (fit > how || found->kind == PGC_MIGRATION_BASELINE) {
            found = &set->items[i];
            how = fit;
        }
    }
    if (found == NULL)
        return pgc_fail(err, PGC_E_DATA, "%s:%zu: requires '%s', which is not in the folder", m->path, need->line,
                        need->target);
    if (found == m)
        return pgc_fail(err, PGC_E_DATA, "%s:%zu: requires itself", m->path, need->line);
    if (m->kind != PGC_MIGRATION_REPEATABLE && found->kind == PGC_MIGRATION_REPEATABLE)
        return pgc_fail(err, PGC_E_DATA,
                        "%s:%zu: requires the repeatable migration '%s', which always runs after the versioned ones",
                        m->path, need->line, found->path);
    need->index = (size_t)(found - set->items);
    return PGC_OK;
}

/* Every migration that is left waits for another one that is left: follow one such chain until it closes. */
static enum pgc_code name_cycle(const struct pgc_migration_set *set, const bool *placed, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    bool *seen = calloc(set->count, sizeof *seen);
    size_t at = 0;
    if (seen == NULL)
        return pgc_fail_nomem(err);
    while (placed[at])
        at++;
    for (int round = 0; round < 2; round++) {
        memset(seen, 0, set->count * sizeof *seen);
        pgc_buf_clear(&text);
        while (!seen[at]) {
            const struct pgc_migration *m = &set->items[at];
            size_t n = 0;
            while (placed[m->needs[n].index])
                n++;
            seen[at] = true;
            pgc_buf_putf(&text, "%s%s:%zu requires %s", text.len > 0 ? ", " : "", m->path, m->needs[n].line,
                         m->needs[n].target);
            at = m->needs[n].index;
        }
    }
    free(seen);
    return pgc_fail(err, PGC_E_DATA, "migrations require each other in a circle: %s", text.data);
}

/* The first in order whose requirements are placed goes next, again and again. */
static enum pgc_code place(struct pgc_migration_set *set, struct pgc_migration *out, bool *placed,
                           struct pgc_error *err) {
    size_t low = 0;
    for (size_t done = 0; done < set->count; done++) {
        size_t i = low;
        for (; i < set->count; i++) {
            bool ready = !placed[i];
            for (size_t n = 0; ready && n < set->items[i].need_count; n++)
                ready = placed[set->items[i].needs[n].index];
            if (ready)
                break;
        }
        if (i == set->count)
            return name_cycle(set, placed, err);
        placed[i] = true;
        out[done] = set->items[i];
        while (low < set->count && placed[low])
            low++;
    }
    return PGC_OK;
}

static enum pgc_code order_by_needs(struct pgc_migration_set *set, struct pgc_error *err) {
    struct pgc_migration *out = calloc(set->count, sizeof *out);
    bool *placed = calloc(set->count, sizeof *placed);
    enum pgc_code code = out == NULL || placed == NULL ? pgc_fail_nomem(err) : place(set, out, placed, err);
    if (code == PGC_OK) {
        memcpy(set->items, out, set->count * sizeof *out);
        /* Indexes meant the old order. */
        for (size_t i = 0; code == PGC_OK && i < set->count; i++) {
            for (size_t n = 0; code == PGC_OK && n < set->items[i].need_count; n++)
                code = resolve(set, &set->items[i], &set->items[i].needs[n], err);
        }
    }
    free(out);
    free(placed);
    return code;
}

enum pgc_code pgc_migration_set_finish(struct pgc_migration_set *set, pgc_migration_compare_fn *compare,
                                       struct pgc_error *err) {
    struct sorter sorter = { compare == NULL ? pgc_migration_compare : compare };
    if (set->count == 0)
        return PGC_OK;
    qsort_r(set->items, set->count, sizeof *set->items, in_order, &sorter);
    enum pgc_code code = refuse_duplicates(set, err);
    bool needs = false;
    for (size_t i = 0; code == PGC_OK && i < set->count; i++) {
        for (size_t n = 0; code == PGC_OK && n < set->items[i].need_count; n++) {
            needs = true;
            code = resolve(set, &set->items[i], &set->items[i].needs[n], err);
        }
    }
    return code == PGC_OK && needs ? order_by_needs(set, err) : code;
}
