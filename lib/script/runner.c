#include "script/runner.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/file.h"
#include "script/runner_internal.h"

enum { FLUSH_AT = 32768 };

struct pgc_script *pgc__script_of(const struct pgc_engine *engine) {
    return engine->session->arg;
}

/* --- output ------------------------------------------------------------------------------------------- */

static void fatal(struct pgc_script *script, const struct pgc_error *err) {
    if (!script->fatal)
        script->err = *err;
    script->fatal = true;
}

void pgc__script_flush(struct pgc_script *script) {
    struct pgc_error err;
    if (script->options.out != NULL && script->pending.len > 0 && !script->fatal &&
        pgc_sink_put(script->options.out, script->pending.data, script->pending.len, &err) != PGC_OK)
        fatal(script, &err);
    pgc_buf_clear(&script->pending);
}

void pgc__script_put(struct pgc_script *script, const void *data, size_t len) {
    if (script->redirect != NULL) {
        fwrite(data, 1, len, script->redirect);
        return;
    }
    if (script->options.out == NULL)
        return;
    if (script->pending.len + len > FLUSH_AT)
        pgc__script_flush(script);
    pgc_buf_put(&script->pending, data, len);
    if (script->pending.len > FLUSH_AT)
        pgc__script_flush(script);
}

void pgc__script_puts(struct pgc_script *script, const char *text) {
    pgc__script_put(script, text, strlen(text));
}

bool pgc__script_redirect(struct pgc_script *script, const char *target) {
    bool pipe = target[0] == '|';
    if (pipe && !script->options.allow_shell) {
        pgc__script_error(script, "%s: no shell is run here (--allow-shell)", target);
        return false;
    }
    pgc__script_flush(script);
    FILE *file = pipe ? popen(target + 1, "w") : fopen(target, "w");
    if (file == NULL) {
        pgc__script_error(script, "%s: %m", target);
        return false;
    }
    script->redirect = file;
    script->redirect_is_pipe = pipe;
    return true;
}

void pgc__script_end_redirect(struct pgc_script *script) {
    if (script->redirect == NULL)
        return;
    int bad = ferror(script->redirect);
    if ((script->redirect_is_pipe ? pclose(script->redirect) : fclose(script->redirect)) != 0 || bad)
        pgc__script_error(script, "cannot write all of the query output");
    script->redirect = NULL;
}

/* --- messages ----------------------------------------------------------------------------------------- */

void pgc__script_blame(struct pgc_script *script, const char *sqlstate, const char *message) {
    struct pgc_script_fault *fault = &script->fault;
    if (fault->message[0] != '\0')
        return;
    const struct pgc_engine *engine = script->engine;
    fault->line = engine != NULL ? engine->line : 0;
    snprintf(fault->file, sizeof fault->file, "%s", engine != NULL && engine->file != NULL ? engine->file : "");
    snprintf(fault->sqlstate, sizeof fault->sqlstate, "%s", sqlstate != NULL ? sqlstate : "");
    snprintf(fault->message, sizeof fault->message, "%.*s", (int)strcspn(message, "\n"), message);
}

void pgc__script_message(struct pgc_script *script, enum pgc_engine_level level, const char *text) {
    static const char *const words[] = { "", "warning: ", "error: " };
    const struct pgc_engine *engine = script->engine;
    const char *program = script->options.program != NULL ? script->options.program : "psql";
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf line = PGC_BUF_INIT;
    if (level == PGC_ENGINE_FAILURE)
        pgc__script_blame(script, NULL, text);
    if (script->options.message == NULL)
        return;
    if (engine == NULL)
        pgc_buf_putf(&line, "%s: %s", program, words[level]);
    else if (engine->file != NULL)
        pgc_buf_putf(&line, "%s:%s:%lu: %s", program, engine->file, engine->line, words[level]);
    pgc_buf_puts(&line, text);
    if (line.len == 0 || line.data[line.len - 1] != '\n')
        pgc_buf_putc(&line, '\n');
    script->options.message(script->options.message_arg, line.data);
}

void pgc__script_error(struct pgc_script *script, const char *format, ...) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    va_list args;
    va_start(args, format);
    pgc_buf_vputf(&text, format, args);
    va_end(args);
    pgc__script_message(script, PGC_ENGINE_FAILURE, text.data);
}

void pgc__script_broken(struct pgc_script *script, const struct pgc_error *err) {
    if (err->code != PGC_E_TEMPORARY) {
        fatal(script, err);
        return;
    }
    const char *text = pgc_raw_connection_message(script->conn);
    if (text[0] != '\0')
        pgc__script_message(script, PGC_ENGINE_PLAIN, text);
    pgc__script_lost(script);
}

void pgc__script_lost(struct pgc_script *script) {
    pgc__script_error(script, "connection to server was lost");
    if (script->owns_conn)
        pgc_conn_free(script->conn);
    else
        pgc_conn_on_notice(script->conn, NULL, NULL);
    script->conn = NULL;
}

static void on_message(struct pgc_engine *engine, enum pgc_engine_level level, const char *text) {
    pgc__script_message(pgc__script_of(engine), level, text);
}

static void on_notice(void *arg, const char *severity, const char *sqlstate, const char *message, const char *whole) {
    (void)severity;
    (void)sqlstate;
    (void)message;
    pgc__script_message(arg, PGC_ENGINE_PLAIN, whole);
}

/* --- the engine's questions ------------------------------------------------------------------------------ */

bool pgc__script_bool(const struct pgc_script *script, const char *variable) {
    const char *text = pgc_vars_get(&script->session.vars, variable);
    bool value;
    return text != NULL && pgc_vars_parse_bool(text, &value) && value;
}

bool pgc__script_quiet(const struct pgc_script *script) {
    return pgc__script_bool(script, "QUIET");
}

bool pgc__script_echoes(const struct pgc_script *script, const char *what) {
    const char *echo = pgc_vars_get(&script->session.vars, "ECHO");
    return echo != NULL && strcmp(echo, what) == 0;
}

static void on_line(struct pgc_engine *engine, const char *text, size_t len) {
    struct pgc_script *script = pgc__script_of(engine);
    if (script->conn != NULL) {
        const char *strings = pgc_conn_parameter(script->conn, "standard_conforming_strings");
        engine->lexer.standard_strings = strings == NULL || strcmp(strings, "on") == 0;
        engine->lexer.encoding = pgc_lex_encoding_of(pgc_raw_encoding(script->conn));
    }
    if (pgc__script_echoes(script, "all")) {
        pgc_buf_put(&script->pending, text, len);
        pgc_buf_putc(&script->pending, '\n');
    }
}

/* echo "$NAME", echo "${NAME}" or echo $NAME: the value, without a shell. NULL: something else. */
static const char *echoed_variable(const char *command, char *name, size_t size) {
    const char *p = command + strspn(command, " \t");
    if (strncmp(p, "echo", 4) != 0 || (p[4] != ' ' && p[4] != '\t'))
        return NULL;
    p += 4 + strspn(p + 4, " \t");
    bool quoted = *p == '"';
    p += quoted;
    if (*p++ != '$')
        return NULL;
    bool braces = *p == '{';
    p += braces;
    size_t n = 0;
    while (pgc_lex_variable_name((char[]) { p[n], '\0' }))
        n++;
    if (n == 0 || n >= size)
        return NULL;
    memcpy(name, p, n);
    name[n] = '\0';
    p += n;
    if ((braces && *p++ != '}') || (quoted && *p++ != '"'))
        return NULL;
    if (p[strspn(p, " \t")] != '\0')
        return NULL;
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

static bool on_backtick(struct pgc_engine *engine, const char *command, struct pgc_buf *out) {
    struct pgc_script *script = pgc__script_of(engine);
    char name[128];
    const char *value = echoed_variable(command, name, sizeof name);
    if (value != NULL) {
        pgc_buf_puts(out, value);
        return true;
    }
    if (!script->options.allow_shell) {
        pgc_engine_error(engine, "`%s`: no shell is run here (--allow-shell)", command);
        return false;
    }
    pgc__script_flush(script);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL) {
        pgc_engine_error(engine, "%s: %m", command);
        return false;
    }
    size_t before = out->len, n;
    char block[4096];
    while ((n = fread(block, 1, sizeof block, pipe)) > 0)
        pgc_buf_put(out, block, n);
    if (pclose(pipe) == -1) {
        pgc_engine_error(engine, "%s: %m", command);
        pgc_buf_truncate(out, before);
        return false;
    }
    if (out->len > before && out->data[out->len - 1] == '\n')
        pgc_buf_truncate(out, out->len - 1);
    return true;
}

static void on_list(struct pgc_engine *engine) {
    const struct pgc_vars *vars = &engine->session->vars;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    for (size_t i = 0; i < vars->count; i++)
        pgc_buf_putf(&text, "%s = '%s'\n", vars->items[i].name, vars->items[i].value);
    pgc__script_put(pgc__script_of(engine), text.data, text.len);
}

static bool on_alive(struct pgc_engine *engine) {
    return pgc__script_of(engine)->conn != NULL;
}

static const struct pgc_engine_ops *script_ops(void) {
    static const struct pgc_engine_ops ops = { .send = pgc__script_send,
                                               .message = on_message,
                                               .backtick = on_backtick,
                                               .assign = pgc__script_assign,
                                               .list = on_list,
                                               .line = on_line,
                                               .alive = on_alive,
                                               .commands = pgc__script_commands };
    return &ops;
}

/* --- life --------------------------------------------------------------------------------------------- */

static enum pgc_code set_given(struct pgc_script *script, struct pgc_error *err) {
    const char *const *v = script->options.variables;
    for (size_t i = 0; v != NULL && v[i] != NULL; i += 2) {
        enum pgc_code code = pgc_script_set(script, v[i], v[i + 1], err);
        if (code != PGC_OK)
            return code;
    }
    return PGC_OK;
}

enum pgc_code pgc_script_open(const struct pgc_script_options *options, const struct pgc_runtime *rt,
                              struct pgc_script **out, struct pgc_error *err) {
    PGC_AUTO(pgc_script_free) struct pgc_script *script = calloc(1, sizeof *script);
    if (script == NULL)
        return pgc_fail_nomem(err);
    *script = (struct pgc_script) {
        .options = *options, .rt = rt, .conn = options->conn, .style = PGC_PRINT_INIT, .pending = PGC_BUF_INIT
    };
    script->session.ops = script_ops();
    script->session.arg = script;
    pgc__script_defaults(script);
    enum pgc_code code = PGC_OK;
    if (script->conn == NULL) {
        code = pgc_conn_open(&options->connect, rt, &script->conn, err);
        script->owns_conn = code == PGC_OK;
    }
    if (code == PGC_OK) {
        pgc_conn_on_notice(script->conn, on_notice, script);
        pgc__script_sync(script);
        code = set_given(script, err);
    }
    if (code != PGC_OK)
        return code;
    *out = script;
    script = NULL;
    return PGC_OK;
}

void pgc_script_free(struct pgc_script *script) {
    if (script == NULL)
        return;
    pgc__script_flush(script);
    pgc__script_end_redirect(script);
    if (script->owns_conn)
        pgc_conn_free(script->conn);
    else if (script->conn != NULL)
        pgc_conn_on_notice(script->conn, NULL, NULL);
    pgc_engine_session_release(&script->session);
    pgc_buf_release(&script->pending);
    for (size_t i = 0; i < script->queued; i++)
        free(script->queue[i].file);
    free(script->queue);
    free(script);
}

/* --- runs --------------------------------------------------------------------------------------------- */

/* Runs one input inside whatever runs now. */
static int run_reader(struct pgc_script *script, struct pgc_reader *reader, const char *name) {
    struct pgc_engine *outer = script->engine;
    PGC_CLEANUP(pgc_engine_release) struct pgc_engine engine;
    pgc_engine_init(&engine, &script->session, reader, name);
    script->engine = &engine;
    int status = pgc_engine_run(&engine);
    if (engine.failure != PGC_OK)
        fatal(script, &engine.err);
    if (!pgc__script_pipeline_drain(script) && status == PGC_SCRIPT_DONE)
        status = PGC_SCRIPT_STOPPED;
    script->engine = outer;
    return script->fatal ? PGC_SCRIPT_FAILED : status;
}

int pgc__script_run_file(struct pgc_script *script, const char *path, bool nested) {
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    struct pgc_error err;
    if (pgc_file_source(path, &source, &err) != PGC_OK) {
        if (err.os_errno != 0)
            pgc__script_error(script, "%s: %s", path, strerror(err.os_errno));
        else
            pgc__script_error(script, "%s", err.message);
        return PGC_SCRIPT_FAILED;
    }
    (void)nested;
    PGC_CLEANUP(pgc_reader_release) struct pgc_reader reader;
    pgc_reader_init(&reader, source);
    return run_reader(script, &reader, path);
}

/* What the caller gets: nothing when the script was to go on after errors, as psql does. */
static enum pgc_code outcome(struct pgc_script *script, int status, struct pgc_error *err) {
    pgc__script_flush(script);
    script->status = status;
    script->fault.status = script->status;
    if (script->fatal) {
        *err = script->err;
        return err->code;
    }
    if (status == PGC_SCRIPT_DONE)
        return PGC_OK;
    const struct pgc_script_fault *fault = &script->fault;
    enum pgc_code code = status == PGC_SCRIPT_BAD_CONNECTION ? PGC_E_TEMPORARY
                         : fault->sqlstate[0] != '\0'        ? PGC_E_SQL
                                                             : PGC_E_DATA;
    if (fault->file[0] != '\0')
        pgc_fail(err, code, "%s:%lu: %s", fault->file, fault->line, fault->message);
    else
        pgc_fail(err, code, "%s", fault->message[0] != '\0' ? fault->message : "the script failed");
    memcpy(err->sqlstate, fault->sqlstate, sizeof err->sqlstate);
    return code;
}

enum pgc_code pgc_script_run_file(struct pgc_script *script, const char *path, struct pgc_error *err) {
    return outcome(script, pgc__script_run_file(script, path, false), err);
}

enum pgc_code pgc_script_run_source(struct pgc_script *script, struct pgc_source *source, const char *name,
                                    struct pgc_error *err) {
    PGC_CLEANUP(pgc_reader_release) struct pgc_reader reader;
    pgc_reader_init(&reader, source);
    return outcome(script, run_reader(script, &reader, name), err);
}

enum pgc_code pgc_script_run_text(struct pgc_script *script, const char *text, size_t len, const char *name,
                                  struct pgc_error *err) {
    PGC_CLEANUP(pgc_reader_release) struct pgc_reader reader;
    pgc_reader_init_text(&reader, text, len);
    return outcome(script, run_reader(script, &reader, name), err);
}

enum pgc_code pgc_script_run_command(struct pgc_script *script, const char *text, struct pgc_error *err) {
    PGC_CLEANUP(pgc_reader_release) struct pgc_reader reader;
    PGC_CLEANUP(pgc_engine_release) struct pgc_engine engine;
    pgc_reader_init(&reader, script->options.in); /* data of COPY ... FROM STDIN */
    pgc_engine_init(&engine, &script->session, &reader, NULL);
    script->engine = &engine;
    const char *start = text + strspn(text, " \t\r\n\f");
    bool ok;
    if (start[0] == '\\') {
        enum pgc_engine_status status = pgc_engine_run_meta(&engine, start + 1);
        ok = status != PGC_ENGINE_ERROR;
    } else {
        struct pgc_engine_request request = { .terminated = true };
        if (pgc__script_echoes(script, "all"))
            pgc__script_puts(script, text), pgc__script_puts(script, "\n");
        pgc_buf_puts(&engine.query, text);
        ok = pgc__script_send(&engine, &request);
    }
    ok = pgc__script_pipeline_drain(script) && ok;
    script->engine = NULL;
    return outcome(script,
                   script->conn == NULL && !ok ? PGC_SCRIPT_BAD_CONNECTION
                   : ok                        ? PGC_SCRIPT_DONE
                                               : PGC_SCRIPT_FAILED,
                   err);
}

enum pgc_code pgc_script_begin(struct pgc_script *script, struct pgc_error *err) {
    if (!script->options.single_transaction)
        return PGC_OK;
    return outcome(script, pgc__script_plain(script, "BEGIN") ? PGC_SCRIPT_DONE : PGC_SCRIPT_FAILED, err);
}

enum pgc_code pgc_script_end(struct pgc_script *script, bool success, struct pgc_error *err) {
    if (!script->options.single_transaction || script->conn == NULL)
        return PGC_OK;
    int status = script->status;
    enum pgc_code code = outcome(
        script, pgc__script_plain(script, success ? "COMMIT" : "ROLLBACK") ? PGC_SCRIPT_DONE : PGC_SCRIPT_STOPPED, err);
    if (code == PGC_OK)
        script->status = status;
    return code;
}

enum pgc_code pgc_script_pset(struct pgc_script *script, const char *name, const char *value, struct pgc_error *err) {
    if (pgc__script_pset(script, name, value, true))
        return PGC_OK;
    return pgc_fail(err, PGC_E_USAGE, "could not set printing parameter \"%s\"", name);
}

enum pgc_code pgc_script_output(struct pgc_script *script, const char *path, struct pgc_error *err) {
    if (pgc__script_redirect(script, path))
        return PGC_OK;
    return pgc_fail(err, PGC_E_IO, "cannot write '%s'", path);
}

int pgc_script_exit_status(const struct pgc_script *script) {
    return script->status;
}

const struct pgc_script_fault *pgc_script_fault(const struct pgc_script *script) {
    return &script->fault;
}

const char *pgc_script_variable(const struct pgc_script *script, const char *name) {
    return pgc_vars_get(&script->session.vars, name);
}

enum pgc_code pgc_script_set(struct pgc_script *script, const char *name, const char *value, struct pgc_error *err) {
    PGC_CLEANUP(pgc_engine_release) struct pgc_engine engine;
    PGC_CLEANUP(pgc_reader_release) struct pgc_reader reader;
    pgc_reader_init_text(&reader, "", 0);
    pgc_engine_init(&engine, &script->session, &reader, NULL);
    if (!pgc_lex_variable_name(name))
        return pgc_fail(err, PGC_E_USAGE, "invalid variable name: \"%s\"", name);
    if (!pgc__script_assign(&engine, name, &value))
        return pgc_fail(err, PGC_E_USAGE, "could not set variable \"%s\"", name);
    return pgc_vars_set(&script->session.vars, name, value, err);
}
