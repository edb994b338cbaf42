#include "migrate/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "migrate/dialect_ledger.h"
#include "migrate/run_internal.h"
#include "migrate/version.h"
#include "sql_embedded.h"

void pgc_migrate_init(struct pgc_migrate *migrate, const struct pgc_migrate_options *options,
                      const struct pgc_runtime *rt) {
    *migrate = (struct pgc_migrate) { .options = options, .rt = rt };
    migrate->native = (struct pgc_ledger_native) {
        .schema = options->ledger_schema != NULL ? options->ledger_schema : "pgc",
        .tool_version = "pgc " PGC_VERSION,
        .who = options->who,
    };
}

void pgc_migrate_release(struct pgc_migrate *migrate) {
    pgc_conn_free(migrate->conn);
    pgc_ledger_release(&migrate->ledger);
    pgc_ledger_found_release(&migrate->found);
    pgc_migration_set_release(&migrate->set);
    pgc_folder_release(&migrate->folder);
}

/* --- ledger --------------------------------------------------------------------------------------------------- */

static enum pgc_code read_own(struct pgc_migrate *migrate, bool times, struct pgc_error *err) {
    pgc_ledger_release(&migrate->ledger);
    return pgc_ledger_read(migrate->conn, &migrate->native, times, &migrate->ledger, err);
}

/* Half finished scripts are noted in our ledger, whoever's ledger is in use. */
static enum pgc_code merge_progress(struct pgc_migrate *migrate, struct pgc_ledger *own, struct pgc_error *err) {
    migrate->has_progress = own->exists;
    for (size_t i = 0; i < own->count; i++) {
        struct pgc_ledger_row *from = &own->rows[i];
        if (from->state != PGC_LEDGER_APPLYING && from->state != PGC_LEDGER_REVERTING)
            continue;
        struct pgc_ledger_row *row = pgc_ledger_add(&migrate->ledger);
        if (row == NULL)
            return pgc_fail_nomem(err);
        *row = *from;
        *from = (struct pgc_ledger_row) { 0 };
    }
    return PGC_OK;
}

static enum pgc_code read_foreign(struct pgc_migrate *migrate, struct pgc_ledger *own, struct pgc_error *err) {
    pgc_ledger_release(&migrate->ledger);
    pgc_ledger_found_release(&migrate->found);
    enum pgc_code code =
        pgc_ledger_find(migrate->conn, migrate->foreign, migrate->options->table, &migrate->found, err);
    if (code == PGC_OK)
        code = pgc_ledger_read_foreign(migrate->conn, migrate->foreign, &migrate->found, &migrate->ledger, err);
    return code != PGC_OK ? code : merge_progress(migrate, own, err);
}

static enum pgc_code own_exists(struct pgc_migrate *migrate, bool *exists, struct pgc_error *err) {
    const char *params[] = { migrate->native.schema };
    PGC_AUTO_FREE char *text = NULL;
    enum pgc_code code = pgc_conn_query_text(
        migrate->conn,
        "select 1 from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where "
        "n.nspname = $1 and c.relname = 'migrations'",
        params, 1, &text, err);
    *exists = text != NULL;
    return code;
}

static bool has_rows(const struct pgc_ledger *ledger) {
    for (size_t i = 0; i < ledger->count; i++) {
        if (ledger->rows[i].state == PGC_LEDGER_APPLIED || ledger->rows[i].state == PGC_LEDGER_BASELINE)
            return true;
    }
    return false;
}

/* Options that name what was found: "--format dbmate --dir db/migrations". */
static void put_foreign_options(struct pgc_buf *out, const struct pgc_migrate *migrate,
                                const struct pgc_dialect *dialect, const struct pgc_ledger_found *found) {
    pgc_buf_putf(out, "--format %s", dialect->name);
    for (size_t i = 0; i < migrate->options->dirs->count; i++)
        pgc_buf_putf(out, " --dir %s", migrate->options->dirs->items[i]);
    const char *schema = dialect->ledger->schema != NULL ? dialect->ledger->schema : "public";
    if (strcmp(schema, found->schema) != 0)
        pgc_buf_putf(out, " --table %s.%s", found->schema, found->table);
}

/* A database that another tool has migrated is not begun anew by mistake. */
static enum pgc_code refuse_foreign(struct pgc_migrate *migrate, struct pgc_error *err) {
    PGC_CLEANUP(pgc_ledger_found_release) struct pgc_ledger_found found = PGC_LEDGER_FOUND_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf options = PGC_BUF_INIT;
    const struct pgc_dialect *dialect;
    if (migrate->options->ignore_foreign)
        return PGC_OK;
    enum pgc_code code = pgc_ledger_look_for_foreign(migrate->conn, &found, &dialect, err);
    if (code != PGC_OK || dialect == NULL)
        return code;
    put_foreign_options(&options, migrate, dialect, &found);
    code = pgc_buf_check(&options, err);
    if (code != PGC_OK)
        return code;
    return pgc_fail(
        err, PGC_E_CONFIG,
        "this database has been migrated by %s (%s.%s) and has no ledger of %s; take it over with 'pgc migrate "
        "adopt %s', or say --ignore-foreign-ledger",
        dialect->name, found.schema, found.table, migrate->foreign != NULL ? migrate->dialect->name : "pgc",
        options.data);
}

/* Which ledger counts: ours once it holds anything, else the format's own. */
static enum pgc_code choose_ledger(struct pgc_migrate *migrate, bool times, struct pgc_error *err) {
    struct pgc_ledger own = PGC_LEDGER_INIT;
    bool exists = false;
    enum pgc_code code = own_exists(migrate, &exists, err);
    if (code == PGC_OK && exists)
        code = pgc_ledger_read(migrate->conn, &migrate->native, times, &own, err);
    bool foreign = migrate->options->ledger == PGC_MIGRATE_LEDGER_FOREIGN || !has_rows(&own);
    migrate->foreign = foreign ? migrate->dialect->ledger : NULL;
    if (code == PGC_OK && foreign) {
        code = read_foreign(migrate, &own, err);
        if (code == PGC_OK && !pgc_ledger_counts(&migrate->ledger))
            code = refuse_foreign(migrate, err);
    } else if (code == PGC_OK) {
        pgc_ledger_release(&migrate->ledger);
        migrate->ledger = own;
        return PGC_OK;
    }
    pgc_ledger_release(&own);
    return code;
}

enum pgc_code pgc_migrate_connect(struct pgc_migrate *migrate, bool times, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    if (migrate->conn == NULL)
        code = pgc_conn_open(&migrate->options->connect, migrate->rt, &migrate->conn, err);
    if (code == PGC_OK && migrate->set.wants_server)
        code = pgc__migrate_ask_server(migrate, err);
    if (code != PGC_OK)
        return code;
    if (migrate->dialect != NULL && migrate->dialect->ledger != NULL &&
        migrate->options->ledger != PGC_MIGRATE_LEDGER_OWN)
        return choose_ledger(migrate, times, err);
    code = read_own(migrate, times, err);
    return code == PGC_OK && migrate->ledger.count == 0 ? refuse_foreign(migrate, err) : code;
}

enum pgc_code pgc_migrate_plan(const struct pgc_migrate *migrate, const struct pgc_plan_request *request,
                               struct pgc_plan *plan, struct pgc_error *err) {
    return pgc_plan_make(plan, &migrate->set, &migrate->ledger, migrate->foreign, request, err);
}

const struct pgc_migration_script *pgc_plan_step_script(const struct pgc_plan_step *step) {
    switch (step->action) {
    case PGC_ACTION_UP:
    case PGC_ACTION_RERUN:
    case PGC_ACTION_RESUME:
        return &step->migration->up;
    case PGC_ACTION_DOWN:
    case PGC_ACTION_RESUME_DOWN:
        return &step->migration->down;
    default:
        return NULL;
    }
}

/* --- apply ------------------------------------------------------------------------------------------------------ */

enum pgc_code pgc__run_ledger_only(struct pgc__run *run, size_t index, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    pgc_buf_puts(&sql, "begin;");
    pgc_buf_puts(&sql, pgc_migrate_lock_guard(run->lock));
    const struct pgc_plan_step *step = &run->plan->steps[index];
    enum pgc_code code = PGC_OK;
    if (step->action == PGC_ACTION_RETRY || step->action == PGC_ACTION_SKIP)
        code = pgc__outcome_settle(run, step, &sql, err);
    else
        pgc__run_put_record(run, &sql, step);
    pgc_buf_puts(&sql, "commit");
    if (code == PGC_OK)
        code = pgc__run_exec(run, &sql, err);
    if (code != PGC_OK)
        pgc__run_roll_back(run);
    return code;
}

static enum pgc_code change_session(struct pgc__run *run, bool prepared,
                                    void (*put)(struct pgc__run *, struct pgc_buf *), struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    pgc__run_put_reset(run, &sql, prepared);
    put(run, &sql);
    return pgc__run_exec(run, &sql, err);
}

/* Without a transaction around the script its hooks have their own. before_each runs again when a script is resumed: what it
 * sets belongs to the session that is gone. */
static enum pgc_code run_outside(struct pgc__run *run, size_t index, struct pgc_error *err) {
    bool prepared = pgc__run_prepares(pgc_plan_step_script(&run->plan->steps[index]));
    enum pgc_code code = change_session(run, false, pgc__run_put_outside_session, err);
    if (code == PGC_OK)
        code = pgc__run_hooks(run, PGC_HOOK_BEFORE_EACH, err);
    if (code == PGC_OK)
        code = run->shapes[index].mode == PGC_SHAPE_PSQL ? pgc__run_psql(run, index, err)
                                                         : pgc__run_statements(run, index, err);
    if (code == PGC_OK)
        code = pgc__run_hooks(run, PGC_HOOK_AFTER_EACH, err);
    return code != PGC_OK ? code : change_session(run, prepared, pgc__run_put_session, err);
}

static enum pgc_code run_step(struct pgc__run *run, size_t index, struct pgc_error *err) {
    size_t failed;
    if (pgc_plan_step_script(&run->plan->steps[index]) == NULL)
        return pgc__run_ledger_only(run, index, err);
    if (run->shapes[index].outside)
        return run_outside(run, index, err);
    return run->shapes[index].mode == PGC_SHAPE_PSQL ? pgc__run_psql(run, index, err)
                                                     : pgc__run_transaction(run, index, 1, &failed, err);
}

/* Tries as many of the following steps as fit into one message; 0: the next one has to go alone. */
static size_t try_batch(struct pgc__run *run, size_t from, struct pgc_error *err) {
    size_t count = 0, failed;
    while (from + count < run->plan->step_count && (int64_t)count < run->migrate->options->batch &&
           pgc_plan_step_script(&run->plan->steps[from + count]) != NULL &&
           run->shapes[from + count].mode == PGC_SHAPE_TRANSACTION)
        count++;
    if (count < 2)
        return 0;
    int64_t start = pgc_mono_ms(run->migrate->rt);
    if (pgc__run_transaction(run, from, count, &failed, err) != PGC_OK)
        return 0;
    int64_t each = (pgc_mono_ms(run->migrate->rt) - start) / (int64_t)count;
    for (size_t i = 0; i < count; i++)
        pgc__run_tell(run, PGC_MIGRATE_DONE, &run->plan->steps[from + i], each, NULL);
    return count;
}

static enum pgc_code run_steps(struct pgc__run *run, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    bool versioned = true;
    size_t alone_until = 0;
    for (size_t i = 0; code == PGC_OK && i < run->plan->step_count;) {
        const struct pgc_plan_step *step = &run->plan->steps[i];
        if (versioned && step->migration != NULL && step->migration->version == NULL) {
            versioned = false;
            code = pgc__run_hooks(run, PGC_HOOK_AFTER_VERSIONED, err);
        }
        if (code == PGC_OK)
            code = pgc_check_cancelled(run->migrate->rt, err);
        if (code != PGC_OK)
            break;
        size_t batch = run->migrate->options->batch > 1 && i >= alone_until ? try_batch(run, i, err) : 0;
        if (batch > 0) {
            i += batch;
            *run->done += batch;
            continue;
        }
        /* A batch that failed is gone through one by one: what comes before the broken one is applied, as without. */
        if (run->migrate->options->batch > 1 && i >= alone_until)
            alone_until = i + (size_t)run->migrate->options->batch;
        int64_t start = pgc_mono_ms(run->migrate->rt);
        pgc__run_tell(run, PGC_MIGRATE_BEGIN, step, 0, NULL);
        code = run_step(run, i, err);
        pgc__run_tell(run, code == PGC_OK ? PGC_MIGRATE_DONE : PGC_MIGRATE_FAILED, step,
                      pgc_mono_ms(run->migrate->rt) - start, code == PGC_OK ? NULL : err->message);
        *run->done += code == PGC_OK;
        i++;
    }
    return code;
}

static enum pgc_code read_shapes(struct pgc__run *run, struct pgc_error *err) {
    run->shapes = calloc(run->plan->step_count + 1, sizeof *run->shapes);
    enum pgc_code code = run->shapes == NULL ? pgc_fail_nomem(err) : PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < run->plan->step_count; i++) {
        const struct pgc_migration_script *script = pgc_plan_step_script(&run->plan->steps[i]);
        if (script != NULL && script->text != NULL)
            code = pgc_shape_read(&run->shapes[i], script, err);
        /* What began outside a transaction ends so, whatever the file says now. */
        if (code != PGC_OK || !pgc__run_resumes(&run->plan->steps[i]))
            continue;
        run->shapes[i].outside = true;
        if (run->shapes[i].mode == PGC_SHAPE_TRANSACTION)
            run->shapes[i].mode = PGC_SHAPE_STATEMENTS;
        code = pgc__outcome_check(&run->plan->steps[i], &run->shapes[i], err);
    }
    return code;
}

/* Both ledgers where both are needed: ours also keeps the progress of scripts outside a transaction. */
static enum pgc_code create_ledgers(struct pgc__run *run, struct pgc_error *err) {
    struct pgc_migrate *m = run->migrate;
    enum pgc_code code = PGC_OK;
    bool progress = false;
    for (size_t i = 0; i < run->plan->step_count; i++)
        progress |= run->shapes[i].outside;
    if (m->foreign == NULL ? !m->ledger.exists : progress && !m->has_progress)
        code = pgc_ledger_create(m->conn, &m->native, err);
    if (code != PGC_OK || m->foreign == NULL)
        return code;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    pgc_buf_puts(&sql, "set client_min_messages = warning;");
    size_t before = sql.len;
    if (m->found.exists)
        pgc_ledger_foreign_upgrade(&sql, m->foreign, &m->found.place);
    else
        pgc_ledger_foreign_create(&sql, m->foreign, &m->found.place, &m->set);
    if (sql.len == before)
        return code;
    pgc_buf_puts(&sql, "reset client_min_messages");
    code = pgc_buf_check(&sql, err);
    if (code == PGC_OK)
        code = pgc_conn_exec(m->conn, sql.data, err);
    if (code != PGC_OK)
        return pgc_wrap(err, "cannot create the ledger %s", m->found.qualified);
    pgc_ledger_found_release(&m->found);
    return pgc_ledger_find(m->conn, m->foreign, m->options->table, &m->found, err);
}

static bool runs_scripts(const struct pgc_plan *plan) {
    for (size_t i = 0; i < plan->step_count; i++) {
        if (pgc_plan_step_script(&plan->steps[i]) != NULL)
            return true;
    }
    return false;
}

static enum pgc_code run_locked(struct pgc__run *run, const struct pgc_plan_request *request, struct pgc_error *err) {
    struct pgc_migrate *m = run->migrate;
    enum pgc_code code = pgc_migrate_connect(m, false, err);
    pgc_plan_release(run->plan);
    if (code == PGC_OK)
        code = pgc_migrate_plan(m, request, run->plan, err);
    if (code == PGC_OK)
        code = pgc_plan_check(run->plan, err);
    if (code != PGC_OK || run->plan->step_count == 0)
        return code;
    bool hooks = runs_scripts(run->plan);
    code = read_shapes(run, err);
    if (code == PGC_OK)
        code = create_ledgers(run, err);
    if (code == PGC_OK && hooks)
        code = change_session(run, false, pgc__run_put_session, err);
    if (code == PGC_OK && hooks)
        code = pgc__run_hooks(run, PGC_HOOK_BEFORE_ALL, err);
    if (code == PGC_OK)
        code = run_steps(run, err);
    if (code == PGC_OK && hooks)
        return pgc__run_hooks(run, PGC_HOOK_AFTER_ALL, err);
    if (code != PGC_OK && code != PGC_E_CANCELLED && hooks && !pgc_conn_is_broken(m->conn)) {
        struct pgc_error second;
        if (pgc__run_hooks(run, PGC_HOOK_AFTER_ERROR, &second) != PGC_OK)
            pgc__run_tell(run, PGC_MIGRATE_NOTICE, NULL, 0, second.message);
    }
    return code;
}

static enum pgc_code take_lock(struct pgc_migrate *m, struct pgc_migrate_lock_options *options,
                               struct pgc_migrate_lock **out, struct pgc_error *err) {
    *options = (struct pgc_migrate_lock_options) { .connect = &m->options->connect,
                                                   .native = &m->native,
                                                   .wait_ms = m->options->lock_wait_ms,
                                                   .lease_ms = m->options->lease_ms };
    enum pgc_code code = pgc_migrate_pooled(m->conn, &m->pooled, err);
    options->pooled = m->pooled;
    if (m->foreign != NULL && !options->pooled)
        options->foreign_count = pgc_ledger_foreign_keys(m->foreign, &m->found.place, options->foreign_keys);
    return code != PGC_OK ? code : pgc_migrate_lock_take(m->conn, options, m->rt, out, err);
}

enum pgc_code pgc_migrate_apply(struct pgc_migrate *migrate, const struct pgc_plan_request *request,
                                struct pgc_plan *plan, size_t *done, struct pgc_error *err) {
    struct pgc__run run = { .migrate = migrate, .plan = plan, .done = done };
    struct pgc_migrate_lock_options options;
    *done = 0;
    enum pgc_code code = take_lock(migrate, &options, &run.lock, err);
    if (code != PGC_OK)
        return code;
    pgc__run_watch(&run);
    code = run_locked(&run, request, err);
    pgc__run_watch_end(&run);
    for (size_t i = 0; run.shapes != NULL && i < plan->step_count; i++)
        pgc_shape_release(&run.shapes[i]);
    free(run.shapes);
    pgc_migrate_lock_free(run.lock);
    return code;
}

/* --- invalid indexes ---------------------------------------------------------------------------------------------- */

void pgc_migrate_invalid_release(struct pgc_migrate_invalid *invalid) {
    pgc_strings_release(&invalid->indexes);
    pgc_strings_release(&invalid->copies);
}

enum pgc_code pgc_migrate_find_invalid(struct pgc_conn *conn, struct pgc_migrate_invalid *out, struct pgc_error *err) {
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc_conn_query(conn, pgc_sql_migrate_find_invalid, NULL, 0, &rows, err);
    for (size_t i = 0; code == PGC_OK && i < pgc_rows_count(rows); i++)
        code =
            pgc_strings_add(pgc_rows_bool(rows, i, 1) ? &out->copies : &out->indexes, pgc_rows_text(rows, i, 0), err);
    return code;
}

enum pgc_code pgc_migrate_mend_invalid(struct pgc_migrate *migrate, bool rebuild, struct pgc_migrate_invalid *out,
                                       struct pgc_error *err) {
    PGC_AUTO(pgc_migrate_lock_free) struct pgc_migrate_lock *lock = NULL;
    struct pgc_migrate_lock_options options;
    enum pgc_code code = take_lock(migrate, &options, &lock, err);
    if (code == PGC_OK)
        code = pgc_migrate_find_invalid(migrate->conn, out, err);
    for (size_t i = 0; code == PGC_OK && i < out->copies.count; i++)
        code = pgc_conn_execf(migrate->conn, err, "drop index concurrently if exists %s", out->copies.items[i]);
    for (size_t i = 0; code == PGC_OK && i < out->indexes.count; i++)
        code = pgc_conn_execf(migrate->conn, err,
                              rebuild ? "reindex index concurrently %s" : "drop index concurrently if exists %s",
                              out->indexes.items[i]);
    return code;
}
