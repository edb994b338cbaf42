/* Scripts outside a transaction: statement by statement, progress in the ledger, so that a broken one goes on where it
 * stopped.
 *
 * What can run in a transaction does, together with its mark in the ledger: it happens exactly once, whatever is killed
 * when. What cannot is announced first (in_flight) and marked afterwards; found announced but not marked, its effect is
 * looked for before it is run again. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/digest.h"
#include "migrate/run_internal.h"
#include "sql_embedded.h"

struct outside {
    struct pgc__run *run;
    const struct pgc_plan_step *step;
    const struct pgc_migration *m;
    const struct pgc_migration_script *script;
    const struct pgc_shape *shape;
    struct pgc_conn *conn;
    bool down;
    bool in_user_tx;
    size_t tx_line; /* where the script's own transaction began */
};

static const struct pgc_ledger_native *native_of(const struct outside *o) {
    return &o->run->migrate->native;
}

static void put_text(const struct outside *o, struct pgc_buf *sql, size_t i) {
    const struct pgc_shape_statement *s = &o->shape->statements[i];
    pgc_buf_put(sql, o->script->text + s->offset, s->end - s->offset);
    pgc_buf_puts(sql, "\n;");
}

/* What has been done so far, as a checksum: a resumed script must not have changed there. */
static void done_checksum(const struct outside *o, size_t done, char out[65]) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    for (size_t i = 0; i < done; i++) {
        const struct pgc_shape_statement *s = &o->shape->statements[i];
        for (size_t at = s->offset; at < s->end; at++) {
            if (o->script->text[at] != '\r')
                pgc_buf_putc(&text, o->script->text[at]);
        }
        pgc_buf_putc(&text, '\0');
    }
    pgc_digest_hex(PGC_DIGEST_SHA256, text.data, text.len, out);
}

static void put_progress(const struct outside *o, struct pgc_buf *sql, size_t done, bool in_flight) {
    char checksum[65];
    done_checksum(o, done, checksum);
    pgc_ledger_sql_progress(sql, native_of(o), o->m, done, checksum, in_flight);
}

static enum pgc_code execute(const struct outside *o, const struct pgc_buf *sql, struct pgc_error *err) {
    enum pgc_code code = pgc_buf_check(sql, err);
    return code != PGC_OK ? code : pgc_conn_exec(o->conn, sql->data, err);
}

/* "file:line:column: message". `prefix`: bytes of the message before the statement. */
static enum pgc_code locate(const struct outside *o, size_t i, const char *message, size_t prefix,
                            struct pgc_error *err) {
    const struct pgc_shape_statement *s = &o->shape->statements[i];
    size_t finished, position, line, column, offset = s->offset;
    pgc_conn_last_fault(o->conn, &finished, &position);
    if (position > 0) {
        const char *p = message;
        for (size_t n = 1; *p != '\0' && n < position; n++) {
            p++;
            while (((unsigned char)*p & 0xC0) == 0x80)
                p++;
        }
        if ((size_t)(p - message) >= prefix && (size_t)(p - message) - prefix + s->offset < s->end)
            offset = (size_t)(p - message) - prefix + s->offset;
    }
    while (offset < s->end && isspace((unsigned char)o->script->text[offset]))
        offset++;
    pgc_migration_position(o->script, offset, &line, &column);
    return pgc_wrap(err, "%s:%zu:%zu", o->script->path, line, column);
}

/* --- one statement ---------------------------------------------------------------------------------------------- */

static enum pgc_code run_plain(struct outside *o, size_t i, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    pgc_buf_puts(&sql, "begin;");
    pgc_buf_puts(&sql, pgc_migrate_lock_fence(o->run->lock));
    pgc__run_put_limits(o->run, &sql, true);
    size_t prefix = sql.len;
    put_text(o, &sql, i);
    put_progress(o, &sql, i + 1, false);
    pgc_buf_puts(&sql, "commit");
    for (int64_t tries = 0;;) {
        enum pgc_code code = execute(o, &sql, err);
        if (code == PGC_OK)
            return code;
        if (code != PGC_E_CANCELLED)
            (void)!locate(o, i, sql.data, prefix, err);
        pgc__run_roll_back(o->run);
        if (!pgc__run_try_again(o->run, o->step, &tries, err))
            return code;
    }
}

/* Inside the script's own transaction the mark goes with its commit. */
static enum pgc_code run_in_user_tx(struct outside *o, size_t i, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    const struct pgc_shape_statement *s = &o->shape->statements[i];
    char words[1][64] = { "" };
    pgc_statement_words(o->script->text + s->offset, s->end - s->offset, words, 1);
    bool ends = s->kind == PGC_STATEMENT_END;
    bool commits = strcmp(words[0], "COMMIT") == 0 || strcmp(words[0], "END") == 0;
    bool marked = false;
    if (ends && commits && pgc_conn_tx_status(o->conn) == 'T') {
        put_progress(o, &sql, i + 1, false);
        marked = true;
    }
    size_t prefix = sql.len;
    put_text(o, &sql, i);
    enum pgc_code code = execute(o, &sql, err);
    if (code != PGC_OK)
        return locate(o, i, sql.data, prefix, err);
    o->in_user_tx = pgc_conn_tx_status(o->conn) != 'I';
    if (s->kind == PGC_STATEMENT_BEGIN)
        o->tx_line = s->line;
    if (o->in_user_tx || marked)
        return PGC_OK;
    pgc_buf_clear(&sql);
    put_progress(o, &sql, i + 1, false);
    return execute(o, &sql, err);
}

static bool begins_with(const struct outside *o, size_t i, const char *word) {
    char words[1][64] = { "" };
    const struct pgc_shape_statement *s = &o->shape->statements[i];
    return pgc_statement_words(o->script->text + s->offset, s->end - s->offset, words, 1) == 1 &&
           strcmp(words[0], word) == 0;
}

/* A statement that was in flight when we were killed, and says now that its work is done. */
static bool says_done(const struct outside *o, size_t i, const struct pgc_error *err) {
    static const char *const there[] = { "42P07", "42P04", "42710", "42P06" };
    static const char *const gone[] = { "42704", "3D000", "42P01" };
    if (begins_with(o, i, "CREATE")) {
        for (size_t n = 0; n < sizeof there / sizeof there[0]; n++)
            if (strcmp(err->sqlstate, there[n]) == 0)
                return true;
    } else if (begins_with(o, i, "DROP") || begins_with(o, i, "ALTER")) {
        for (size_t n = 0; n < sizeof gone / sizeof gone[0]; n++)
            if (strcmp(err->sqlstate, gone[n]) == 0)
                return true;
    }
    return false;
}

/* Name of the index and of its table in CREATE INDEX CONCURRENTLY, lower case; false when it has no name. */
static bool index_names(const struct outside *o, size_t i, char *name, char *table) {
    char words[24][64];
    const struct pgc_shape_statement *s = &o->shape->statements[i];
    size_t count = pgc_statement_words(o->script->text + s->offset, s->end - s->offset, words, 24);
    size_t at = 0;
    if (count < 6 || strcmp(words[0], "CREATE") != 0)
        return false;
    while (at < count && strcmp(words[at], "CONCURRENTLY") != 0)
        at++;
    at++;
    if (at + 3 < count && strcmp(words[at], "IF") == 0)
        at += 3;
    if (at + 2 >= count || strcmp(words[at], "ON") == 0)
        return false;
    snprintf(name, 64, "%s", words[at++]);
    at += strcmp(words[at], "ON") == 0;
    at += at < count && strcmp(words[at], "ONLY") == 0;
    while (at + 2 < count && strcmp(words[at + 1], ".") == 0)
        at += 2;
    if (at >= count)
        return false;
    snprintf(table, 64, "%s", words[at]);
    return true;
}

/* An index that a broken CREATE INDEX CONCURRENTLY left: dropped, so that it can be built again. *valid: it is whole. */
static enum pgc_code look_at_index(struct outside *o, size_t i, bool *valid, struct pgc_error *err) {
    char name[64], table[64];
    const char *params[] = { name, table };
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    *valid = false;
    if (!index_names(o, i, name, table))
        return PGC_OK;
    enum pgc_code code = pgc_conn_query(o->conn, pgc_sql_migrate_find_index, params, 2, &rows, err);
    if (code != PGC_OK || pgc_rows_count(rows) == 0)
        return code;
    *valid = pgc_rows_bool(rows, 0, 1);
    if (*valid)
        return PGC_OK;
    pgc_log(o->run->migrate->rt, PGC_LOG_WARN, "migrate.invalid_index",
            "an invalid index is left of an earlier try; it is dropped and built again",
            PGC_LOG_TEXT("index", pgc_rows_text(rows, 0, 0)));
    return pgc_conn_execf(o->conn, err, "drop index concurrently if exists %s", pgc_rows_text(rows, 0, 0));
}

/* Outside any transaction: announced, run, marked. */
static enum pgc_code run_announced(struct outside *o, size_t i, bool resumed, bool was_in_flight,
                                   struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    bool done = false;
    enum pgc_code code = resumed ? look_at_index(o, i, &done, err) : PGC_OK;
    done = done && was_in_flight;
    if (code == PGC_OK && !done) {
        const char *fence = pgc_migrate_lock_fence(o->run->lock);
        pgc_buf_puts(&sql, fence);
        put_progress(o, &sql, i, true);
        code = execute(o, &sql, err);
    }
    if (code == PGC_OK && !done) {
        pgc_buf_clear(&sql);
        put_text(o, &sql, i);
        /* Alone in its message, and without the empty statement behind it. */
        while (sql.len > 0 && (sql.data[sql.len - 1] == ';' || isspace((unsigned char)sql.data[sql.len - 1])))
            pgc_buf_truncate(&sql, sql.len - 1);
        code = execute(o, &sql, err);
        if (code != PGC_OK && was_in_flight && says_done(o, i, err))
            code = PGC_OK;
        else if (code != PGC_OK && code != PGC_E_CANCELLED)
            return locate(o, i, sql.data, 0, err);
    }
    if (code != PGC_OK)
        return code;
    pgc_buf_clear(&sql);
    put_progress(o, &sql, i + 1, false);
    return execute(o, &sql, err);
}

static enum pgc_code run_one(struct outside *o, size_t i, bool resumed, bool was_in_flight, struct pgc_error *err) {
    const struct pgc_shape_statement *s = &o->shape->statements[i];
    if (o->in_user_tx || s->kind == PGC_STATEMENT_BEGIN || s->kind == PGC_STATEMENT_END)
        return run_in_user_tx(o, i, err);
    if (s->kind == PGC_STATEMENT_OUTSIDE)
        return run_announced(o, i, resumed, was_in_flight, err);
    if (s->kind == PGC_STATEMENT_CALLS && !(resumed && was_in_flight)) {
        enum pgc_code code = run_plain(o, i, err);
        /* It ends transactions by itself. */
        if (code == PGC_E_SQL && strcmp(err->sqlstate, "2D000") == 0)
            code = run_announced(o, i, resumed, was_in_flight, err);
        return code;
    }
    if (s->kind == PGC_STATEMENT_CALLS)
        return run_announced(o, i, resumed, was_in_flight, err);
    return run_plain(o, i, err);
}

/* --- the script --------------------------------------------------------------------------------------------------- */

static enum pgc_code start(struct outside *o, size_t *from, bool *in_flight, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    bool resumes = o->step->action == PGC_ACTION_RESUME || o->step->action == PGC_ACTION_RESUME_DOWN;
    *from = 0;
    *in_flight = false;
    if (resumes) {
        const struct pgc_ledger_row *row = o->step->row;
        char checksum[65];
        if (row->done > o->shape->count)
            return pgc_fail(err, PGC_E_DATA, "%s: %zu statements were finished before, now it has only %zu", o->m->path,
                            row->done, o->shape->count);
        done_checksum(o, row->done, checksum);
        if (row->done > 0 && row->done_checksum != NULL && strcmp(checksum, row->done_checksum) != 0)
            return pgc_fail(err, PGC_E_DATA,
                            "%s: the %zu statements that were finished before it broke have changed; restore them, or "
                            "say with 'mark' how the database is now",
                            o->m->path, row->done);
        *from = row->done;
        *in_flight = row->in_flight;
        return PGC_OK;
    }
    pgc_buf_puts(&sql, "begin;");
    pgc_buf_puts(&sql, pgc_migrate_lock_fence(o->run->lock));
    if (o->step->action == PGC_ACTION_RERUN) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
        pgc_ledger_key(&key, o->m);
        pgc_ledger_sql_remove(&sql, native_of(o), key.data, "rerun");
    }
    pgc_ledger_sql_begin(&sql, native_of(o), o->m, o->down);
    pgc_buf_puts(&sql, "commit");
    return execute(o, &sql, err);
}

/* Settings of the finished part belong to the session that is gone. */
static enum pgc_code replay_settings(struct outside *o, size_t done, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < done; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
        if (!begins_with(o, i, "SET") && !begins_with(o, i, "RESET"))
            continue;
        put_text(o, &sql, i);
        code = execute(o, &sql, err);
    }
    return code;
}

static void tell_statement(const struct outside *o, size_t i) {
    const struct pgc_migrate_options *options = o->run->migrate->options;
    const struct pgc_shape_statement *s = &o->shape->statements[i];
    char text[120];
    if (options->event == NULL)
        return;
    snprintf(text, sizeof text, "%.*s", (int)(s->end - s->offset), o->script->text + s->offset);
    struct pgc_migrate_event event = { PGC_MIGRATE_STATEMENT, o->step, i + 1, o->shape->count, 0, text };
    options->event(options->event_arg, &event);
}

static void note_error(const struct outside *o, const struct pgc_error *why) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    struct pgc_error ignored;
    pgc__run_roll_back(o->run);
    if (pgc_conn_is_broken(o->conn))
        return;
    pgc_conn_shield(o->conn, true);
    pgc_buf_puts(&sql, PGC__RUN_RESET);
    pgc_ledger_sql_error(&sql, native_of(o), o->m, why->message);
    enum pgc_code code = execute(o, &sql, &ignored);
    (void)code; /* the row still says how far it came */
    pgc_conn_shield(o->conn, false);
}

static enum pgc_code run_all(struct outside *o, struct pgc_error *err) {
    size_t from;
    bool in_flight;
    enum pgc_code code = start(o, &from, &in_flight, err);
    if (code != PGC_OK)
        return code;
    code = replay_settings(o, from, err);
    for (size_t i = from; code == PGC_OK && i < o->shape->count; i++) {
        tell_statement(o, i);
        bool resumed = o->step->row != NULL && i == from;
        code = run_one(o, i, resumed, resumed && in_flight, err);
    }
    if (code == PGC_OK && o->in_user_tx)
        code = pgc_fail(err, PGC_E_DATA, "%s:%zu: this transaction is never committed", o->m->path, o->tx_line);
    if (code != PGC_OK)
        note_error(o, err);
    return code;
}

enum pgc_code pgc__run_statements(struct pgc__run *run, size_t index, struct pgc_error *err) {
    const struct pgc_plan_step *step = &run->plan->steps[index];
    struct outside o = { .run = run,
                         .step = step,
                         .m = step->migration,
                         .script = pgc_plan_step_script(step),
                         .shape = &run->shapes[index],
                         .conn = run->migrate->conn,
                         .down = pgc__run_is_down(step) };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    /* No limit for locks around what waits for other transactions by its nature. */
    run->limits_set = run->prepared = false;
    pgc_buf_puts(&sql, PGC__RUN_RESET);
    pgc__run_put_check(run, &sql);
    enum pgc_code code = execute(&o, &sql, err);
    if (code == PGC_OK)
        code = run_all(&o, err);
    if (code != PGC_OK)
        return code;
    pgc_buf_clear(&sql);
    pgc_buf_puts(&sql, PGC__RUN_RESET "begin;");
    pgc__run_put_finish(run, &sql, step);
    pgc_buf_puts(&sql, "commit;" PGC__RUN_CLEAN);
    return execute(&o, &sql, err);
}

enum pgc_code pgc_migrate_find_invalid(struct pgc_conn *conn, struct pgc_strings *out, struct pgc_error *err) {
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc_conn_query(conn, pgc_sql_migrate_find_invalid, NULL, 0, &rows, err);
    for (size_t i = 0; code == PGC_OK && i < pgc_rows_count(rows); i++)
        code = pgc_strings_add(out, pgc_rows_text(rows, i, 0), err);
    return code;
}
