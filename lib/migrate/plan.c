#include "migrate/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "migrate/plan_internal.h"
#include "migrate/version.h"

const char *pgc_plan_state_name(enum pgc_plan_state state) {
    static const char *const names[] = { "pending",  "applied", "baseline",   "out-of-order", "changed",
                                         "outdated", "missing", "incomplete", "failed",       "empty" };
    return names[state];
}

const char *pgc_plan_action_name(enum pgc_plan_action action) {
    static const char *const names[] = { "up",       "down",   "rerun",  "resume", "resume-down", "record",
                                         "baseline", "forget", "accept", "retry",  "skip" };
    return names[action];
}

void pgc_plan_release(struct pgc_plan *plan) {
    for (size_t i = 0; i < plan->problem_count; i++)
        free(plan->problems[i].message);
    free(plan->problems);
    free(plan->entries);
    free(plan->steps);
    *plan = (struct pgc_plan)PGC_PLAN_INIT;
}

enum pgc_code pgc_plan_check(const struct pgc_plan *plan, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    size_t shown = 0, more = 0;
    if (!plan->fatal)
        return PGC_OK;
    for (size_t i = 0; i < plan->problem_count; i++) {
        if (!plan->problems[i].fatal)
            continue;
        if (++shown > 5)
            more++;
        else
            pgc_buf_putf(&text, "%s%s", shown > 1 ? "\n" : "", plan->problems[i].message);
    }
    if (more > 0)
        pgc_buf_putf(&text, "\n... and %zu more", more);
    return pgc_fail(err, PGC_E_DATA, "%s", text.data);
}

enum pgc_code pgc__plan_problem(struct pgc_plan *plan, bool fatal, const char *kind, struct pgc_error *err,
                                const char *format, ...) {
    if (!pgc_array_grow(&plan->problems, &plan->problem_cap, plan->problem_count + 1, sizeof *plan->problems))
        return pgc_fail_nomem(err);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    va_list args;
    va_start(args, format);
    pgc_buf_vputf(&text, format, args);
    va_end(args);
    char *message = pgc_buf_detach(&text);
    if (message == NULL)
        return pgc_fail_nomem(err);
    plan->problems[plan->problem_count++] = (struct pgc_plan_problem) { fatal, kind, message };
    plan->fatal |= fatal;
    return PGC_OK;
}

enum pgc_code pgc__plan_step(struct pgc_plan *plan, enum pgc_plan_action action, const struct pgc_plan_entry *entry,
                             const char *previous, struct pgc_error *err) {
    if (!pgc_array_grow(&plan->steps, &plan->step_cap, plan->step_count + 1, sizeof *plan->steps))
        return pgc_fail_nomem(err);
    plan->steps[plan->step_count++] = (struct pgc_plan_step) { action, entry->migration, entry->row, previous };
    return PGC_OK;
}

/* --- rows and migrations meet ------------------------------------------------------------------------------ */

/* Rows by their key: 10,000 of each meet in linear time. */
struct index {
    size_t *slots; /* row + 1, 0: empty */
    size_t mask;
    char **keys;
    size_t count;
};

static void index_release(struct index *index) {
    for (size_t i = 0; i < index->count; i++)
        free(index->keys[i]);
    free(index->keys);
    free(index->slots);
}

static size_t hash(const char *text) {
    uint64_t h = 14695981039346656037U;
    for (; *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211U;
    return (size_t)(h ^ (h >> 29));
}

static bool row_key(const struct pgc_ledger_row *row, char **out) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
    if (row->version != NULL)
        pgc_ledger_version_key(&key, row->version);
    else
        pgc_buf_putf(&key, "R:%s", row->name == NULL ? "" : row->name);
    *out = pgc_buf_detach(&key);
    return *out != NULL;
}

/* A repeatable migration may have several rows (it ran several times): the last one counts. */
static bool index_make(struct index *index, const struct pgc_ledger *ledger) {
    size_t size = 16;
    while (size < ledger->count * 2)
        size *= 2;
    *index =
        (struct index) { calloc(size, sizeof *index->slots), size - 1, calloc(ledger->count + 1, sizeof(char *)), 0 };
    if (index->slots == NULL || index->keys == NULL)
        return false;
    for (size_t i = 0; i < ledger->count; i++) {
        if (!row_key(&ledger->rows[i], &index->keys[i]))
            return false;
        index->count++;
        if (ledger->rows[i].state == PGC_LEDGER_IGNORED)
            continue;
        size_t at = hash(index->keys[i]) & index->mask;
        while (index->slots[at] != 0 && strcmp(index->keys[index->slots[at] - 1], index->keys[i]) != 0)
            at = (at + 1) & index->mask;
        index->slots[at] = i + 1;
    }
    return true;
}

static const struct pgc_ledger_row *index_find(const struct index *index, const struct pgc_ledger *ledger,
                                               const char *key, bool *used) {
    for (size_t at = hash(key) & index->mask; index->slots[at] != 0; at = (at + 1) & index->mask) {
        size_t row = index->slots[at] - 1;
        if (strcmp(index->keys[row], key) == 0) {
            used[row] = true;
            return &ledger->rows[row];
        }
    }
    return NULL;
}

static bool same_text(const struct pgc_migration *m, const struct pgc_ledger_row *row, bool foreign) {
    const char *mine = foreign ? m->own_checksum : m->checksum;
    if (row->checksum == NULL || mine == NULL || strcmp(mine, row->checksum) == 0)
        return true;
    if (!foreign || m->other_checksums == NULL)
        return false;
    size_t len = strlen(row->checksum);
    for (const char *p = m->other_checksums; (p = strstr(p, row->checksum)) != NULL; p += len) {
        if ((p == m->other_checksums || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
            return true;
    }
    return false;
}

static enum pgc_plan_state state_of(const struct pgc_migration *m, const struct pgc_ledger_row *row, bool foreign) {
    if (row == NULL)
        return m->ignored ? PGC_STATE_EMPTY : PGC_STATE_PENDING;
    switch (row->state) {
    case PGC_LEDGER_APPLYING:
    case PGC_LEDGER_REVERTING:
        return PGC_STATE_INCOMPLETE;
    case PGC_LEDGER_FAILED:
        return PGC_STATE_FAILED;
    case PGC_LEDGER_BASELINE:
        return PGC_STATE_BASELINE;
    default:
        break;
    }
    if (same_text(m, row, foreign))
        return PGC_STATE_APPLIED;
    /* The row is that of the migration whose place the baseline has taken. */
    if (m->kind == PGC_MIGRATION_BASELINE)
        return PGC_STATE_BASELINE;
    return m->kind == PGC_MIGRATION_REPEATABLE ? PGC_STATE_OUTDATED : PGC_STATE_CHANGED;
}

/* The version up to which everything counts as applied, by a baseline row or a high-water mark. */
static const char *covered_up_to(const struct pgc_ledger *ledger, bool high_water, bool *applied) {
    const char *mark = NULL;
    *applied = false;
    for (size_t i = 0; i < ledger->count; i++) {
        const struct pgc_ledger_row *row = &ledger->rows[i];
        bool counts = row->state == PGC_LEDGER_BASELINE ||
                      (high_water && (row->state == PGC_LEDGER_APPLIED || row->state == PGC_LEDGER_FAILED));
        if (counts && row->version != NULL && pgc_version_compare(row->version, mark) > 0) {
            mark = row->version;
            *applied = row->state != PGC_LEDGER_BASELINE;
        }
    }
    return mark;
}

struct matcher {
    struct pgc_plan *plan;
    const struct pgc_migration_set *set;
    const struct pgc_ledger *ledger;
    const struct pgc_dialect_ledger *foreign;
    struct index index;
    bool *used;
    const char *covered;
    bool covered_is_applied;
};

static enum pgc_code add_entry(struct pgc_plan *plan, enum pgc_plan_state state, const struct pgc_migration *m,
                               const struct pgc_ledger_row *row, struct pgc_error *err) {
    if (!pgc_array_grow(&plan->entries, &plan->entry_cap, plan->entry_count + 1, sizeof *plan->entries))
        return pgc_fail_nomem(err);
    plan->entries[plan->entry_count++] = (struct pgc_plan_entry) { state, m, row };
    return PGC_OK;
}

static enum pgc_code match_one(struct matcher *match, const struct pgc_migration *m, struct pgc_buf *key,
                               struct pgc_error *err) {
    pgc_buf_clear(key);
    pgc_ledger_key(key, m);
    const struct pgc_ledger_row *row = index_find(&match->index, match->ledger, key->data, match->used);
    enum pgc_plan_state state = state_of(m, row, match->foreign != NULL);
    bool covered = match->covered != NULL && m->version != NULL && pgc_version_compare(m->version, match->covered) <= 0;
    if ((state == PGC_STATE_PENDING || state == PGC_STATE_EMPTY) && covered)
        state = match->covered_is_applied ? PGC_STATE_APPLIED : PGC_STATE_BASELINE;
    return add_entry(match->plan, state, m, row, err);
}

/* Applied ones that the folder does not have: before the first migration that is newer. A baseline row without a file is
 * how `baseline` and `squash` leave things, and what a baseline covers may have been squashed away. */
static enum pgc_code match_missing(struct matcher *match, struct pgc_error *err) {
    const char *squashed = match->covered;
    for (size_t i = 0; i < match->set->count; i++) {
        const struct pgc_migration *m = &match->set->items[i];
        if (m->kind == PGC_MIGRATION_BASELINE && pgc_version_compare(m->version, squashed) > 0)
            squashed = m->version;
    }
    for (size_t i = 0; i < match->ledger->count; i++) {
        const struct pgc_ledger_row *row = &match->ledger->rows[i];
        if (match->used[i] || row->state == PGC_LEDGER_IGNORED || row->state == PGC_LEDGER_BASELINE)
            continue;
        bool failed = row->state == PGC_LEDGER_FAILED;
        if (row->version != NULL && !failed && pgc_version_compare(row->version, squashed) <= 0)
            continue;
        if (row->version == NULL && index_find(&match->index, match->ledger, match->index.keys[i], match->used) != row)
            continue;
        bool half = row->state == PGC_LEDGER_APPLYING || row->state == PGC_LEDGER_REVERTING;
        enum pgc_plan_state state = half ? PGC_STATE_INCOMPLETE : failed ? PGC_STATE_FAILED : PGC_STATE_MISSING;
        enum pgc_code code = add_entry(match->plan, state, NULL, row, err);
        if (code != PGC_OK)
            return code;
        struct pgc_plan_entry missing = match->plan->entries[match->plan->entry_count - 1];
        size_t at = match->plan->entry_count - 1;
        while (at > 0 && match->plan->entries[at - 1].migration != NULL &&
               (row->version == NULL
                    ? match->plan->entries[at - 1].migration->version == NULL
                    : match->plan->entries[at - 1].migration->version == NULL ||
                          pgc_version_compare(match->plan->entries[at - 1].migration->version, row->version) > 0)) {
            match->plan->entries[at] = match->plan->entries[at - 1];
            at--;
        }
        match->plan->entries[at] = missing;
    }
    return PGC_OK;
}

static void find_current(struct pgc_plan *plan, const struct pgc_ledger *ledger) {
    for (size_t i = 0; i < ledger->count; i++) {
        const struct pgc_ledger_row *row = &ledger->rows[i];
        if (row->version != NULL && row->state != PGC_LEDGER_IGNORED && row->state != PGC_LEDGER_APPLYING &&
            pgc_version_compare(row->version, plan->current) > 0)
            plan->current = row->version;
    }
}

enum pgc_code pgc__plan_match(struct pgc_plan *plan, const struct pgc_migration_set *set,
                              const struct pgc_ledger *ledger, const struct pgc_dialect_ledger *foreign,
                              struct pgc_error *err) {
    struct matcher match = { .plan = plan, .set = set, .ledger = ledger, .foreign = foreign };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
    PGC_AUTO_FREE bool *used = calloc(ledger->count + 1, sizeof *used);
    match.used = used;
    enum pgc_code code = used != NULL && index_make(&match.index, ledger) ? PGC_OK : pgc_fail_nomem(err);
    match.covered = covered_up_to(ledger, foreign != NULL && foreign->high_water, &match.covered_is_applied);
    for (size_t i = 0; code == PGC_OK && i < set->count; i++)
        code = match_one(&match, &set->items[i], &key, err);
    if (code == PGC_OK)
        code = match_missing(&match, err);
    if (code == PGC_OK)
        code = pgc_buf_check(&key, err);
    index_release(&match.index);
    find_current(plan, ledger);
    return code;
}
