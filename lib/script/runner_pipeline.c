/* Statements queued without waiting for the answer of each: one round trip for many of them. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "script/runner_internal.h"

/* Answers are read at the latest after so many statements: the server blocks when nobody takes its output. */
enum { BATCH = 256 };

/* A semicolon that is not the last character: perhaps several statements, which the extended protocol refuses. */
static bool maybe_several(const char *sql) {
    size_t len = strlen(sql);
    while (len > 0 && strchr("; \t\r\n", sql[len - 1]) != NULL)
        len--;
    return memchr(sql, ';', len) != NULL;
}

/* Statements whose answer counts for what comes next: COPY takes data, SET may change how strings are read. Behind a
 * leading comment anything may stand. */
static bool must_be_waited_for(const char *sql) {
    static const char *const first[] = { "copy", "set", "reset", "discard", "/", "-" };
    sql += strspn(sql, " \t\r\n");
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        if (strncasecmp(sql, first[i], strlen(first[i])) == 0)
            return true;
    return false;
}

bool pgc__script_pipeline_takes(const struct pgc_script *script, const char *sql,
                                const struct pgc_engine_request *request) {
    return script->options.pipeline && request->kind == PGC_SEND_PLAIN && request->target == NULL &&
           request->settings == NULL && pgc_conn_tx_status(script->conn) != 'E' && !must_be_waited_for(sql) &&
           !maybe_several(sql);
}

static bool start(struct pgc_script *script) {
    struct pgc_error err;
    if (script->in_pipeline)
        return true;
    if (pgc_raw_pipeline_begin(script->conn, &err) != PGC_OK) {
        pgc__script_broken(script, &err);
        return false;
    }
    script->in_pipeline = true;
    return true;
}

bool pgc__script_pipeline_send(struct pgc_script *script, const char *sql) {
    struct pgc_error err;
    if (!start(script))
        return false;
    if (!pgc_array_grow(&script->queue, &script->queue_cap, script->queued + 1, sizeof *script->queue)) {
        pgc__script_error(script, "out of memory");
        return false;
    }
    enum pgc_code code = pgc_raw_pipeline_send(script->conn, sql, &err);
    if (code != PGC_OK) {
        pgc__script_broken(script, &err);
        return false;
    }
    const char *file = script->engine->file;
    script->queue[script->queued++] = (struct pgc__queued) { script->engine->line, file != NULL ? strdup(file) : NULL };
    return script->queued < BATCH || pgc__script_pipeline_drain(script);
}

/* A failure is told with the line its statement ended at. */
static void tell_failure(struct pgc_script *script, const struct pgc__queued *at, const struct pgc_raw_result *result) {
    struct pgc_engine *engine = script->engine;
    if (engine == NULL) {
        (void)pgc__script_failed(script, result);
        return;
    }
    unsigned long line = engine->line;
    const char *file = engine->file;
    engine->line = at->line;
    engine->file = at->file;
    (void)pgc__script_failed(script, result);
    engine->line = line;
    engine->file = file;
}

static bool read_answers(struct pgc_script *script, enum pgc_code *code, struct pgc_error *err) {
    PGC_AUTO(pgc_raw_result_free) struct pgc_raw_result *result = NULL;
    bool ok = true;
    for (size_t at = 0; *code == PGC_OK;) {
        *code = pgc_raw_next(script->conn, &result, err);
        if (*code != PGC_OK)
            break;
        if (result == NULL) {
            at++;
            if (at > script->queued + 1)
                break;
            continue;
        }
        enum pgc_raw_kind kind = pgc_raw_kind(result);
        if (kind == PGC_RAW_SYNC)
            break;
        if (kind == PGC_RAW_FAILED && at < script->queued) {
            tell_failure(script, &script->queue[at], result);
            pgc__script_result_variables(script, result);
        }
        ok = ok && kind != PGC_RAW_FAILED && kind != PGC_RAW_ABORTED;
    }
    return ok;
}

bool pgc__script_pipeline_drain(struct pgc_script *script) {
    struct pgc_error err;
    if (!script->in_pipeline || script->conn == NULL)
        return true;
    enum pgc_code code = pgc_raw_pipeline_sync(script->conn, &err);
    bool ok = read_answers(script, &code, &err);
    for (size_t i = 0; i < script->queued; i++)
        free(script->queue[i].file);
    script->queued = 0;
    script->in_pipeline = false;
    if (code == PGC_OK)
        code = pgc_raw_pipeline_end(script->conn, &err);
    if (code != PGC_OK) {
        pgc__script_broken(script, &err);
        return false;
    }
    return ok;
}
