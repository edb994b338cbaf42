/* Queries and their results. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "script/runner_internal.h"
#include "script/slash_copy.h"

#define SAVEPOINT "pg_psql_temporary_savepoint"

bool pgc__script_failed(struct pgc_script *script, const struct pgc_raw_result *result) {
    pgc__script_blame(script, pgc_raw_sqlstate(result), pgc_raw_primary(result));
    /* libpq's last words hold those of the server too */
    const char *message = script->conn != NULL && pgc_conn_is_broken(script->conn)
                              ? pgc_raw_connection_message(script->conn)
                              : pgc_raw_message(result);
    if (message[0] != '\0')
        pgc__script_message(script, PGC_ENGINE_PLAIN, message);
    return false;
}

void pgc__script_status(struct pgc_script *script, const struct pgc_raw_result *result) {
    if (!pgc__script_quiet(script)) {
        pgc__script_puts(script, pgc_raw_tag(result));
        pgc__script_puts(script, "\n");
    }
    char oid[16];
    snprintf(oid, sizeof oid, "%u", pgc_raw_oid(result));
    pgc__script_set_now(script, "LASTOID", oid);
}

/* --- rows --------------------------------------------------------------------------------------------- */

static bool print_rows(struct pgc_script *script, const struct pgc_raw_result *result,
                       const struct pgc_engine_request *request) {
    struct pgc_print style = script->style;
    style.expanded |= request->expanded;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    pgc_print_rows(&text, script->conn, result, &style);
    if (text.failed) {
        pgc__script_error(script, "out of memory");
        return false;
    }
    pgc__script_put(script, text.data, text.len);
    const char *tag = pgc_raw_tag(result);
    if (strncmp(tag, "INSERT", 6) == 0 || strncmp(tag, "UPDATE", 6) == 0 || strncmp(tag, "DELETE", 6) == 0)
        pgc__script_status(script, result);
    return true;
}

/* \gset */
static bool store_row(struct pgc_script *script, const struct pgc_raw_result *result, const char *prefix) {
    if (pgc_raw_rows(result) != 1) {
        pgc__script_error(script, pgc_raw_rows(result) < 1 ? "no rows returned for \\gset"
                                                           : "more than one row returned for \\gset");
        return false;
    }
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
    for (size_t i = 0; i < pgc_raw_columns(result); i++) {
        pgc_buf_clear(&name);
        pgc_buf_puts(&name, prefix != NULL ? prefix : "");
        pgc_buf_puts(&name, pgc_raw_column(result, i));
        if (pgc__script_is_special(name.data)) {
            pgc_engine_warn(script->engine, "attempt to \\gset into specially treated variable \"%s\" ignored",
                            name.data);
            continue;
        }
        const char *value = pgc_raw_null(result, 0, i) ? NULL : pgc_raw_value(result, 0, i);
        if (!pgc_engine_set(script->engine, name.data, value))
            return false;
    }
    return true;
}

/* \gexec: every value is a query. */
static bool run_rows(struct pgc_script *script, const struct pgc_raw_result *result) {
    static const struct pgc_engine_request plain = { .kind = PGC_SEND_PLAIN };
    bool ok = true;
    for (size_t row = 0; row < pgc_raw_rows(result); row++)
        for (size_t column = 0; column < pgc_raw_columns(result); column++) {
            if (pgc_raw_null(result, row, column))
                continue;
            const char *sql = pgc_raw_value(result, row, column);
            if (pgc__script_echoes(script, "all"))
                pgc__script_puts(script, sql), pgc__script_puts(script, "\n");
            if (script->fatal || script->conn == NULL)
                return false;
            ok = pgc__script_query(script, sql, &plain) && ok;
            if (!ok && pgc__script_bool(script, "ON_ERROR_STOP"))
                return false;
        }
    return ok;
}

/* --- results ------------------------------------------------------------------------------------------- */

struct results {
    struct pgc_script *script;
    const struct pgc_engine_request *request;
    struct pgc_raw_result *for_exec; /* kept until the query is over */
    size_t copies;                   /* COPY ... FROM STDIN that took their data */
    bool quiet;                      /* no output unless it fails */
    bool forgets_savepoint;          /* the command made or ended savepoints itself */
    bool copy_to_output;             /* the COPY before wrote where its status would go */
};

static bool one_result(struct results *r, struct pgc_raw_result **result, bool last) {
    struct pgc_script *script = r->script;
    enum pgc_raw_kind kind = pgc_raw_kind(*result);
    bool status_hidden = r->copy_to_output;
    r->copy_to_output = false;
    if (kind == PGC_RAW_FAILED)
        return pgc__script_failed(script, *result);
    if (r->quiet)
        return true;
    if (kind == PGC_RAW_COMMAND) {
        const char *tag = pgc_raw_tag(*result);
        r->forgets_savepoint |= strcmp(tag, "SAVEPOINT") == 0 || strcmp(tag, "RELEASE") == 0 ||
                                strcmp(tag, "ROLLBACK") == 0 || strcmp(tag, "COMMIT") == 0;
        if (!status_hidden)
            pgc__script_status(script, *result);
        return true;
    }
    if (kind != PGC_RAW_ROWS)
        return true;
    if (last && r->request->kind == PGC_SEND_SET)
        return store_row(script, *result, r->request->target);
    if (last && r->request->kind == PGC_SEND_EXEC) {
        r->for_exec = *result;
        *result = NULL;
        return true;
    }
    return print_rows(script, *result, r->request);
}

static bool copy_result(struct results *r, const struct pgc_raw_result *result) {
    if (pgc_raw_kind(result) == PGC_RAW_COPY_IN) {
        r->copies++;
        return pgc__script_copy_in(r->script, pgc_raw_binary(result));
    }
    r->copy_to_output = r->script->copy == NULL || r->script->copy->file == NULL;
    return pgc__script_copy_out(r->script);
}

/* False: the query failed, or the connection is gone (script->conn NULL then). */
static bool read_results(struct results *r) {
    struct pgc_script *script = r->script;
    PGC_AUTO(pgc_raw_result_free) struct pgc_raw_result *now = NULL;
    PGC_AUTO(pgc_raw_result_free) struct pgc_raw_result *next = NULL;
    struct pgc_error err;
    bool ok = true;
    enum pgc_code code = pgc_raw_next(script->conn, &next, &err);
    while (code == PGC_OK && next != NULL) {
        pgc_raw_result_free(now);
        now = next;
        next = NULL;
        enum pgc_raw_kind kind = pgc_raw_kind(now);
        if (kind == PGC_RAW_COPY_IN || kind == PGC_RAW_COPY_OUT) {
            ok = copy_result(r, now) && ok;
            if (script->conn == NULL || script->fatal)
                return false;
            code = pgc_raw_next(script->conn, &next, &err);
            continue;
        }
        code = pgc_raw_next(script->conn, &next, &err);
        if (code == PGC_OK && next == NULL)
            pgc__script_result_variables(script, now);
        ok = one_result(r, &now, next == NULL) && ok;
    }
    if (code == PGC_E_TEMPORARY && now != NULL && pgc_raw_kind(now) == PGC_RAW_FAILED) {
        pgc__script_lost(script);
        return false;
    }
    if (code != PGC_OK) {
        pgc__script_broken(script, &err);
        return false;
    }
    if (pgc_conn_is_broken(script->conn)) {
        /* the message of the failed result has been told already */
        pgc__script_lost(script);
        return false;
    }
    return ok;
}

static bool run(struct results *r, const char *sql) {
    struct pgc_error err;
    struct pgc_script *script = r->script;
    enum pgc_code code = pgc_raw_send(script->conn, sql, &err);
    if (code != PGC_OK) {
        pgc__script_broken(script, &err);
        return false;
    }
    return read_results(r);
}

bool pgc__script_plain(struct pgc_script *script, const char *sql) {
    static const struct pgc_engine_request plain = { .kind = PGC_SEND_PLAIN };
    struct results r = { .script = script, .request = &plain, .quiet = true };
    return script->conn != NULL && run(&r, sql);
}

/* --- around a query -------------------------------------------------------------------------------------- */

static bool word(const char **at, const char *text) {
    *at += strspn(*at, " \t\r\n\f");
    size_t n = strlen(text);
    if (strncasecmp(*at, text, n) != 0 || pgc_lex_variable_name((char[]) { (*at)[n], '\0' }))
        return false;
    *at += n;
    return true;
}

/* Commands that AUTOCOMMIT off does not put a BEGIN in front of: they control transactions or refuse to run in one. */
static bool stands_alone(const char *sql) {
    static const char *const first[] = { "abort", "begin", "start", "commit", "end", "rollback", "vacuum" };
    const char *at = sql;
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        if (word(&at, first[i]))
            return true;
    if (word(&at, "prepare"))
        return word(&at, "transaction");
    if (word(&at, "alter"))
        return word(&at, "system");
    if (word(&at, "discard"))
        return word(&at, "all");
    if (word(&at, "cluster"))
        return at[strspn(at, " \t\r\n;")] == '\0';
    bool create = word(&at, "create");
    if (!create && !word(&at, "drop") && !word(&at, "reindex"))
        return false;
    if (word(&at, "database") || word(&at, "tablespace") || word(&at, "system"))
        return true;
    (void)(create && word(&at, "unique"));
    return word(&at, "index") && word(&at, "concurrently");
}

static bool begin_when_wanted(struct pgc_script *script, const char *sql) {
    if (pgc__script_bool(script, "AUTOCOMMIT") || pgc_conn_tx_status(script->conn) != 'I' || stands_alone(sql))
        return true;
    return pgc__script_plain(script, "BEGIN");
}

static void end_savepoint(struct pgc_script *script, const struct results *r) {
    char status = pgc_conn_tx_status(script->conn);
    if (status == 'E')
        (void)pgc__script_plain(script, "ROLLBACK TO " SAVEPOINT);
    else if (status == 'T' && !r->forgets_savepoint)
        (void)pgc__script_plain(script, "RELEASE " SAVEPOINT);
}

static bool data_is_in_script(const struct pgc_script *script) {
    const struct pgc_slash_copy *copy = script->copy;
    return script->engine != NULL && (copy == NULL || (copy->file == NULL && !copy->outer));
}

static void tell_statement(struct pgc_script *script, const char *sql) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    pgc_buf_putf(&text, "STATEMENT:  %s", sql);
    pgc__script_message(script, PGC_ENGINE_PLAIN, text.data);
}

bool pgc__script_query(struct pgc_script *script, const char *sql, const struct pgc_engine_request *request) {
    struct results r = { .script = script, .request = request };
    const char *rollback = pgc_vars_get(&script->session.vars, "ON_ERROR_ROLLBACK");
    if (!begin_when_wanted(script, sql))
        return false;
    bool savepoint = rollback != NULL && strcmp(rollback, "on") == 0 && pgc_conn_tx_status(script->conn) == 'T';
    if (savepoint && !pgc__script_plain(script, "SAVEPOINT " SAVEPOINT))
        return false;
    bool ok = run(&r, sql);
    if (script->conn != NULL && savepoint)
        end_savepoint(script, &r);
    /* what was meant as data must not be run as SQL */
    if (!ok && request->terminated && data_is_in_script(script)) {
        size_t wanted = pgc_lex_copy_from_stdin(sql, strlen(sql));
        if (wanted > r.copies)
            pgc_engine_skip_copy(script->engine, wanted - r.copies);
    }
    if (!ok && pgc__script_echoes(script, "errors"))
        tell_statement(script, sql);
    if (r.for_exec != NULL) {
        ok = run_rows(script, r.for_exec) && ok;
        pgc_raw_result_free(r.for_exec);
    }
    return ok;
}

static void apply_settings(struct pgc_script *script, const char *settings) {
    for (const char *line = settings; line != NULL && *line != '\0';) {
        size_t len = strcspn(line, "\n");
        char *name = strndup(line, len);
        char *equal = name != NULL ? strchr(name, '=') : NULL;
        if (equal != NULL)
            *equal = '\0';
        if (name != NULL && name[0] != '\0')
            (void)pgc__script_pset(script, name, equal != NULL ? equal + 1 : NULL, true);
        free(name);
        line += len + (line[len] == '\n');
    }
}

bool pgc__script_send(struct pgc_engine *engine, const struct pgc_engine_request *request) {
    struct pgc_script *script = pgc__script_of(engine);
    const char *sql = engine->query.data;
    if (script->conn == NULL) {
        pgc__script_error(script, "You are currently not connected to a database.");
        pgc_engine_skip_copy(engine, pgc_lex_copy_from_stdin(sql, engine->query.len));
        return false;
    }
    if (pgc__script_echoes(script, "queries"))
        pgc__script_puts(script, sql), pgc__script_puts(script, "\n");
    if (pgc__script_pipeline_takes(script, sql, request))
        return pgc__script_pipeline_send(script, sql);
    if (!pgc__script_pipeline_drain(script))
        return false;
    if (request->kind == PGC_SEND_DESCRIBE) {
        pgc__script_error(script, "\\gdesc is not served here");
        return false;
    }
    struct pgc_print before = script->style;
    FILE *outer = script->redirect;
    bool outer_is_pipe = script->redirect_is_pipe;
    bool redirected = request->kind == PGC_SEND_PLAIN && request->target != NULL;
    if (redirected && !pgc__script_redirect(script, request->target)) {
        script->redirect = outer;
        return false;
    }
    apply_settings(script, request->settings);
    bool ok = pgc__script_query(script, sql, request);
    script->style = before;
    if (redirected) {
        pgc__script_end_redirect(script);
        script->redirect = outer;
        script->redirect_is_pipe = outer_is_pipe;
    }
    if (script->fatal) {
        engine->failure = script->err.code;
        engine->err = script->err;
    }
    return ok;
}
