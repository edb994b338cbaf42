/* What a finished step writes into the ledger, ours or the format's own. */
#include "base/cleanup.h"
#include "migrate/dialect_ledger.h"
#include "migrate/run_internal.h"

bool pgc__run_is_down(const struct pgc_plan_step *step) {
    return step->action == PGC_ACTION_DOWN || step->action == PGC_ACTION_RESUME_DOWN;
}

bool pgc__run_resumes(const struct pgc_plan_step *step) {
    return step->action == PGC_ACTION_RESUME || step->action == PGC_ACTION_RESUME_DOWN;
}

static void put_remove(const struct pgc__run *run, struct pgc_buf *sql, const struct pgc_plan_step *step,
                       const char *action) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
    if (step->migration != NULL)
        pgc_ledger_key(&key, step->migration);
    else if (step->row->version != NULL)
        pgc_ledger_version_key(&key, step->row->version);
    else
        pgc_buf_putf(&key, "R:%s", step->row->name);
    pgc_ledger_sql_remove(sql, &run->migrate->native, key.data, action);
}

static void put_own(const struct pgc__run *run, struct pgc_buf *sql, const struct pgc_plan_step *step) {
    const struct pgc_ledger_native *native = &run->migrate->native;
    switch (step->action) {
    case PGC_ACTION_RERUN:
        put_remove(run, sql, step, "rerun");
        pgc_ledger_sql_up(sql, native, step->migration, PGC_LEDGER_APPLIED);
        break;
    case PGC_ACTION_ACCEPT:
        put_remove(run, sql, step, "repair");
        pgc_ledger_sql_up(sql, native, step->migration, PGC_LEDGER_APPLIED);
        break;
    case PGC_ACTION_DOWN:
    case PGC_ACTION_RESUME_DOWN:
        put_remove(run, sql, step, "down");
        break;
    case PGC_ACTION_FORGET:
        put_remove(run, sql, step, "mark");
        break;
    case PGC_ACTION_BASELINE:
        pgc_ledger_sql_up(sql, native, step->migration, PGC_LEDGER_BASELINE);
        break;
    default:
        if (run->prepared)
            pgc_ledger_sql_execute(sql, step->migration);
        else
            pgc_ledger_sql_up(sql, native, step->migration, PGC_LEDGER_APPLIED);
    }
}

/* A ledger without baselines gets every version that the baseline stands for; a high-water mark needs only the newest. */
static void put_foreign_baseline(const struct pgc_migrate *m, struct pgc_buf *sql, struct pgc_ledger_entry *entry) {
    const struct pgc_migration *last = entry->migration;
    for (size_t i = 0; !m->foreign->high_water && i < m->set.count && &m->set.items[i] != last; i++) {
        entry->migration = &m->set.items[i];
        if (entry->migration->kind == PGC_MIGRATION_VERSIONED)
            pgc_ledger_foreign_up(sql, entry);
    }
    entry->migration = last;
    pgc_ledger_foreign_up(sql, entry);
}

static void put_foreign(const struct pgc__run *run, struct pgc_buf *sql, const struct pgc_plan_step *step) {
    const struct pgc_migrate *m = run->migrate;
    struct pgc_migration lost = { 0 };
    struct pgc_ledger_entry entry = { m->foreign, &m->found.place, step->migration, step->previous,
                                      m->native.tool_version };
    if (entry.migration == NULL) {
        lost = (struct pgc_migration) { .version = step->row->version,
                                        .name = step->row->name,
                                        .file = step->row->file,
                                        .own_checksum = step->row->checksum };
        entry.migration = &lost;
    }
    switch (step->action) {
    case PGC_ACTION_DOWN:
    case PGC_ACTION_RESUME_DOWN:
    case PGC_ACTION_FORGET:
        pgc_ledger_foreign_down(sql, &entry);
        break;
    case PGC_ACTION_BASELINE:
        put_foreign_baseline(m, sql, &entry);
        break;
    case PGC_ACTION_ACCEPT:
        pgc_ledger_foreign_accept(sql, &entry);
        break;
    default:
        pgc_ledger_foreign_up(sql, &entry);
    }
}

static void put_progress_away(const struct pgc__run *run, struct pgc_buf *sql, const struct pgc_migration *m) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
    pgc_ledger_key(&key, m);
    pgc_ledger_sql(sql, &run->migrate->native, "delete from pgc.migrations where key = ");
    pgc_sql_literal(sql, key.data);
    pgc_buf_putc(sql, ';');
}

void pgc__run_put_record(const struct pgc__run *run, struct pgc_buf *sql, const struct pgc_plan_step *step) {
    const struct pgc_ledger_row *row = step->row;
    bool half = row != NULL && (row->state == PGC_LEDGER_APPLYING || row->state == PGC_LEDGER_REVERTING);
    if (run->migrate->foreign != NULL && half && step->migration != NULL)
        put_progress_away(run, sql, step->migration);
    if (run->migrate->foreign != NULL)
        put_foreign(run, sql, step);
    else
        put_own(run, sql, step);
}

void pgc__run_put_finish(const struct pgc__run *run, struct pgc_buf *sql, const struct pgc_plan_step *step) {
    if (run->migrate->foreign == NULL) {
        pgc_ledger_sql_finish(sql, &run->migrate->native, step->migration, pgc__run_is_down(step));
        return;
    }
    put_progress_away(run, sql, step->migration);
    put_foreign(run, sql, step);
}
