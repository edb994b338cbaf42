/* Taking over another tool's ledger. */
#include "migrate/dialect_ledger.h"
#include "migrate/run_internal.h"

static enum pgc_code check(const struct pgc_plan *plan, bool accept, struct pgc_error *err) {
    for (size_t i = 0; i < plan->entry_count; i++) {
        const struct pgc_plan_entry *entry = &plan->entries[i];
        if (entry->state == PGC_STATE_FAILED || entry->state == PGC_STATE_INCOMPLETE)
            return pgc_fail(err, PGC_E_DATA, "'%s' is half applied; put that right with the old tool first",
                            entry->migration != NULL ? entry->migration->path : entry->row->version);
        if (entry->state == PGC_STATE_CHANGED && !accept)
            return pgc_fail(
                err, PGC_E_DATA,
                "'%s' has changed since the old tool applied it; restore it, or take it as it is with --accept",
                entry->migration->path);
    }
    return PGC_OK;
}

/* A row whose file is gone is copied too, without a checksum. */
static void put_entry(struct pgc_buf *sql, const struct pgc_migrate *m, const struct pgc_plan_entry *entry,
                      size_t *rows) {
    struct pgc_migration lost = { 0 };
    switch (entry->state) {
    case PGC_STATE_APPLIED:
    case PGC_STATE_CHANGED:
    case PGC_STATE_OUTDATED:
        pgc_ledger_sql_copy(sql, &m->native, entry->migration, entry->row);
        break;
    case PGC_STATE_BASELINE:
        if (entry->row == NULL)
            return;
        pgc_ledger_sql_up(sql, &m->native, entry->migration, PGC_LEDGER_BASELINE);
        break;
    case PGC_STATE_MISSING:
        lost = (struct pgc_migration) { .kind = entry->row->version == NULL ? PGC_MIGRATION_REPEATABLE
                                                                            : PGC_MIGRATION_VERSIONED,
                                        .version = entry->row->version,
                                        .name = entry->row->name != NULL ? entry->row->name : entry->row->version,
                                        .file = entry->row->file };
        pgc_ledger_sql_copy(sql, &m->native, &lost, entry->row);
        break;
    default:
        return;
    }
    pgc_buf_putc(sql, '\n');
    ++*rows;
}

static enum pgc_code copy_rows(struct pgc_migrate *m, const struct pgc_migrate_lock *lock, bool accept, size_t *done,
                               struct pgc_error *err) {
    static const struct pgc_plan_request request = { .out_of_order = PGC_PLAN_APPLY };
    PGC_CLEANUP(pgc_plan_release) struct pgc_plan plan = PGC_PLAN_INIT;
    PGC_CLEANUP(pgc_ledger_release) struct pgc_ledger own = PGC_LEDGER_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    enum pgc_code code = pgc_ledger_create(m->conn, &m->native, err);
    if (code == PGC_OK)
        code = pgc_ledger_read(m->conn, &m->native, false, &own, err);
    if (code == PGC_OK && own.count > 0)
        return pgc_fail(err, PGC_E_EXISTS, "our ledger in schema '%s' holds %zu rows already", m->native.schema,
                        own.count);
    if (code == PGC_OK)
        code = pgc_migrate_connect(m, true, err);
    if (code == PGC_OK)
        code = pgc_migrate_plan(m, &request, &plan, err);
    if (code == PGC_OK)
        code = check(&plan, accept, err);
    if (code != PGC_OK)
        return code;
    pgc_buf_puts(&sql, "begin;");
    pgc_buf_puts(&sql, pgc_migrate_lock_guard(lock));
    for (size_t i = 0; i < plan.entry_count; i++)
        put_entry(&sql, m, &plan.entries[i], done);
    pgc_buf_puts(&sql, "commit");
    code = pgc_buf_check(&sql, err);
    if (code == PGC_OK)
        code = pgc_conn_exec(m->conn, sql.data, err);
    struct pgc__run run = { .migrate = m };
    if (code != PGC_OK)
        pgc__run_roll_back(&run);
    return code;
}

enum pgc_code pgc_migrate_adopt(struct pgc_migrate *m, bool accept, size_t *done, struct pgc_error *err) {
    struct pgc_migrate_lock_options options = { .connect = &m->options->connect,
                                                .native = &m->native,
                                                .wait_ms = m->options->lock_wait_ms,
                                                .lease_ms = m->options->lease_ms };
    PGC_AUTO(pgc_migrate_lock_free) struct pgc_migrate_lock *lock = NULL;
    *done = 0;
    enum pgc_code code = pgc_migrate_pooled(m->conn, &m->pooled, err);
    options.pooled = m->pooled;
    if (code == PGC_OK && !m->pooled)
        options.foreign_count = pgc_ledger_foreign_keys(m->foreign, &m->found.place, options.foreign_keys);
    if (code == PGC_OK)
        code = pgc_migrate_lock_take(m->conn, &options, m->rt, &lock, err);
    return code != PGC_OK ? code : copy_rows(m, lock, accept, done, err);
}
