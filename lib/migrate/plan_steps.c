/* What the states mean for a request: problems and steps. */
#include <string.h>

#include "migrate/plan_internal.h"
#include "migrate/version.h"

struct planner {
    struct pgc_plan *plan;
    const struct pgc_migration_set *set;
    const struct pgc_plan_request *request;
    bool limited;                     /* --to or --count */
    size_t target;                    /* entry of --to */
    bool nothing;                     /* --to 0 */
    const struct pgc_migration *base; /* baseline migration that a database without a ledger starts at */
};

static bool is_pending(const struct pgc_plan_entry *entry) {
    return entry->state == PGC_STATE_PENDING || entry->state == PGC_STATE_OUT_OF_ORDER;
}

static bool in_database(const struct pgc_plan_entry *entry) {
    return entry->row != NULL || entry->state == PGC_STATE_APPLIED;
}

/* --- states ------------------------------------------------------------------------------------------------- */

/* A baseline file stands for everything older on an empty ledger; on any other database it has nothing to do. */
static void settle_baselines(struct planner *p, bool fresh) {
    for (size_t i = 0; fresh && i < p->plan->entry_count; i++) {
        const struct pgc_migration *m = p->plan->entries[i].migration;
        if (m != NULL && m->kind == PGC_MIGRATION_BASELINE && (!p->limited || p->request->to == NULL || i <= p->target))
            p->base = m;
    }
    const struct pgc_migration *base = p->base;
    for (size_t i = 0; base == NULL && i < p->plan->entry_count; i++) {
        const struct pgc_plan_entry *entry = &p->plan->entries[p->plan->entry_count - 1 - i];
        if (entry->migration != NULL && entry->migration->kind == PGC_MIGRATION_BASELINE && entry->row != NULL)
            base = entry->migration; /* the database began with it */
    }
    for (size_t i = 0; i < p->plan->entry_count; i++) {
        struct pgc_plan_entry *entry = &p->plan->entries[i];
        const struct pgc_migration *m = entry->migration;
        if (entry->state != PGC_STATE_PENDING || m->kind == PGC_MIGRATION_REPEATABLE || m == p->base)
            continue;
        if (m->kind == PGC_MIGRATION_BASELINE || (base != NULL && pgc_version_compare(m->version, base->version) <= 0))
            entry->state = PGC_STATE_BASELINE;
    }
}

static bool any_applied(const struct pgc_plan *plan) {
    for (size_t i = 0; i < plan->entry_count; i++) {
        const struct pgc_plan_entry *entry = &plan->entries[i];
        if ((entry->migration == NULL || entry->migration->version != NULL) &&
            (in_database(entry) || entry->state == PGC_STATE_BASELINE))
            return true;
    }
    return plan->current != NULL;
}

/* Position decides, not the number: what requires a newer one has its place behind it. */
static void settle_order(struct pgc_plan *plan) {
    bool newer = false;
    for (size_t i = plan->entry_count; i-- > 0;) {
        struct pgc_plan_entry *entry = &plan->entries[i];
        if (entry->migration == NULL || entry->migration->version == NULL)
            continue;
        if (entry->state == PGC_STATE_PENDING && newer && !entry->migration->may_be_late)
            entry->state = PGC_STATE_OUT_OF_ORDER;
        newer |= in_database(entry) && entry->state != PGC_STATE_INCOMPLETE;
    }
    for (size_t i = 0; i < plan->entry_count; i++)
        plan->pending += is_pending(&plan->entries[i]) || plan->entries[i].state == PGC_STATE_OUTDATED ||
                         plan->entries[i].state == PGC_STATE_INCOMPLETE;
}

/* --- problems ----------------------------------------------------------------------------------------------- */

static const char *label(const struct pgc_plan_entry *entry) {
    if (entry->migration != NULL)
        return entry->migration->path;
    return entry->row->file != NULL ? entry->row->file : entry->row->name != NULL ? entry->row->name : "";
}

static const char *version_of(const struct pgc_plan_entry *entry) {
    const char *version = entry->migration != NULL ? entry->migration->version : entry->row->version;
    return version == NULL ? "R" : version;
}

static enum pgc_code complain(struct planner *p, const struct pgc_plan_entry *entry, struct pgc_error *err) {
    const struct pgc_plan_request *request = p->request;
    switch (entry->state) {
    case PGC_STATE_CHANGED:
        if (request->drift == PGC_PLAN_APPLY)
            return PGC_OK;
        return pgc__plan_problem(p->plan, request->drift == PGC_PLAN_ERROR, "drift", err,
                                 "'%s' has changed since it was applied; restore it, or accept the new text with "
                                 "'repair'",
                                 label(entry));
    case PGC_STATE_MISSING:
        if (request->missing == PGC_PLAN_APPLY)
            return PGC_OK;
        return pgc__plan_problem(p->plan, request->missing == PGC_PLAN_ERROR, "missing", err,
                                 "version %s (%s) is in the ledger but not in the folder", version_of(entry),
                                 label(entry));
    case PGC_STATE_INCOMPLETE:
        if (entry->migration != NULL)
            return PGC_OK;
        return pgc__plan_problem(p->plan, true, "missing", err,
                                 "version %s (%s) is half done (%zu statements) and not in the folder; restore the "
                                 "file, or put the database right and say 'mark pending %s'",
                                 version_of(entry), label(entry), entry->row->done, version_of(entry));
    case PGC_STATE_FAILED:
        return pgc__plan_problem(p->plan, true, "failed", err,
                                 "'%s' is marked as failed in the ledger of the other tool; put the database right, "
                                 "then 'mark applied %s' or 'mark pending %s'",
                                 label(entry), version_of(entry), version_of(entry));
    default:
        return PGC_OK;
    }
}

static enum pgc_code complain_about_order(struct planner *p, const struct pgc_plan_entry *entry,
                                          struct pgc_error *err) {
    if (p->request->out_of_order == PGC_PLAN_APPLY)
        return PGC_OK;
    bool fatal = p->request->out_of_order == PGC_PLAN_ERROR;
    return pgc__plan_problem(p->plan, fatal, "out-of-order", err, "'%s' is older than version %s, which is applied%s",
                             label(entry), p->plan->current,
                             fatal ? "; apply it with --out-of-order apply, or give it a newer version" : "");
}

/* --- steps -------------------------------------------------------------------------------------------------- */

static bool wanted(const struct planner *p, size_t i, size_t taken) {
    if (p->nothing || (p->request->has_count && taken >= p->request->count))
        return false;
    return p->request->to == NULL || i <= p->target;
}

static enum pgc_code plan_up(struct planner *p, struct pgc_error *err) {
    struct pgc_plan *plan = p->plan;
    enum pgc_code code = PGC_OK;
    size_t taken = 0;
    bool left = false;
    for (size_t i = 0; code == PGC_OK && i < plan->entry_count; i++) {
        const struct pgc_plan_entry *entry = &plan->entries[i];
        if (entry->state == PGC_STATE_INCOMPLETE) {
            bool down = entry->row->state == PGC_LEDGER_REVERTING;
            if (entry->migration != NULL)
                code = pgc__plan_step(plan, down ? PGC_ACTION_RESUME_DOWN : PGC_ACTION_RESUME, entry, NULL, err);
            continue;
        }
        if (!is_pending(entry) || entry->migration->version == NULL)
            continue;
        if (!wanted(p, i, taken)) {
            left = true;
            continue;
        }
        taken++;
        if (entry->migration->unrunnable != NULL)
            code = pgc__plan_problem(
                plan, true, "unrunnable", err,
                "'%s' cannot be run here: %s; run it with the old tool, or say with 'mark applied %s' "
                "that its work is done",
                label(entry), entry->migration->unrunnable, version_of(entry));
        if (code == PGC_OK && entry->state == PGC_STATE_OUT_OF_ORDER)
            code = complain_about_order(p, entry, err);
        if (code == PGC_OK)
            code = pgc__plan_step(plan, PGC_ACTION_UP, entry, NULL, err);
    }
    /* Repeatable ones see the newest schema: they wait while versioned ones are held back. */
    for (size_t i = 0; code == PGC_OK && !left && !p->nothing && i < plan->entry_count; i++) {
        const struct pgc_plan_entry *entry = &plan->entries[i];
        if (entry->migration == NULL || entry->migration->version != NULL)
            continue;
        bool due = entry->state == PGC_STATE_PENDING || entry->state == PGC_STATE_OUTDATED;
        if (due && !(p->request->has_count && taken >= p->request->count)) {
            taken++;
            code = pgc__plan_step(plan, entry->row == NULL ? PGC_ACTION_UP : PGC_ACTION_RERUN, entry, NULL, err);
        }
    }
    return code;
}

/* The version that is newest once entry `i` is out of the database. */
static const char *previous_of(const struct pgc_plan *plan, size_t i) {
    while (i-- > 0) {
        const struct pgc_plan_entry *entry = &plan->entries[i];
        if (in_database(entry) || entry->state == PGC_STATE_BASELINE)
            return version_of(entry);
    }
    return NULL;
}

static enum pgc_code revert(struct planner *p, size_t i, struct pgc_error *err) {
    const struct pgc_plan_entry *entry = &p->plan->entries[i];
    if (entry->migration == NULL)
        return pgc__plan_problem(p->plan, true, "irreversible", err,
                                 "version %s (%s) cannot be reverted: its file is not in the folder", version_of(entry),
                                 label(entry));
    if (entry->state == PGC_STATE_BASELINE)
        return pgc__plan_problem(p->plan, true, "irreversible", err,
                                 "version %s is part of the baseline and cannot be reverted", version_of(entry));
    if (entry->migration->down.text == NULL)
        return pgc__plan_problem(p->plan, true, "irreversible", err, "'%s' cannot be reverted: it has no down part",
                                 label(entry));
    enum pgc_plan_action action = entry->state == PGC_STATE_INCOMPLETE && entry->row->state == PGC_LEDGER_REVERTING
                                      ? PGC_ACTION_RESUME_DOWN
                                      : PGC_ACTION_DOWN;
    return pgc__plan_step(p->plan, action, entry, previous_of(p->plan, i), err);
}

/* The newest `count` of the applied ones, or all that are newer than the target. */
static enum pgc_code plan_down(struct planner *p, size_t count, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    bool to = p->request->to != NULL;
    for (size_t i = p->plan->entry_count; code == PGC_OK && !p->plan->fatal && i-- > 0;) {
        const struct pgc_plan_entry *entry = &p->plan->entries[i];
        if (entry->migration != NULL && entry->migration->version == NULL)
            continue;
        if ((to && !p->nothing && i <= p->target) || (!to && count == 0))
            break;
        if (entry->migration == NULL && entry->row->version == NULL)
            continue;
        if (!in_database(entry) && entry->state != PGC_STATE_BASELINE)
            continue;
        /* Down to nothing stops at what a baseline stands for. */
        if (entry->state == PGC_STATE_BASELINE && (p->nothing || entry->row == NULL))
            break;
        code = revert(p, i, err);
        count -= count > 0;
    }
    return code;
}

static enum pgc_code plan_redo(struct planner *p, struct pgc_error *err) {
    enum pgc_code code = plan_down(p, p->request->has_count ? p->request->count : 1, err);
    size_t downs = p->plan->step_count;
    for (size_t i = downs; code == PGC_OK && i-- > 0;) {
        struct pgc_plan_entry entry = { .migration = p->plan->steps[i].migration };
        code = pgc__plan_step(p->plan, PGC_ACTION_UP, &entry, NULL, err);
    }
    return code;
}

static enum pgc_code plan_mark(struct planner *p, struct pgc_error *err) {
    const struct pgc_plan_entry *entry = &p->plan->entries[p->target];
    enum pgc_code code = PGC_OK;
    switch (p->request->verb) {
    case PGC_PLAN_BASELINE:
        for (size_t i = 0; i < p->plan->entry_count; i++) {
            const struct pgc_plan_entry *other = &p->plan->entries[i];
            if (other->row != NULL && other->row->version != NULL && code == PGC_OK && other != entry)
                code = pgc__plan_problem(p->plan, true, "ledger", err,
                                         "the ledger is not empty: version %s is in it; a baseline is for a database "
                                         "that was never migrated",
                                         version_of(other));
            if (p->plan->fatal)
                break;
        }
        return code != PGC_OK || entry->row != NULL ? code
                                                    : pgc__plan_step(p->plan, PGC_ACTION_BASELINE, entry, NULL, err);
    case PGC_PLAN_MARK_APPLIED:
        if (in_database(entry) && entry->state != PGC_STATE_INCOMPLETE && entry->state != PGC_STATE_FAILED)
            return PGC_OK;
        if (entry->migration == NULL)
            return pgc__plan_problem(p->plan, true, "missing", err,
                                     "version %s (%s) is not in the folder; only 'mark pending %s' is possible",
                                     version_of(entry), label(entry), version_of(entry));
        if (entry->row != NULL)
            code = pgc__plan_step(p->plan, PGC_ACTION_FORGET, entry, previous_of(p->plan, p->target), err);
        return code != PGC_OK ? code : pgc__plan_step(p->plan, PGC_ACTION_RECORD, entry, NULL, err);
    default:
        return in_database(entry)
                   ? pgc__plan_step(p->plan, PGC_ACTION_FORGET, entry, previous_of(p->plan, p->target), err)
                   : PGC_OK;
    }
}

static enum pgc_code repair_interrupted(struct planner *p, const struct pgc_plan_entry *entry, struct pgc_error *err) {
    enum pgc_plan_interrupted how = p->request->interrupted;
    if (how == PGC_PLAN_INTERRUPTED_KEEP || entry->migration == NULL)
        return pgc__plan_problem(
            p->plan, false, "interrupted", err, "'%s' is half done: %zu statements; %s", label(entry), entry->row->done,
            entry->row->in_flight ? "the next one was started and did not finish" : "'up' goes on behind them");
    if (how == PGC_PLAN_INTERRUPTED_SKIP)
        return pgc__plan_step(p->plan, PGC_ACTION_SKIP, entry, NULL, err);
    return entry->row->in_flight ? pgc__plan_step(p->plan, PGC_ACTION_RETRY, entry, NULL, err) : PGC_OK;
}

static enum pgc_code plan_repair(struct planner *p, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < p->plan->entry_count; i++) {
        const struct pgc_plan_entry *entry = &p->plan->entries[i];
        if (entry->state == PGC_STATE_CHANGED)
            code = pgc__plan_step(p->plan, PGC_ACTION_ACCEPT, entry, NULL, err);
        else if (entry->state == PGC_STATE_INCOMPLETE)
            code = repair_interrupted(p, entry, err);
    }
    return code;
}

/* --- the request -------------------------------------------------------------------------------------------- */

/* "0" is down to nothing even where a migration has that number (diesel's first one); 00000000000000 names the migration. */
static bool is_nothing(const char *to, enum pgc_plan_verb verb) {
    return (verb == PGC_PLAN_DOWN || verb == PGC_PLAN_GOTO) && strcmp(to, "0") == 0;
}

static enum pgc_code find_target(struct planner *p, struct pgc_error *err) {
    const char *to = p->request->to;
    p->nothing = to != NULL && is_nothing(to, p->request->verb);
    if (to == NULL || p->nothing)
        return PGC_OK;
    const struct pgc_migration *m = pgc_migration_set_find(p->set, to);
    for (size_t i = 0; i < p->plan->entry_count; i++) {
        const struct pgc_plan_entry *entry = &p->plan->entries[i];
        if ((m != NULL && entry->migration == m) ||
            (m == NULL && entry->migration == NULL && entry->row->version != NULL &&
             pgc_version_compare(entry->row->version, to) == 0)) {
            p->target = i;
            return PGC_OK;
        }
    }
    return pgc_fail(err, PGC_E_USAGE, "there is no migration '%s'", to);
}

static bool looks_at_drift(enum pgc_plan_verb verb) {
    return verb == PGC_PLAN_UP || verb == PGC_PLAN_DOWN || verb == PGC_PLAN_REDO || verb == PGC_PLAN_GOTO;
}

static enum pgc_code make_steps(struct planner *p, struct pgc_error *err) {
    switch (p->request->verb) {
    case PGC_PLAN_UP:
        return plan_up(p, err);
    case PGC_PLAN_DOWN:
        return plan_down(p, p->request->has_count ? p->request->count : 1, err);
    case PGC_PLAN_REDO:
        return plan_redo(p, err);
    case PGC_PLAN_GOTO: {
        enum pgc_code code = plan_down(p, 0, err);
        return code != PGC_OK ? code : plan_up(p, err);
    }
    case PGC_PLAN_REPAIR:
        return plan_repair(p, err);
    default:
        return plan_mark(p, err);
    }
}

enum pgc_code pgc_plan_make(struct pgc_plan *plan, const struct pgc_migration_set *set, const struct pgc_ledger *ledger,
                            const struct pgc_dialect_ledger *foreign, const struct pgc_plan_request *request,
                            struct pgc_error *err) {
    struct planner p = { .plan = plan, .set = set, .request = request };
    p.limited = request->to != NULL || request->has_count;
    enum pgc_code code = pgc__plan_match(plan, set, ledger, foreign, err);
    if (code == PGC_OK)
        code = find_target(&p, err);
    if (code != PGC_OK)
        return code;
    settle_baselines(&p, !any_applied(plan));
    settle_order(plan);
    for (size_t i = 0; looks_at_drift(request->verb) && code == PGC_OK && i < plan->entry_count; i++)
        code = complain(&p, &plan->entries[i], err);
    return code != PGC_OK ? code : make_steps(&p, err);
}
