/* Scripts outside a transaction: statement by statement, progress in the ledger, so that a broken one goes on where it
 * stopped.
 *
 * What can run in a transaction does, together with its mark in the ledger: it happens exactly once, whatever is killed
 * when. What cannot is announced first (in_flight) and marked afterwards; found announced but not marked, run_outcome.c
 * says what that means.
 *
 * Behind a transaction pooler every transaction may be on another server connection: what the script has set goes along into
 * each, and is taken back with its end. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "migrate/run_internal.h"

struct outside {
    struct pgc__run *run;
    const struct pgc_plan_step *step;
    const struct pgc_migration *m;
    const struct pgc_migration_script *script;
    const struct pgc_shape *shape;
    struct pgc_conn *conn;
    struct pgc_ledger_progress noted; /* what the ledger says */
    bool down;
    bool in_user_tx;
    bool partial; /* what failed may have had some effect */
    bool own_lock_timeout, own_statement_timeout;
    size_t tx_line; /* where the script's own transaction began */
    size_t at;      /* statement that runs */
};

static const struct pgc_ledger_native *native_of(const struct outside *o) {
    return &o->run->migrate->native;
}

static const char *text_of(const struct outside *o, size_t i, size_t *len) {
    const struct pgc_shape_statement *s = &o->shape->statements[i];
    *len = s->end - s->offset;
    return o->script->text + s->offset;
}

static void put_text(const struct outside *o, struct pgc_buf *sql, size_t i) {
    size_t len;
    const char *text = text_of(o, i, &len);
    pgc_buf_put(sql, text, len);
    pgc_buf_puts(sql, "\n;");
}

static void put_progress(const struct outside *o, struct pgc_buf *sql, struct pgc_ledger_progress to) {
    char checksum[65];
    pgc__outcome_checksum(o->script, o->shape, to.done, checksum);
    pgc_ledger_sql_progress(sql, native_of(o), o->m, o->noted, to, checksum);
}

/* In a transaction of ours or the script's own, before its commit. */
static void put_mark(const struct outside *o, struct pgc_buf *sql, size_t done) {
    pgc_buf_puts(sql, PGC__RUN_AS_US);
    pgc_buf_puts(sql, pgc_migrate_lock_guard(o->run->lock));
    put_progress(o, sql, (struct pgc_ledger_progress) { done, false });
    pgc_buf_puts(sql, pgc_migrate_lock_keep(o->run->lock));
}

static enum pgc_code note(struct outside *o, struct pgc_ledger_progress to, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    pgc_buf_puts(&sql, "begin;" PGC__RUN_AS_US);
    pgc_buf_puts(&sql, pgc_migrate_lock_guard(o->run->lock));
    put_progress(o, &sql, to);
    pgc_buf_puts(&sql, pgc_migrate_lock_keep(o->run->lock));
    pgc_buf_puts(&sql, "commit");
    enum pgc_code code = pgc__run_exec(o->run, &sql, err);
    if (code == PGC_OK)
        o->noted = to;
    else
        pgc__run_roll_back(o->run);
    return code;
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

/* --- settings --------------------------------------------------------------------------------------------------- */

/* Statements that leave a setting in the session; what ends with its transaction does not count. */
static bool is_setting(const struct outside *o, size_t i) {
    char words[2][64] = { "", "" };
    size_t len;
    const char *text = text_of(o, i, &len);
    pgc_statement_words(text, len, words, 2);
    if (strcmp(words[0], "RESET") == 0)
        return true;
    if (strcmp(words[0], "SELECT") == 0)
        return memmem(text, len, "set_config", 10) != NULL;
    return strcmp(words[0], "SET") == 0 && strcmp(words[1], "LOCAL") != 0 && strcmp(words[1], "TRANSACTION") != 0 &&
           strcmp(words[1], "CONSTRAINTS") != 0;
}

static size_t put_settings(const struct outside *o, struct pgc_buf *sql, size_t before) {
    size_t count = 0;
    for (size_t i = 0; i < before; i++) {
        if (!is_setting(o, i))
            continue;
        put_text(o, sql, i);
        count++;
    }
    return count;
}

/* Settings of the finished part belong to the session that is gone. */
static enum pgc_code replay_settings(struct outside *o, size_t done, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    if (o->run->migrate->pooled || put_settings(o, &sql, done) == 0)
        return PGC_OK;
    return pgc__run_exec(o->run, &sql, err);
}

/* --- one statement ---------------------------------------------------------------------------------------------- */

static enum pgc_code run_plain(struct outside *o, size_t i, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    bool pooled = o->run->migrate->pooled;
    pgc_buf_puts(&sql, "begin;");
    pgc_buf_puts(&sql, pgc_migrate_lock_guard(o->run->lock));
    pgc__run_put_limits(o->run, &sql, !o->own_lock_timeout, pooled && !o->own_statement_timeout);
    if (pooled)
        put_settings(o, &sql, i);
    size_t prefix = sql.len;
    put_text(o, &sql, i);
    put_mark(o, &sql, i + 1);
    pgc_buf_puts(&sql, pooled ? "commit;" PGC__RUN_RESET "unlisten *;discard temp" : "commit");
    for (int64_t tries = 0;;) {
        enum pgc_code code = pgc__run_exec(o->run, &sql, err);
        if (code == PGC_OK) {
            o->noted = (struct pgc_ledger_progress) { i + 1, false };
            return code;
        }
        if (code != PGC_E_CANCELLED)
            (void)!locate(o, i, sql.data, prefix, err);
        pgc__run_roll_back(o->run);
        if (!pgc__run_try_again(o->run, o->step, &tries, err))
            return code;
        code = pgc_check_cancelled(o->run->migrate->rt, err);
        if (code != PGC_OK)
            return code;
    }
}

/* Inside the script's own transaction the mark goes with its commit. */
static enum pgc_code run_in_user_tx(struct outside *o, size_t i, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    const struct pgc_shape_statement *s = &o->shape->statements[i];
    char words[1][64] = { "" };
    pgc_statement_words(o->script->text + s->offset, s->end - s->offset, words, 1);
    bool ends = s->kind == PGC_STATEMENT_END, pooled = o->run->migrate->pooled;
    bool commits = strcmp(words[0], "COMMIT") == 0 || strcmp(words[0], "END") == 0;
    bool marks = ends && commits && pgc_conn_tx_status(o->conn) == 'T';
    if (marks)
        put_mark(o, &sql, i + 1);
    size_t prefix = sql.len;
    put_text(o, &sql, i);
    if (s->kind == PGC_STATEMENT_BEGIN)
        pgc__run_put_limits(o->run, &sql, !o->own_lock_timeout, pooled && !o->own_statement_timeout);
    if (pooled && s->kind == PGC_STATEMENT_BEGIN)
        put_settings(o, &sql, i);
    if (pooled && ends)
        pgc_buf_puts(&sql, PGC__RUN_RESET);
    enum pgc_code code = pgc__run_exec(o->run, &sql, err);
    if (code != PGC_OK)
        return code == PGC_E_CANCELLED ? code : locate(o, i, sql.data, prefix, err);
    o->in_user_tx = pgc_conn_tx_status(o->conn) != 'I';
    if (s->kind == PGC_STATEMENT_BEGIN)
        o->tx_line = s->line;
    if (marks)
        o->noted = (struct pgc_ledger_progress) { i + 1, false };
    return o->in_user_tx || marks ? PGC_OK : note(o, (struct pgc_ledger_progress) { i + 1, false }, err);
}

/* Waiting for a lock of its own nothing is gained by running on; what waits for the transactions of others by its nature
 * (CONCURRENTLY) and what does more than one thing (procedures) is left alone, and what the script says itself counts. */
static bool is_limited(const struct outside *o, const char *text, size_t len, enum pgc__outcome outcome) {
    char words[48][64];
    size_t count = pgc_statement_words(text, len, words, 48);
    if (o->run->migrate->options->lock_timeout_ms <= 0 || o->run->migrate->pooled || o->own_lock_timeout ||
        (outcome != PGC__OUTCOME_AGAIN && outcome != PGC__OUTCOME_ERROR))
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], "CONCURRENTLY") == 0)
            return false;
    return true;
}

/* Alone in its message, and without the empty statement behind it. */
static enum pgc_code send_alone(struct outside *o, size_t i, bool limited, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    enum pgc_code code = PGC_OK;
    put_text(o, &sql, i);
    while (sql.len > 0 && (sql.data[sql.len - 1] == ';' || isspace((unsigned char)sql.data[sql.len - 1])))
        pgc_buf_truncate(&sql, sql.len - 1);
    if (limited)
        code =
            pgc_conn_execf(o->conn, err, "set lock_timeout=%lld", (long long)o->run->migrate->options->lock_timeout_ms);
    if (code == PGC_OK)
        code = pgc__run_exec(o->run, &sql, err);
    if (code != PGC_OK && code != PGC_E_CANCELLED)
        (void)!locate(o, i, sql.data, 0, err);
    struct pgc_error second;
    if (limited && !pgc_conn_is_broken(o->conn) && pgc_conn_exec(o->conn, "reset lock_timeout", &second) != PGC_OK &&
        code == PGC_OK) {
        *err = second;
        code = second.code;
    }
    return code;
}

/* A partition whose detaching broke half way is brought to its end: the same words with FINALIZE. */
static enum pgc_code finalize_detach(struct outside *o, const char *text, size_t len, struct pgc_error *err) {
    struct pgc_statement_token t[48];
    size_t count = pgc_statement_tokens(text, len, t, 48);
    if (count < 2 || strcmp(t[count - 1].word, ";") == 0)
        count--;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    pgc_buf_put(&sql, text, t[count - 1].offset);
    pgc_buf_puts(&sql, "finalize");
    return pgc__run_exec(o->run, &sql, err);
}

static enum pgc_code try_alone(struct outside *o, size_t i, bool was_in_flight, enum pgc__outcome outcome,
                               struct pgc_error *err) {
    size_t len;
    const char *text = text_of(o, i, &len);
    bool limited = is_limited(o, text, len, outcome);
    for (int64_t tries = 0;;) {
        enum pgc_code code = send_alone(o, i, limited, err);
        if (code != PGC_OK && strcmp(err->sqlstate, "55000") == 0 && strcasestr(err->message, "pending detach") != NULL)
            code = finalize_detach(o, text, len, err);
        if (code != PGC_OK && was_in_flight && outcome == PGC__OUTCOME_ERROR && pgc__outcome_done(text, len, err))
            return PGC_OK;
        if (code == PGC_OK || !limited || !pgc__run_try_again(o->run, o->step, &tries, err))
            return code;
        code = pgc_check_cancelled(o->run->migrate->rt, err);
        if (code != PGC_OK)
            return code;
    }
}

/* Outside any transaction: announced, run, marked. */
static enum pgc_code run_announced(struct outside *o, size_t i, bool resumed, bool was_in_flight,
                                   struct pgc_error *err) {
    size_t len;
    const char *text = text_of(o, i, &len);
    enum pgc__outcome outcome = pgc__outcome_of(text, len);
    bool done = false;
    enum pgc_code code = PGC_OK;
    if (resumed && outcome == PGC__OUTCOME_INDEX)
        code = pgc__outcome_index(o->run, text, len, true, &done, NULL, err);
    else if (resumed && outcome == PGC__OUTCOME_AGAIN)
        code = pgc__outcome_sweep(o->run, err);
    done = done && was_in_flight;
    if (code == PGC_OK && !o->noted.in_flight)
        code = note(o, (struct pgc_ledger_progress) { i, true }, err);
    if (code == PGC_OK && !done) {
        code = try_alone(o, i, was_in_flight, outcome, err);
        o->partial = code != PGC_OK && outcome == PGC__OUTCOME_UNKNOWN;
    }
    return code != PGC_OK ? code : note(o, (struct pgc_ledger_progress) { i + 1, false }, err);
}

/* A procedure that ends transactions by itself says so when it is tried in one; so does what we do not know of. */
static enum pgc_code run_tried(struct outside *o, size_t i, bool resumed, bool was_in_flight, struct pgc_error *err) {
    if (resumed && was_in_flight)
        return run_announced(o, i, resumed, was_in_flight, err);
    enum pgc_code code = run_plain(o, i, err);
    if (code == PGC_E_SQL && (strcmp(err->sqlstate, "2D000") == 0 || strcmp(err->sqlstate, "25001") == 0))
        code = run_announced(o, i, resumed, was_in_flight, err);
    return code;
}

static enum pgc_code run_one(struct outside *o, size_t i, bool resumed, bool was_in_flight, struct pgc_error *err) {
    const struct pgc_shape_statement *s = &o->shape->statements[i];
    if (o->in_user_tx || s->kind == PGC_STATEMENT_BEGIN || s->kind == PGC_STATEMENT_END)
        return run_in_user_tx(o, i, err);
    if (s->kind == PGC_STATEMENT_OUTSIDE)
        return run_announced(o, i, resumed, was_in_flight, err);
    return run_tried(o, i, resumed, was_in_flight, err);
}

/* --- the script --------------------------------------------------------------------------------------------------- */

static enum pgc_code start(struct outside *o, bool *in_flight, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    *in_flight = false;
    if (pgc__run_resumes(o->step)) {
        o->noted = (struct pgc_ledger_progress) { o->step->row->done, o->step->row->in_flight };
        *in_flight = o->step->row->in_flight;
        return PGC_OK;
    }
    pgc_buf_puts(&sql, "begin;" PGC__RUN_AS_US);
    pgc_buf_puts(&sql, pgc_migrate_lock_guard(o->run->lock));
    if (o->step->action == PGC_ACTION_RERUN) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
        pgc_ledger_key(&key, o->m);
        pgc_ledger_sql_remove(&sql, native_of(o), key.data, "rerun");
    }
    pgc_ledger_sql_begin(&sql, native_of(o), o->m, o->down);
    pgc_buf_puts(&sql, "commit");
    return pgc__run_exec(o->run, &sql, err);
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

/* What a failed CREATE INDEX CONCURRENTLY has left is told at once: it costs every write. */
static void tell_invalid(const struct outside *o) {
    size_t len;
    struct pgc_error ignored;
    PGC_AUTO_FREE char *name = NULL;
    bool valid;
    if (o->at >= o->shape->count || o->in_user_tx)
        return;
    const char *text = text_of(o, o->at, &len);
    if (o->shape->statements[o->at].kind != PGC_STATEMENT_OUTSIDE || pgc__outcome_of(text, len) != PGC__OUTCOME_INDEX)
        return;
    if (pgc__outcome_index(o->run, text, len, false, &valid, &name, &ignored) == PGC_OK && name != NULL)
        pgc_log(o->run->migrate->rt, PGC_LOG_WARN, "migrate.invalid_index",
                "an invalid index is left; the next run drops it and builds it again, 'repair --invalid-indexes drop' "
                "takes it away now",
                PGC_LOG_TEXT("index", name));
}

static void note_error(const struct outside *o, const struct pgc_error *why) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    struct pgc_error ignored;
    pgc__run_roll_back(o->run);
    if (pgc_conn_is_broken(o->conn))
        return;
    pgc_conn_shield(o->conn, true);
    tell_invalid(o);
    pgc_buf_puts(&sql, PGC__RUN_RESET);
    pgc_ledger_sql_error(&sql, native_of(o), o->m, why->message, !o->partial);
    bool lost = why->code == PGC_E_LOCKED && why->sqlstate[0] == '\0';
    enum pgc_code code = lost ? PGC_OK : pgc__run_exec(o->run, &sql, &ignored);
    (void)code; /* the row still says how far it came */
    pgc_conn_shield(o->conn, false);
}

/* The script's own transaction that did not get a lock begins again, where it began. */
static bool begin_again(struct outside *o, int64_t *tries, struct pgc_error *err) {
    if (!o->in_user_tx || pgc_conn_is_broken(o->conn))
        return false;
    pgc__run_roll_back(o->run);
    if (!pgc__run_try_again(o->run, o->step, tries, err) || pgc_check_cancelled(o->run->migrate->rt, err) != PGC_OK)
        return false;
    o->in_user_tx = false;
    o->at = o->noted.done;
    return true;
}

static enum pgc_code run_all(struct outside *o, struct pgc_error *err) {
    bool in_flight;
    int64_t tries = 0;
    enum pgc_code code = start(o, &in_flight, err);
    if (code != PGC_OK)
        return code;
    size_t from = o->noted.done;
    code = replay_settings(o, from, err);
    for (o->at = from; code == PGC_OK && o->at < o->shape->count;) {
        tell_statement(o, o->at);
        bool resumed = pgc__run_resumes(o->step) && o->at == from;
        code = run_one(o, o->at, resumed, resumed && in_flight, err);
        if (code == PGC_OK)
            o->at++;
        else if (begin_again(o, &tries, err))
            code = PGC_OK;
        else
            code = err->code;
    }
    if (code == PGC_OK && o->in_user_tx)
        code = pgc_fail(err, PGC_E_DATA, "%s:%zu: this transaction is never committed", o->m->path, o->tx_line);
    if (code != PGC_OK)
        note_error(o, err);
    return code;
}

static void warn_of_settings(const struct outside *o) {
    bool alone = false, set = false;
    for (size_t i = 0; i < o->shape->count; i++) {
        set |= is_setting(o, i);
        alone |= set && o->shape->statements[i].kind == PGC_STATEMENT_OUTSIDE;
    }
    if (alone && o->run->migrate->pooled)
        pgc_log(o->run->migrate->rt, PGC_LOG_WARN, "migrate.pooler",
                "behind a transaction pooler SET does not reach statements that run outside a transaction; connect "
                "directly if they need it",
                PGC_LOG_TEXT("migration", o->m->path));
}

enum pgc_code pgc__run_statements(struct pgc__run *run, size_t index, struct pgc_error *err) {
    const struct pgc_plan_step *step = &run->plan->steps[index];
    const struct pgc_migration_script *script = pgc_plan_step_script(step);
    struct outside o = { .run = run,
                         .step = step,
                         .m = step->migration,
                         .script = script,
                         .shape = &run->shapes[index],
                         .conn = run->migrate->conn,
                         .down = pgc__run_is_down(step),
                         .own_lock_timeout = strcasestr(script->text, "lock_timeout") != NULL,
                         .own_statement_timeout = strcasestr(script->text, "statement_timeout") != NULL };
    warn_of_settings(&o);
    enum pgc_code code = run_all(&o, err);
    if (code != PGC_OK)
        return code;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    pgc_buf_puts(&sql, "begin;" PGC__RUN_AS_US);
    pgc_buf_puts(&sql, pgc_migrate_lock_guard(run->lock));
    pgc__run_put_finish(run, &sql, step);
    pgc_buf_puts(&sql, "commit");
    return pgc__run_exec(run, &sql, err);
}
