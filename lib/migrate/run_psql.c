/* Through the script engine: steps written for psql (its commands, COPY data), and hooks outside of steps. */
#include <stdlib.h>
#include <string.h>

#include "migrate/run_internal.h"
#include "script/runner.h"

static enum pgc_code run_script(struct pgc__run *run, const struct pgc_migration_script *script,
                                struct pgc_error *err) {
    struct pgc_script_options options = { .conn = run->migrate->conn, .on_error_stop = true, .quiet = true };
    PGC_AUTO(pgc_script_free) struct pgc_script *engine = NULL;
    enum pgc_code code = pgc_script_open(&options, run->migrate->rt, &engine, err);
    return code != PGC_OK ? code : pgc_script_run_text(engine, script->text, script->len, script->path, err);
}

static enum pgc_code run_hooks_here(struct pgc__run *run, enum pgc_hook_when when, struct pgc_error *err) {
    const struct pgc_migration_set *set = &run->migrate->set;
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < set->hook_count; i++) {
        if (set->hooks[i].when == when)
            code = run_script(run, &set->hooks[i].script, err);
    }
    return code;
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

static enum pgc_code transaction_id(struct pgc__run *run, char **id, struct pgc_error *err) {
    return pgc_conn_query_text(run->migrate->conn, "select pg_catalog.txid_current()", NULL, 0, id, err);
}

static enum pgc_code run_between(struct pgc__run *run, const struct pgc_plan_step *step, struct pgc_error *err) {
    PGC_AUTO_FREE char *before = NULL;
    PGC_AUTO_FREE char *after = NULL;
    enum pgc_code code = transaction_id(run, &before, err);
    if (code == PGC_OK)
        code = run_hooks_here(run, PGC_HOOK_BEFORE_EACH, err);
    if (code == PGC_OK)
        code = run_script(run, pgc_plan_step_script(step), err);
    if (code == PGC_OK)
        code = run_hooks_here(run, PGC_HOOK_AFTER_EACH, err);
    bool open = pgc_conn_tx_status(run->migrate->conn) == 'T';
    if (code == PGC_OK && open)
        code = transaction_id(run, &after, err);
    /* An included file may have ended it and begun another one. */
    if (code == PGC_OK && (!open || strcmp(before, after) != 0))
        return pgc_fail(err, PGC_E_DATA,
                        "%s: the script ended the transaction that was opened for it; what it committed stays. Mark "
                        "the file as one that runs outside a transaction",
                        step->migration->path);
    return code;
}

static enum pgc_code psql_in_transaction(struct pgc__run *run, size_t index, struct pgc_error *err) {
    const struct pgc_plan_step *step = &run->plan->steps[index];
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf before = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf after = PGC_BUF_INIT;
    pgc_buf_puts(&before, "begin;");
    pgc_buf_puts(&before, pgc_migrate_lock_guard(run->lock));
    pgc__run_put_limits(run, &before, true, true);
    pgc_buf_puts(&after, "reset session authorization;reset role;");
    pgc__run_put_record(run, &after, step);
    pgc_buf_puts(&after, pgc_migrate_lock_keep(run->lock));
    pgc_buf_puts(&after, "commit;");
    pgc__run_put_reset(run, &after, pgc__run_prepares(pgc_plan_step_script(step)));
    pgc__run_put_session(run, &after);
    enum pgc_code code = pgc_buf_check(&after, err);
    if (code == PGC_OK)
        code = pgc__run_exec(run, &before, err);
    if (code == PGC_OK)
        code = run_between(run, step, err);
    return code != PGC_OK ? code : pgc__run_exec(run, &after, err);
}

static enum pgc_code announce(struct pgc__run *run, const struct pgc_plan_step *step, struct pgc_error *err) {
    const struct pgc_ledger_native *native = &run->migrate->native;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    struct pgc_ledger_progress from = { 0, false };
    pgc_buf_puts(&sql, "begin;" PGC__RUN_AS_US);
    pgc_buf_puts(&sql, pgc_migrate_lock_guard(run->lock));
    if (pgc__run_resumes(step)) {
        from = (struct pgc_ledger_progress) { step->row->done, step->row->in_flight };
    } else {
        if (step->action == PGC_ACTION_RERUN) {
            PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
            pgc_ledger_key(&key, step->migration);
            pgc_ledger_sql_remove(&sql, native, key.data, "rerun");
        }
        pgc_ledger_sql_begin(&sql, native, step->migration, pgc__run_is_down(step));
    }
    pgc_ledger_sql_progress(&sql, native, step->migration, from, (struct pgc_ledger_progress) { 0, true }, "");
    pgc_buf_puts(&sql, "commit");
    return pgc__run_exec(run, &sql, err);
}

static void note_error(struct pgc__run *run, const struct pgc_plan_step *step, const struct pgc_error *why) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    struct pgc_error ignored;
    pgc__run_roll_back(run);
    if (pgc_conn_is_broken(run->migrate->conn))
        return;
    pgc_buf_puts(&sql, PGC__RUN_RESET);
    pgc_ledger_sql_error(&sql, &run->migrate->native, step->migration, why->message, false);
    pgc_conn_shield(run->migrate->conn, true);
    enum pgc_code told = pgc__run_exec(run, &sql, &ignored);
    pgc_conn_shield(run->migrate->conn, false);
    (void)told; /* the row still says that it began */
}

/* The script decides over transactions by itself: all that can be said is that it began, and that it is finished. */
static enum pgc_code psql_outside(struct pgc__run *run, size_t index, struct pgc_error *err) {
    const struct pgc_plan_step *step = &run->plan->steps[index];
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    enum pgc_code code = announce(run, step, err);
    if (code != PGC_OK)
        return code;
    code = run_script(run, pgc_plan_step_script(step), err);
    if (code == PGC_OK && pgc_conn_tx_status(run->migrate->conn) != 'I')
        code = pgc_fail(err, PGC_E_DATA, "%s: the script left a transaction open", step->migration->path);
    if (code != PGC_OK) {
        note_error(run, step, err);
        return code;
    }
    pgc_buf_puts(&sql, "begin;" PGC__RUN_AS_US);
    pgc_buf_puts(&sql, pgc_migrate_lock_guard(run->lock));
    pgc__run_put_finish(run, &sql, step);
    pgc_buf_puts(&sql, pgc_migrate_lock_keep(run->lock));
    pgc_buf_puts(&sql, "commit");
    return pgc__run_exec(run, &sql, err);
}

enum pgc_code pgc__run_psql(struct pgc__run *run, size_t index, struct pgc_error *err) {
    if (run->shapes[index].outside)
        return psql_outside(run, index, err);
    for (int64_t tries = 0;;) {
        enum pgc_code code = psql_in_transaction(run, index, err);
        if (code == PGC_OK)
            return code;
        pgc__run_roll_back(run);
        if (!pgc__run_try_again(run, &run->plan->steps[index], &tries, err))
            return code;
        code = pgc_check_cancelled(run->migrate->rt, err);
        if (code != PGC_OK)
            return code;
    }
}

/* --- hooks -------------------------------------------------------------------------------------------------------- */

static enum pgc_code run_hook(struct pgc__run *run, const struct pgc_migration_hook *hook, struct pgc_error *err) {
    PGC_CLEANUP(pgc_shape_release) struct pgc_shape shape = PGC_SHAPE_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf before = PGC_BUF_INIT, after = PGC_BUF_INIT;
    enum pgc_code code = pgc_shape_read(&shape, &hook->script, err);
    pgc_buf_puts(&before, "begin;");
    pgc_buf_puts(&before, pgc_migrate_lock_guard(run->lock));
    pgc__run_put_limits(run, &before, true, true);
    if (shape.outside)
        pgc_buf_puts(&after, "begin;");
    pgc_buf_puts(&after, PGC__RUN_AS_US);
    pgc_buf_puts(&after, pgc_migrate_lock_guard(run->lock));
    pgc_buf_puts(&after, pgc_migrate_lock_keep(run->lock));
    pgc_buf_puts(&after, "commit;");
    if (hook->when != PGC_HOOK_BEFORE_EACH) {
        pgc__run_put_reset(run, &after, pgc__run_prepares(&hook->script));
        pgc__run_put_session(run, &after);
    }
    if (code == PGC_OK && !shape.outside)
        code = pgc__run_exec(run, &before, err);
    if (code == PGC_OK)
        code = run_script(run, &hook->script, err);
    if (code == PGC_OK)
        code = pgc__run_exec(run, &after, err);
    if (code != PGC_OK)
        pgc__run_roll_back(run);
    return code;
}

enum pgc_code pgc__run_hooks(struct pgc__run *run, enum pgc_hook_when when, struct pgc_error *err) {
    const struct pgc_migration_set *set = &run->migrate->set;
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < set->hook_count; i++) {
        if (set->hooks[i].when == when)
            code = run_hook(run, &set->hooks[i], err);
    }
    return code;
}
