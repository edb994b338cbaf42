#include "script/split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "script/engine.h"
#include "script/slash_copy.h"

struct splitter {
    const struct pgc_split_options *options;
    pgc_split_fn *fn;
    void *arg;
    struct pgc_split_end *end;
    size_t copies;    /* data behind the meta-command that was just read */
    bool nonstandard; /* standard_conforming_strings is off */
};

static struct splitter *splitter(struct pgc_engine *e) {
    return e->session->arg;
}

static void hand_out(struct pgc_engine *e, struct pgc_split_item item) {
    struct splitter *s = splitter(e);
    if (e->failure == PGC_OK)
        e->failure = s->fn(s->arg, &item, &e->err);
}

/* Next word of plain text: letters, digits, underscore; else one character. */
static size_t next_word(const char **at) {
    *at += strspn(*at, " \t\r\n\f");
    size_t n = 0;
    while (pgc_lex_variable_name((char[]) { (*at)[n], '\0' }))
        n++;
    return n > 0 ? n : **at != '\0';
}

/* set [session|local] standard_conforming_strings {=|to} VALUE, and reset. */
static void follow_settings(struct splitter *s, const char *sql) {
    static const char setting[] = "standard_conforming_strings";
    const char *at = sql;
    size_t n = next_word(&at);
    bool set = n == 3 && strncasecmp(at, "set", n) == 0;
    bool reset = n == 5 && strncasecmp(at, "reset", n) == 0;
    if (!set && !reset)
        return;
    at += n;
    n = next_word(&at);
    if (set && ((n == 7 && strncasecmp(at, "session", n) == 0) || (n == 5 && strncasecmp(at, "local", n) == 0))) {
        at += n;
        n = next_word(&at);
    }
    if (n != sizeof setting - 1 || strncasecmp(at, setting, n) != 0)
        return;
    if (reset) {
        s->nonstandard = s->options->nonstandard_strings;
        return;
    }
    at += n;
    at += next_word(&at); /* = or to */
    n = next_word(&at);
    if (n == 1 && *at == '\'') {
        at++;
        n = next_word(&at);
    }
    char value[8] = "";
    bool on;
    snprintf(value, sizeof value, "%.*s", (int)(n < sizeof value ? n : sizeof value - 1), at);
    if (pgc_vars_parse_bool(value, &on))
        s->nonstandard = !on;
    else if (strcasecmp(value, "default") == 0)
        s->nonstandard = s->options->nonstandard_strings;
}

static void copy_data(struct pgc_engine *e) {
    const char *data;
    size_t len = 0;
    struct pgc_split_item item = {
        .kind = PGC_SPLIT_COPY_DATA, .offset = e->reader->offset, .end = e->reader->offset, .line = e->reader->lines + 1
    };
    pgc_lexer_keep_line(&e->lexer);
    pgc_reader_begin_copy(e->reader);
    do {
        item.end_line = e->reader->lines;
        item.end += len;
        e->failure = pgc_reader_copy(e->reader, &data, &len, &e->err);
    } while (e->failure == PGC_OK && len > 0);
    pgc_engine_line_passed(e);
    hand_out(e, item);
}

static bool send(struct pgc_engine *e, const struct pgc_engine_request *request) {
    struct splitter *s = splitter(e);
    struct pgc_split_item item = { .kind = PGC_SPLIT_STATEMENT,
                                   .text = e->query.data,
                                   .len = e->query.len,
                                   .offset = e->sql_offset,
                                   .end = e->at_end ? e->read_offset : e->line_offset + pgc_lexer_position(&e->lexer),
                                   .line = e->sql_line,
                                   .end_line = e->at_end ? e->read_line : e->line,
                                   .terminated = request->terminated,
                                   .nonstandard_strings = !e->lexer.standard_strings };
    if (item.len == 0) /* \g without anything to send */
        return true;
    item.copy_from_stdin = pgc_lex_copy_from_stdin(item.text, item.len);
    follow_settings(s, item.text);
    hand_out(e, item);
    for (size_t i = 0; i < item.copy_from_stdin && e->failure == PGC_OK; i++)
        copy_data(e);
    return true;
}

static void message(struct pgc_engine *e, enum pgc_engine_level level, const char *text) {
    struct pgc_split_end *end = splitter(e)->end;
    if (level != PGC_ENGINE_FAILURE || end->error[0] != '\0')
        return;
    snprintf(end->error, sizeof end->error, "%s", text);
    end->error_line = e->line;
}

static void line(struct pgc_engine *e, const char *text, size_t len) {
    struct splitter *s = splitter(e);
    s->end->crlf |= len > 0 && text[len - 1] == '\r';
    s->end->bom |= e->line == 1 && e->line_offset == 3;
    e->lexer.standard_strings = !s->nonstandard;
}

static void meta(struct pgc_engine *e, const char *name, size_t begin) {
    struct splitter *s = splitter(e);
    if (strcmp(name, "c") == 0 || strcmp(name, "connect") == 0)
        s->nonstandard = s->options->nonstandard_strings;
    size_t stop = pgc_lexer_position(&e->lexer);
    if (stop < begin || e->lexer.depth == 0)
        return;
    const char *raw = e->lexer.inputs[0].raw + begin;
    size_t len = stop - begin;
    while (len > 0 && strchr(" \t\r", raw[len - 1]) != NULL)
        len--;
    PGC_AUTO_FREE char *text = strndup(raw, len);
    if (text == NULL) {
        e->lexer.nomem = true;
        return;
    }
    hand_out(e, (struct pgc_split_item) { .kind = PGC_SPLIT_META,
                                          .text = text,
                                          .len = len,
                                          .offset = e->line_offset + begin - 1,
                                          .end = e->line_offset + stop,
                                          .line = e->line,
                                          .end_line = e->line });
    for (; s->copies > 0 && e->failure == PGC_OK; s->copies--)
        copy_data(e);
}

static enum pgc_engine_status run_line_command(struct pgc_engine *e, const char *name) {
    (void)name;
    (void)pgc_lexer_argument(&e->lexer, PGC_ARG_LINE, false, false, NULL, &e->argument);
    return PGC_ENGINE_SKIP;
}

/* \copy sends a COPY of its own; with "from stdin" its data follows in the script. */
static enum pgc_engine_status run_copy(struct pgc_engine *e, const char *name) {
    (void)run_line_command(e, name);
    PGC_CLEANUP(pgc_slash_copy_release) struct pgc_slash_copy copy;
    struct pgc_error err;
    if (pgc_slash_copy_parse(e->argument.data, &copy, &err) != PGC_OK) {
        pgc_engine_error(e, "%s", err.message);
        return PGC_ENGINE_ERROR;
    }
    struct pgc_split_item item = { .kind = PGC_SPLIT_STATEMENT,
                                   .text = copy.sql.data,
                                   .len = copy.sql.len,
                                   .offset = e->line_offset + pgc_lexer_position(&e->lexer) - e->argument.len,
                                   .end = e->line_offset + pgc_lexer_position(&e->lexer),
                                   .line = e->line,
                                   .end_line = e->line,
                                   .copy_from_stdin = copy.from && copy.file == NULL && !copy.outer };
    if (splitter(e)->options->variables)
        hand_out(e, item);
    splitter(e)->copies = item.copy_from_stdin;
    return PGC_ENGINE_SKIP;
}

static enum pgc_engine_status run_send(struct pgc_engine *e, const char *name) {
    (void)e;
    (void)name;
    return PGC_ENGINE_SEND;
}

/* Commands that take the rest of the line, whatever is in it, and those that send what was collected. */
static const struct pgc_engine_command commands[] = {
    { "copy", PGC_IGNORE_LINE, run_copy },
    { "!", PGC_IGNORE_LINE, run_line_command },
    { "h", PGC_IGNORE_LINE, run_line_command },
    { "help", PGC_IGNORE_LINE, run_line_command },
    { "ef", PGC_IGNORE_LINE, run_line_command },
    { "ev", PGC_IGNORE_LINE, run_line_command },
    { "sf", PGC_IGNORE_LINE, run_line_command },
    { "sf+", PGC_IGNORE_LINE, run_line_command },
    { "sv", PGC_IGNORE_LINE, run_line_command },
    { "sv+", PGC_IGNORE_LINE, run_line_command },
    { "crosstabview", PGC_IGNORE_ARGS, run_send },
    { "watch", PGC_IGNORE_ARGS, run_send },
    { NULL, PGC_IGNORE_ARGS, NULL },
};

static enum pgc_code run(struct pgc_reader *reader, const struct pgc_split_options *options, pgc_split_fn *fn,
                         void *arg, struct pgc_split_end *end, struct pgc_error *err) {
    static const struct pgc_engine_ops ops = {
        .send = send, .message = message, .line = line, .meta = meta, .commands = commands, .ignore_unknown = true
    };
    struct pgc_split_end unwanted;
    end = end != NULL ? end : &unwanted;
    *end = (struct pgc_split_end) { 0 };
    struct splitter s = { options, fn, arg, end, 0, options->nonstandard_strings };
    PGC_CLEANUP(pgc_engine_session_release)
    struct pgc_engine_session session = {
        .ops = &ops, .arg = &s, .no_variables = !options->variables, .no_conditions = !options->variables
    };
    for (size_t i = 0; options->set != NULL && options->set[i] != NULL; i += 2) {
        enum pgc_code code = pgc_vars_set(&session.vars, options->set[i], options->set[i + 1], err);
        if (code != PGC_OK)
            return code;
    }
    PGC_CLEANUP(pgc_engine_release) struct pgc_engine engine;
    pgc_engine_init(&engine, &session, reader, NULL);
    engine.lexer.encoding = pgc_lex_encoding_of(options->client_encoding);
    if (pgc_engine_run(&engine) == PGC_SCRIPT_FAILED && engine.failure == PGC_OK)
        return pgc_fail(err, PGC_E_DATA, "line %lu: %s", end->error_line, end->error);
    end->state = engine.lexer.state;
    end->open_line = pgc_lexer_in_quote(&engine.lexer) ? engine.open_line : 0;
    end->paren_depth = engine.lexer.paren_depth;
    end->begin_depth = engine.lexer.begin_depth;
    end->if_line = engine.condition_count > 0 ? engine.conditions[engine.condition_count - 1].line : 0;
    end->lines = engine.line;
    if (engine.failure != PGC_OK)
        *err = engine.err;
    return engine.failure;
}

enum pgc_code pgc_split_text(const char *text, size_t len, const struct pgc_split_options *options, pgc_split_fn *fn,
                             void *arg, struct pgc_split_end *end, struct pgc_error *err) {
    PGC_CLEANUP(pgc_reader_release) struct pgc_reader reader;
    pgc_reader_init_text(&reader, text, len);
    return run(&reader, options, fn, arg, end, err);
}

enum pgc_code pgc_split_source(struct pgc_source *source, const struct pgc_split_options *options, pgc_split_fn *fn,
                               void *arg, struct pgc_split_end *end, struct pgc_error *err) {
    PGC_CLEANUP(pgc_reader_release) struct pgc_reader reader;
    pgc_reader_init(&reader, source);
    return run(&reader, options, fn, arg, end, err);
}

const char *pgc_lex_state_name(enum pgc_lex_state state) {
    static const char *const names[] = { "SQL",
                                         "a bit string (B'')",
                                         "a comment (/*)",
                                         "a quoted identifier (\")",
                                         "a hexadecimal string (X'')",
                                         "a quoted string (')",
                                         "a quoted string (')",
                                         "a dollar-quoted string",
                                         "a quoted identifier (U&\")",
                                         "a quoted string (U&')" };
    return names[state];
}
