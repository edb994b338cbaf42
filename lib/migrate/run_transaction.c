/* Steps in a transaction: one message to the server holds begin, script, ledger and commit. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "migrate/run_internal.h"
#include "script/runner.h"

/* A script inside the message. */
struct segment {
    const struct pgc_migration_script *script;
    const struct pgc_shape *shape;
    size_t step;
    size_t start, end; /* bytes of the message */
    size_t first;      /* statements of the message before it */
};

struct message {
    struct pgc_buf sql;
    size_t statements;
    struct segment *segments;
    size_t count, cap;
    struct pgc_shape *hook_shapes;
};

static void message_release(struct message *message) {
    pgc_buf_release(&message->sql);
    free(message->segments);
}

static void put(struct message *message, const char *sql, size_t statements) {
    pgc_buf_puts(&message->sql, sql);
    message->statements += statements;
}

static size_t count_semicolons(const char *text) {
    size_t n = 0;
    for (bool quoted = false; *text != '\0'; text++) {
        quoted ^= *text == '\'';
        n += *text == ';' && !quoted;
    }
    return n;
}

static enum pgc_code put_script(struct message *message, const struct pgc_migration_script *script,
                                const struct pgc_shape *shape, size_t step, struct pgc_error *err) {
    if (script->text == NULL)
        return PGC_OK;
    if (!pgc_array_grow(&message->segments, &message->cap, message->count + 1, sizeof *message->segments))
        return pgc_fail_nomem(err);
    size_t start = message->sql.len;
    pgc_buf_put(&message->sql, script->text, script->len);
    message->segments[message->count++] =
        (struct segment) { script, shape, step, start, message->sql.len, message->statements };
    message->statements += shape == NULL ? 0 : shape->count;
    /* A comment without a newline at the end must not swallow what follows. */
    pgc_buf_puts(&message->sql, "\n;");
    return PGC_OK;
}

static enum pgc_code put_hooks(struct message *message, const struct pgc_migration_set *set, enum pgc_hook_when when,
                               size_t step, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < set->hook_count; i++) {
        if (set->hooks[i].when != when)
            continue;
        PGC_CLEANUP(pgc_shape_release) struct pgc_shape shape = PGC_SHAPE_INIT;
        code = pgc_shape_read(&shape, &set->hooks[i].script, err);
        if (code == PGC_OK)
            code = put_script(message, &set->hooks[i].script, NULL, step, err);
        message->statements += shape.count;
    }
    return code;
}

static bool mentions_role(const struct pgc_migration_script *script) {
    return script->text != NULL &&
           (strcasestr(script->text, "role") != NULL || strcasestr(script->text, "authorization") != NULL);
}

static enum pgc_code put_step(struct pgc__run *run, struct message *message, size_t index, struct pgc_error *err) {
    const struct pgc_plan_step *step = &run->plan->steps[index];
    const struct pgc_migration_set *set = &run->migrate->set;
    const struct pgc_migration_script *script = pgc_plan_step_script(step);
    enum pgc_code code = put_hooks(message, set, PGC_HOOK_BEFORE_EACH, index, err);
    if (code == PGC_OK)
        code = put_script(message, script, &run->shapes[index], index, err);
    if (code == PGC_OK)
        code = put_hooks(message, set, PGC_HOOK_AFTER_EACH, index, err);
    if (mentions_role(script))
        put(message, "reset session authorization;reset role;", 2);
    size_t before = message->sql.len;
    pgc__run_put_record(run, &message->sql, step);
    message->statements += count_semicolons(message->sql.data + before);
    return code;
}

/* What the session needs once: limits for the statements, the ledger's insert (not behind a pooler, where the session
 * may be another one each time). Part of the message, so it costs no round trip. */
static void put_session(struct pgc__run *run, struct message *message) {
    if (run->migrate->pooled) {
        message->statements += pgc__run_put_limits(run, &message->sql, true);
        return;
    }
    if (!run->limits_set) {
        message->statements += pgc__run_put_session_limits(run, &message->sql);
        message->statements += pgc__run_put_check(run, &message->sql);
    }
    if (!run->prepared && run->migrate->foreign == NULL) {
        put(message, "deallocate all;", 1);
        pgc_ledger_sql_prepare(&message->sql, &run->migrate->native);
        message->statements++;
        run->prepared = true;
    }
    run->limits_set = true;
}

static bool spoils(const struct pgc__run *run, size_t index) {
    return run->shapes[index].settings || run->migrate->set.hook_count > 0;
}

static void forget_session(struct pgc__run *run) {
    run->limits_set = run->prepared = false;
}

static enum pgc_code build(struct pgc__run *run, struct message *message, size_t from, size_t count,
                           struct pgc_error *err) {
    const char *fence = pgc_migrate_lock_fence(run->lock);
    enum pgc_code code = PGC_OK;
    bool spoilt = false;
    put(message, "begin;", 1);
    put(message, fence, fence[0] != '\0');
    for (size_t i = 0; code == PGC_OK && i < count; i++) {
        if (i > 0 && spoils(run, from + i - 1)) {
            put(message, PGC__RUN_RESET, 3);
            forget_session(run);
        }
        put_session(run, message);
        code = put_step(run, message, from + i, err);
        spoilt |= spoils(run, from + i);
    }
    put(message, "commit;", 1);
    if (spoilt || run->migrate->pooled)
        put(message, PGC__RUN_RESET PGC__RUN_CLEAN, 5);
    if (spoilt)
        forget_session(run);
    return code != PGC_OK ? code : pgc_buf_check(&message->sql, err);
}

/* --- where it broke -------------------------------------------------------------------------------------------- */

static size_t byte_of_character(const char *text, size_t len, size_t character) {
    size_t at = 0;
    for (size_t n = 1; at < len && n < character; n++) {
        at++;
        while (at < len && ((unsigned char)text[at] & 0xC0) == 0x80)
            at++;
    }
    return at;
}

static size_t skip_blank(const char *text, size_t at, size_t end) {
    while (at < end && isspace((unsigned char)text[at]))
        at++;
    return at;
}

/* Puts "file:line:column" in front of the message: where the server points, else where the statement begins. */
static void place_fault(const struct pgc__run *run, const struct message *message, size_t *failed,
                        struct pgc_error *err) {
    size_t finished, position, line, column;
    pgc_conn_last_fault(run->migrate->conn, &finished, &position);
    size_t at = position == 0 ? 0 : byte_of_character(message->sql.data, message->sql.len, position);
    for (size_t i = 0; i < message->count; i++) {
        const struct segment *s = &message->segments[i];
        bool pointed = position > 0 && at >= s->start && at < s->end;
        bool counted =
            position == 0 && s->shape != NULL && finished >= s->first && finished < s->first + s->shape->count;
        if (!pointed && !counted)
            continue;
        size_t offset =
            pointed ? at - s->start
                    : skip_blank(s->script->text, s->shape->statements[finished - s->first].offset, s->script->len);
        *failed = s->step;
        pgc_migration_position(s->script, offset, &line, &column);
        (void)!pgc_wrap(err, "%s:%zu:%zu", s->script->path, line, column);
        return;
    }
    for (size_t i = 0; i < message->count && message->segments[i].first <= finished; i++)
        *failed = message->segments[i].step;
    const struct pgc_plan_step *step = &run->plan->steps[*failed];
    (void)!pgc_wrap(err, "%s", step->migration->path);
}

enum pgc_code pgc__run_transaction(struct pgc__run *run, size_t from, size_t count, size_t *failed,
                                   struct pgc_error *err) {
    PGC_CLEANUP(message_release) struct message message = { .sql = PGC_BUF_INIT };
    *failed = from;
    bool prepared = run->prepared, limits_set = run->limits_set;
    enum pgc_code code = build(run, &message, from, count, err);
    if (code != PGC_OK)
        return code;
    for (int64_t tries = 0;;) {
        code = pgc_conn_exec(run->migrate->conn, message.sql.data, err);
        if (code == PGC_OK)
            return code;
        /* Rolled back with everything that the message set and prepared. */
        run->prepared = prepared;
        run->limits_set = limits_set;
        if (code != PGC_E_CANCELLED)
            place_fault(run, &message, failed, err);
        pgc__run_roll_back(run);
        if (!pgc__run_try_again(run, &run->plan->steps[*failed], &tries, err))
            return code;
        code = pgc_check_cancelled(run->migrate->rt, err);
        if (code != PGC_OK)
            return code;
    }
}

/* --- through the script engine --------------------------------------------------------------------------------- */

static enum pgc_code run_script(struct pgc__run *run, const struct pgc_migration_script *script,
                                struct pgc_error *err) {
    struct pgc_script_options options = { .conn = run->migrate->conn, .on_error_stop = true, .quiet = true };
    PGC_AUTO(pgc_script_free) struct pgc_script *engine = NULL;
    enum pgc_code code = pgc_script_open(&options, run->migrate->rt, &engine, err);
    return code != PGC_OK ? code : pgc_script_run_text(engine, script->text, script->len, script->path, err);
}

static enum pgc_code psql_in_transaction(struct pgc__run *run, size_t index, struct pgc_error *err) {
    const struct pgc_plan_step *step = &run->plan->steps[index];
    struct pgc_conn *conn = run->migrate->conn;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf before = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf after = PGC_BUF_INIT;
    forget_session(run);
    pgc_buf_puts(&before, PGC__RUN_RESET "begin;");
    pgc_buf_puts(&before, pgc_migrate_lock_fence(run->lock));
    pgc__run_put_limits(run, &before, true);
    pgc_buf_puts(&after, "reset session authorization;reset role;");
    pgc__run_put_record(run, &after, step);
    pgc_buf_puts(&after, "commit;" PGC__RUN_RESET PGC__RUN_CLEAN);
    enum pgc_code code = pgc_buf_check(&before, err);
    if (code == PGC_OK)
        code = pgc_buf_check(&after, err);
    if (code == PGC_OK)
        code = pgc_conn_exec(conn, before.data, err);
    if (code == PGC_OK)
        code = pgc__run_hooks(run, PGC_HOOK_BEFORE_EACH, err);
    if (code == PGC_OK)
        code = run_script(run, pgc_plan_step_script(step), err);
    if (code == PGC_OK)
        code = pgc__run_hooks(run, PGC_HOOK_AFTER_EACH, err);
    if (code == PGC_OK && pgc_conn_tx_status(conn) != 'T')
        return pgc_fail(err, PGC_E_DATA, "%s: the script ended the transaction that was opened for it",
                        step->migration->path);
    if (code == PGC_OK)
        code = pgc_conn_exec(conn, after.data, err);
    return code;
}

/* The script decides over transactions by itself: all that can be said is that it began, and that it is finished. */
static enum pgc_code psql_outside(struct pgc__run *run, size_t index, struct pgc_error *err) {
    const struct pgc_plan_step *step = &run->plan->steps[index];
    const struct pgc_migration *m = step->migration;
    const struct pgc_ledger_native *native = &run->migrate->native;
    struct pgc_conn *conn = run->migrate->conn;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    bool resumes = step->action == PGC_ACTION_RESUME || step->action == PGC_ACTION_RESUME_DOWN;
    forget_session(run);
    pgc_buf_puts(&sql, PGC__RUN_RESET);
    if (!resumes && step->action == PGC_ACTION_RERUN) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
        pgc_ledger_key(&key, m);
        pgc_ledger_sql_remove(&sql, native, key.data, "rerun");
    }
    if (!resumes)
        pgc_ledger_sql_begin(&sql, native, m, pgc__run_is_down(step));
    pgc_ledger_sql_progress(&sql, native, m, 0, "", true);
    enum pgc_code code = pgc_buf_check(&sql, err);
    if (code == PGC_OK)
        code = pgc_conn_exec(conn, sql.data, err);
    if (code == PGC_OK)
        code = run_script(run, pgc_plan_step_script(step), err);
    if (code == PGC_OK && pgc_conn_tx_status(conn) != 'I')
        code = pgc_fail(err, PGC_E_DATA, "%s: the script left a transaction open", m->path);
    pgc_buf_clear(&sql);
    if (code == PGC_OK) {
        pgc_buf_puts(&sql, PGC__RUN_RESET);
        pgc__run_put_finish(run, &sql, step);
        return pgc_conn_exec(conn, sql.data, err);
    }
    struct pgc_error ignored;
    pgc__run_roll_back(run);
    pgc_buf_puts(&sql, PGC__RUN_RESET);
    pgc_ledger_sql_error(&sql, native, m, err->message);
    pgc_conn_shield(conn, true);
    enum pgc_code told = pgc_conn_exec(conn, sql.data, &ignored);
    pgc_conn_shield(conn, false);
    (void)told; /* the row still says that it began */
    return code;
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

enum pgc_code pgc__run_hooks(struct pgc__run *run, enum pgc_hook_when when, struct pgc_error *err) {
    const struct pgc_migration_set *set = &run->migrate->set;
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < set->hook_count; i++) {
        if (set->hooks[i].when == when)
            code = run_script(run, &set->hooks[i].script, err);
    }
    return code;
}
