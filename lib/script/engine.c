#include "script/engine.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

void pgc_engine_session_release(struct pgc_engine_session *session) {
    pgc_vars_release(&session->vars);
    free(session->restrict_key);
    session->restrict_key = NULL;
}

bool pgc_engine_active(const struct pgc_engine *engine) {
    if (engine->condition_count == 0)
        return true;
    enum pgc_engine_branch state = engine->conditions[engine->condition_count - 1].state;
    return state == PGC_BRANCH_TRUE || state == PGC_BRANCH_ELSE_TRUE;
}

bool pgc_engine_stops_on_error(const struct pgc_engine *engine) {
    const char *text = pgc_vars_get(&engine->session->vars, "ON_ERROR_STOP");
    bool value;
    return text != NULL && pgc_vars_parse_bool(text, &value) && value;
}

PGC_PRINTF(3, 0)
static void tell(struct pgc_engine *e, enum pgc_engine_level level, const char *format, va_list args) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    pgc_buf_vputf(&text, format, args);
    e->session->ops->message(e, level, text.data);
}

void pgc_engine_error(struct pgc_engine *engine, const char *format, ...) {
    va_list args;
    va_start(args, format);
    tell(engine, PGC_ENGINE_FAILURE, format, args);
    va_end(args);
}

void pgc_engine_warn(struct pgc_engine *engine, const char *format, ...) {
    va_list args;
    va_start(args, format);
    tell(engine, PGC_ENGINE_WARNING, format, args);
    va_end(args);
}

bool pgc_engine_set(struct pgc_engine *engine, const char *name, const char *value) {
    const struct pgc_engine_ops *ops = engine->session->ops;
    struct pgc_error err;
    if (engine->backtick_failed)
        return false;
    if (ops->assign != NULL && !ops->assign(engine, name, &value))
        return false;
    if (pgc_vars_set(&engine->session->vars, name, value, &err) == PGC_OK)
        return true;
    pgc_engine_error(engine, "%s", err.message);
    return false;
}

static const char *hook_variable(void *arg, const char *name) {
    struct pgc_engine *e = arg;
    return pgc_engine_active(e) ? pgc_vars_get(&e->session->vars, name) : NULL;
}

static bool hook_backtick(void *arg, const char *command, struct pgc_buf *out) {
    struct pgc_engine *e = arg;
    if (e->session->ops->backtick == NULL || e->session->ops->backtick(e, command, out))
        return true;
    e->backtick_failed = true;
    return false;
}

static void hook_error(void *arg, const char *message) {
    pgc_engine_error(arg, "%s", message);
}

static void hook_warning(void *arg, const char *message) {
    pgc_engine_warn(arg, "%s", message);
}

void pgc_engine_init(struct pgc_engine *engine, struct pgc_engine_session *session, struct pgc_reader *reader,
                     const char *file) {
    *engine = (struct pgc_engine) { .session = session,
                                    .reader = reader,
                                    .file = file,
                                    .query = PGC_BUF_INIT,
                                    .previous = PGC_BUF_INIT,
                                    .name = PGC_BUF_INIT,
                                    .argument = PGC_BUF_INIT };
    struct pgc_lexer_hooks hooks = { session->no_variables ? NULL : hook_variable, hook_backtick, hook_error,
                                     hook_warning, engine };
    pgc_lexer_init(&engine->lexer, &hooks);
}

void pgc_engine_release(struct pgc_engine *engine) {
    pgc_lexer_release(&engine->lexer);
    pgc_buf_release(&engine->query);
    pgc_buf_release(&engine->previous);
    pgc_buf_release(&engine->name);
    pgc_buf_release(&engine->argument);
    pgc__engine_request_clear(&engine->request);
    free(engine->conditions);
}

const char *pgc_engine_argument(struct pgc_engine *engine, enum pgc_lex_argument type, bool strip, char *quote) {
    bool active = pgc_engine_active(engine);
    return pgc_lexer_argument(&engine->lexer, type, strip, active, quote, &engine->argument) ? engine->argument.data
                                                                                             : NULL;
}

char *pgc_engine_argument_copy(struct pgc_engine *engine, enum pgc_lex_argument type, bool strip) {
    const char *text = pgc_engine_argument(engine, type, strip, NULL);
    return text != NULL ? strdup(text) : NULL;
}

/* --- meta-commands ---------------------------------------------------------------------------------------- */

static const struct pgc_engine_command *find_command(struct pgc_engine *e, const char *name) {
    const struct pgc_engine_ops *ops = e->session->ops;
    for (const struct pgc_engine_command *c = ops->commands; c->name != NULL; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return pgc__engine_core_command(name);
}

static bool is_branching(const char *name) {
    return strcmp(name, "if") == 0 || strcmp(name, "elif") == 0 || strcmp(name, "else") == 0 ||
           strcmp(name, "endif") == 0;
}

static void eat_arguments(struct pgc_engine *e, enum pgc_engine_ignore kind, const char *complain_for) {
    if (kind == PGC_IGNORE_LINE) {
        (void)pgc_lexer_argument(&e->lexer, PGC_ARG_LINE, false, false, NULL, &e->argument);
        return;
    }
    if (kind == PGC_IGNORE_FILE)
        (void)pgc_lexer_argument(&e->lexer, PGC_ARG_FILE, false, false, NULL, &e->argument);
    while (pgc_lexer_argument(&e->lexer, PGC_ARG_NORMAL, false, false, NULL, &e->argument))
        if (complain_for != NULL)
            pgc_engine_warn(e, "\\%s: extra argument \"%s\" ignored", complain_for, e->argument.data);
}

static enum pgc_engine_status dispatch(struct pgc_engine *e, const char *name, bool active) {
    const struct pgc_engine_session *session = e->session;
    if (session->restrict_key != NULL && strcmp(name, "unrestrict") != 0) {
        pgc_engine_error(e, "backslash commands are restricted; only \\unrestrict is allowed");
        return PGC_ENGINE_ERROR;
    }
    const struct pgc_engine_command *command = find_command(e, name);
    bool branching = is_branching(name) && !session->no_conditions;
    if (command == NULL && session->ops->ignore_unknown) {
        eat_arguments(e, PGC_IGNORE_ARGS, NULL);
        return PGC_ENGINE_SKIP;
    }
    if (command == NULL) {
        pgc_engine_error(e, "invalid command \\%s", name);
        return PGC_ENGINE_ERROR;
    }
    if ((!active && !branching) || (session->no_conditions && is_branching(name))) {
        eat_arguments(e, command->ignore, NULL);
        return PGC_ENGINE_SKIP;
    }
    return command->run(e, name);
}

/* psql sends the query before when the buffer is empty. */
static void take_previous(struct pgc_engine *e) {
    if (e->query.len == 0)
        pgc_buf_put(&e->query, e->previous.data, e->previous.len);
}

static enum pgc_engine_status run_meta(struct pgc_engine *e) {
    const struct pgc_engine_ops *ops = e->session->ops;
    size_t begin = pgc_lexer_position(&e->lexer);
    bool active = pgc_engine_active(e);
    pgc_lexer_command(&e->lexer, &e->name);
    PGC_AUTO_FREE char *name = strdup(e->name.data);
    if (name == NULL) {
        e->lexer.nomem = true;
        return PGC_ENGINE_ERROR;
    }
    e->backtick_failed = false;
    enum pgc_engine_status status = dispatch(e, name, active);
    if (e->backtick_failed)
        status = PGC_ENGINE_ERROR;
    if (status != PGC_ENGINE_ERROR)
        eat_arguments(e, PGC_IGNORE_ARGS, pgc_engine_active(e) ? name : NULL);
    else
        eat_arguments(e, PGC_IGNORE_LINE, NULL);
    if (ops->meta != NULL)
        ops->meta(e, name, begin);
    pgc_lexer_command_end(&e->lexer);
    if (status == PGC_ENGINE_SEND)
        take_previous(e);
    return status;
}

/* --- statements ------------------------------------------------------------------------------------------- */

static void swap_previous(struct pgc_engine *e) {
    struct pgc_buf old = e->previous;
    e->previous = e->query;
    e->query = old;
    pgc_buf_clear(&e->query);
    /* one huge statement must not keep its memory twice for the rest of the script */
    if (e->query.cap > 1 << 20)
        pgc_buf_release(&e->query);
    if (e->previous.cap > 1 << 20)
        pgc_buf_release(&e->previous);
}

static bool send(struct pgc_engine *e) {
    bool ok = e->query.failed ? false : e->session->ops->send(e, &e->request);
    pgc__engine_request_clear(&e->request);
    swap_previous(e);
    return ok;
}

void pgc_engine_skip_copy(struct pgc_engine *engine, size_t count) {
    const char *data;
    size_t len = 0;
    if (count > 0)
        pgc_lexer_keep_line(&engine->lexer);
    for (; count > 0 && engine->failure == PGC_OK; count--) {
        pgc_reader_begin_copy(engine->reader);
        do
            engine->failure = pgc_reader_copy(engine->reader, &data, &len, &engine->err);
        while (engine->failure == PGC_OK && len > 0);
    }
    pgc_engine_line_passed(engine);
}

void pgc_engine_line_passed(struct pgc_engine *engine) {
    if (engine->reader->lines > engine->line)
        engine->line = engine->reader->lines;
}

/* --- the loop --------------------------------------------------------------------------------------------- */

struct loop {
    bool success;
    enum pgc_engine_status last;
};

static bool check(struct pgc_engine *e) {
    if (e->failure == PGC_OK)
        e->failure = pgc_lexer_check(&e->lexer, &e->err);
    if (e->failure == PGC_OK)
        e->failure = pgc_buf_check(&e->query, &e->err);
    return e->failure == PGC_OK;
}

static void note_start(struct pgc_engine *e, size_t before) {
    if (before == 0 && e->query.len > 0) {
        e->sql_line = e->line;
        e->sql_offset = e->line_offset + e->lexer.start;
    }
}

static void after_backslash(struct pgc_engine *e, struct loop *loop, size_t newline_at) {
    if (newline_at > 0 && e->query.len == newline_at)
        pgc_buf_truncate(&e->query, newline_at - 1);
    loop->last = run_meta(e);
    loop->success = loop->last != PGC_ENGINE_ERROR;
    if (loop->last == PGC_ENGINE_SEND) {
        loop->success = send(e);
        pgc_lexer_reset(&e->lexer);
    }
}

/* One line; the flow of psql's main loop. */
static void run_line(struct pgc_engine *e, struct loop *loop) {
    size_t newline_at = 0;
    if (e->query.len > 0) {
        pgc_buf_putc(&e->query, '\n');
        newline_at = e->query.len;
    }
    loop->success = true;
    while (loop->success || !pgc_engine_stops_on_error(e)) {
        size_t before = e->query.len;
        enum pgc_lex verdict = pgc_lexer_next(&e->lexer, &e->query);
        note_start(e, before);
        if (!check(e))
            return;
        if (verdict == PGC_LEX_SEMICOLON) {
            loop->success = true;
            if (pgc_engine_active(e)) {
                e->request.terminated = true;
                loop->success = send(e);
                newline_at = 0;
            }
            loop->last = PGC_ENGINE_SEND;
        } else if (verdict == PGC_LEX_BACKSLASH) {
            after_backslash(e, loop, newline_at);
            newline_at = 0;
            if (loop->last == PGC_ENGINE_TERMINATE)
                return;
        } else
            return;
        if (e->failure != PGC_OK)
            return;
    }
}

static bool alive(struct pgc_engine *e) {
    const struct pgc_engine_ops *ops = e->session->ops;
    return ops->alive == NULL || ops->alive(e);
}

static int judge(struct pgc_engine *e, bool success) {
    if (!success && pgc_engine_stops_on_error(e))
        return PGC_SCRIPT_STOPPED;
    return alive(e) ? PGC_SCRIPT_DONE : PGC_SCRIPT_BAD_CONNECTION;
}

/* False: end of input, or failure. */
static bool next_line(struct pgc_engine *e, const char **line, size_t *len) {
    uint64_t offset = e->reader->offset;
    e->failure = pgc_reader_line(e->reader, line, len, &e->err);
    if (e->failure != PGC_OK || *line == NULL)
        return false;
    e->line_offset = offset;
    e->line = e->reader->lines + (e->reader->data + e->reader->pos == *line + *len);
    if (e->line == 1 && *len >= 3 && memcmp(*line, "\xef\xbb\xbf", 3) == 0) {
        *line += 3;
        *len -= 3;
        e->line_offset += 3;
    }
    return true;
}

static bool acceptable(struct pgc_engine *e, const char *line, size_t len) {
    if (e->line == 1 && len >= 5 && memcmp(line, "PGDMP", 5) == 0)
        pgc_engine_error(e, "the input is a PostgreSQL custom-format dump: use pg_restore");
    else if (memchr(line, '\0', len) != NULL)
        pgc_engine_error(e, "the line holds a NUL byte: the input is not a text file");
    else
        return true;
    return false;
}

static void run_rest(struct pgc_engine *e, int *status) {
    if (e->query.len == 0)
        return;
    e->at_end = true;
    bool success = true;
    if (pgc_engine_active(e))
        success = send(e);
    *status = judge(e, success);
}

int pgc_engine_run(struct pgc_engine *engine) {
    const struct pgc_engine_ops *ops = engine->session->ops;
    struct loop loop = { true, PGC_ENGINE_SKIP };
    int status = PGC_SCRIPT_DONE;
    const char *line;
    size_t len;
    while (status == PGC_SCRIPT_DONE && next_line(engine, &line, &len)) {
        if (!acceptable(engine, line, len))
            return PGC_SCRIPT_FAILED;
        bool in_quote = pgc_lexer_in_quote(&engine->lexer);
        if (len == 0 && !in_quote)
            continue;
        if (ops->line != NULL)
            ops->line(engine, line, len);
        pgc_lexer_line(&engine->lexer, line, len);
        run_line(engine, &loop);
        engine->read_offset = engine->line_offset + len;
        engine->read_line = engine->line;
        if (engine->failure != PGC_OK)
            return PGC_SCRIPT_FAILED;
        if (loop.last == PGC_ENGINE_TERMINATE)
            return PGC_SCRIPT_DONE;
        if (!in_quote && pgc_lexer_in_quote(&engine->lexer))
            engine->open_line = engine->line;
        status = judge(engine, loop.success);
    }
    if (engine->failure != PGC_OK)
        return PGC_SCRIPT_FAILED;
    if (status == PGC_SCRIPT_DONE)
        run_rest(engine, &status);
    if (status != PGC_SCRIPT_STOPPED && engine->condition_count > 0) {
        pgc_engine_error(engine, "reached EOF without finding closing \\endif(s)");
        if (pgc_engine_stops_on_error(engine))
            status = PGC_SCRIPT_STOPPED;
    }
    return status;
}

enum pgc_engine_status pgc_engine_run_meta(struct pgc_engine *engine, const char *text) {
    pgc_lexer_line(&engine->lexer, text, strlen(text));
    enum pgc_engine_status status = run_meta(engine);
    if (status == PGC_ENGINE_SEND)
        status = send(engine) ? PGC_ENGINE_SKIP : PGC_ENGINE_ERROR;
    return status;
}
