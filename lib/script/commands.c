/* Meta-commands that need no server: variables, conditions, the g family, the query buffer. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "script/engine.h"

void pgc__engine_request_clear(struct pgc_engine_request *request) {
    free(request->target);
    free(request->settings);
    *request = (struct pgc_engine_request) { 0 };
}

/* --- conditions ------------------------------------------------------------------------------------------- */

static bool push(struct pgc_engine *e, enum pgc_engine_branch state) {
    if (!pgc_array_grow(&e->conditions, &e->condition_cap, e->condition_count + 1, sizeof *e->conditions)) {
        e->lexer.nomem = true;
        return false;
    }
    e->conditions[e->condition_count++] =
        (struct pgc_engine_condition) { state, e->query.len, e->lexer.paren_depth, e->line };
    return true;
}

static struct pgc_engine_condition *top(struct pgc_engine *e) {
    return e->condition_count > 0 ? &e->conditions[e->condition_count - 1] : NULL;
}

static void keep_text(struct pgc_engine *e) {
    top(e)->query_len = e->query.len;
    top(e)->paren_depth = e->lexer.paren_depth;
}

static void discard_text(struct pgc_engine *e) {
    if (e->query.len > top(e)->query_len)
        pgc_buf_truncate(&e->query, top(e)->query_len);
    e->lexer.paren_depth = top(e)->paren_depth;
}

/* All arguments, joined by blanks. */
static void expression(struct pgc_engine *e, struct pgc_buf *out) {
    const char *word;
    while ((word = pgc_engine_argument(e, PGC_ARG_NORMAL, false, NULL)) != NULL) {
        if (out->len > 0)
            pgc_buf_putc(out, ' ');
        pgc_buf_puts(out, word);
    }
}

static bool is_true(struct pgc_engine *e, const char *name) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    bool value = false;
    expression(e, &text);
    if (!pgc_vars_parse_bool(text.data, &value) || text.len == 0) {
        pgc_engine_error(e, "unrecognized value \"%s\" for \"\\%s expression\": Boolean expected", text.data, name);
        return false;
    }
    return value;
}

static void ignore_expression(struct pgc_engine *e) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    expression(e, &text);
}

static enum pgc_engine_status run_if(struct pgc_engine *e, const char *name) {
    if (!pgc_engine_active(e)) {
        if (!push(e, PGC_BRANCH_IGNORED))
            return PGC_ENGINE_ERROR;
        ignore_expression(e);
        return PGC_ENGINE_SKIP;
    }
    if (!push(e, PGC_BRANCH_TRUE))
        return PGC_ENGINE_ERROR;
    if (!is_true(e, name))
        top(e)->state = PGC_BRANCH_FALSE;
    return PGC_ENGINE_SKIP;
}

static enum pgc_engine_status misplaced(struct pgc_engine *e, const char *name) {
    if (top(e) == NULL)
        pgc_engine_error(e, "\\%s: no matching \\if", name);
    else
        pgc_engine_error(e, "\\%s: cannot occur after \\else", name);
    return PGC_ENGINE_ERROR;
}

static enum pgc_engine_status run_elif(struct pgc_engine *e, const char *name) {
    if (top(e) == NULL)
        return misplaced(e, name);
    switch (top(e)->state) {
    case PGC_BRANCH_TRUE:
        keep_text(e);
        top(e)->state = PGC_BRANCH_IGNORED;
        ignore_expression(e);
        return PGC_ENGINE_SKIP;
    case PGC_BRANCH_FALSE:
        discard_text(e);
        top(e)->state = PGC_BRANCH_TRUE;
        if (!is_true(e, name))
            top(e)->state = PGC_BRANCH_FALSE;
        return PGC_ENGINE_SKIP;
    case PGC_BRANCH_IGNORED:
        discard_text(e);
        ignore_expression(e);
        return PGC_ENGINE_SKIP;
    default:
        return misplaced(e, name);
    }
}

static enum pgc_engine_status run_else(struct pgc_engine *e, const char *name) {
    if (top(e) == NULL)
        return misplaced(e, name);
    switch (top(e)->state) {
    case PGC_BRANCH_TRUE:
        keep_text(e);
        top(e)->state = PGC_BRANCH_ELSE_FALSE;
        return PGC_ENGINE_SKIP;
    case PGC_BRANCH_FALSE:
        discard_text(e);
        top(e)->state = PGC_BRANCH_ELSE_TRUE;
        return PGC_ENGINE_SKIP;
    case PGC_BRANCH_IGNORED:
        discard_text(e);
        top(e)->state = PGC_BRANCH_ELSE_FALSE;
        return PGC_ENGINE_SKIP;
    default:
        return misplaced(e, name);
    }
}

static enum pgc_engine_status run_endif(struct pgc_engine *e, const char *name) {
    if (top(e) == NULL)
        return misplaced(e, name);
    if (!pgc_engine_active(e))
        discard_text(e);
    e->condition_count--;
    return PGC_ENGINE_SKIP;
}

/* --- variables -------------------------------------------------------------------------------------------- */

static enum pgc_engine_status run_set(struct pgc_engine *e, const char *name) {
    (void)name;
    PGC_AUTO_FREE char *variable = pgc_engine_argument_copy(e, PGC_ARG_NORMAL, false);
    if (variable == NULL && e->session->ops->list != NULL)
        e->session->ops->list(e);
    if (variable == NULL)
        return PGC_ENGINE_SKIP;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf value = PGC_BUF_INIT;
    const char *part;
    while ((part = pgc_engine_argument(e, PGC_ARG_NORMAL, false, NULL)) != NULL)
        pgc_buf_puts(&value, part);
    return pgc_engine_set(e, variable, value.data) ? PGC_ENGINE_SKIP : PGC_ENGINE_ERROR;
}

static enum pgc_engine_status run_unset(struct pgc_engine *e, const char *name) {
    const char *variable = pgc_engine_argument(e, PGC_ARG_NORMAL, false, NULL);
    if (variable == NULL) {
        pgc_engine_error(e, "\\%s: missing required argument", name);
        return PGC_ENGINE_ERROR;
    }
    PGC_AUTO_FREE char *copy = strdup(variable);
    return copy != NULL && pgc_engine_set(e, copy, NULL) ? PGC_ENGINE_SKIP : PGC_ENGINE_ERROR;
}

static enum pgc_engine_status run_getenv(struct pgc_engine *e, const char *name) {
    PGC_AUTO_FREE char *variable = pgc_engine_argument_copy(e, PGC_ARG_NORMAL, false);
    PGC_AUTO_FREE char *environment = pgc_engine_argument_copy(e, PGC_ARG_NORMAL, false);
    if (variable == NULL || environment == NULL) {
        pgc_engine_error(e, "\\%s: missing required argument", name);
        return PGC_ENGINE_ERROR;
    }
    const char *value = getenv(environment);
    return value == NULL || pgc_engine_set(e, variable, value) ? PGC_ENGINE_SKIP : PGC_ENGINE_ERROR;
}

/* --- sending ---------------------------------------------------------------------------------------------- */

/* (name=value ...) behind \g: lines "name=value". False: no closing parenthesis. */
static bool settings(struct pgc_engine *e, const char *first, struct pgc_buf *out) {
    PGC_AUTO_FREE char *word = strdup(first);
    while (word != NULL) {
        size_t len = strlen(word);
        bool last = len > 0 && word[len - 1] == ')';
        pgc_buf_put(out, word, len - last);
        pgc_buf_putc(out, '\n');
        if (last)
            return true;
        free(word);
        word = pgc_engine_argument_copy(e, PGC_ARG_NORMAL, false);
    }
    return false;
}

static enum pgc_engine_status run_g(struct pgc_engine *e, const char *name) {
    pgc__engine_request_clear(&e->request);
    char *target = pgc_engine_argument_copy(e, PGC_ARG_FILE, false);
    if (target != NULL && target[0] == '(') {
        struct pgc_buf text = PGC_BUF_INIT;
        bool closed = settings(e, target + 1, &text);
        free(target);
        e->request.settings = pgc_buf_detach(&text);
        if (!closed) {
            pgc_engine_error(e, "\\%s: missing right parenthesis", name);
            return PGC_ENGINE_ERROR;
        }
        target = pgc_engine_argument_copy(e, PGC_ARG_FILE, false);
    }
    e->request.target = target;
    e->request.expanded = strcmp(name, "gx") == 0;
    return PGC_ENGINE_SEND;
}

static enum pgc_engine_status run_gset(struct pgc_engine *e, const char *name) {
    (void)name;
    pgc__engine_request_clear(&e->request);
    e->request.kind = PGC_SEND_SET;
    e->request.target = pgc_engine_argument_copy(e, PGC_ARG_NORMAL, false);
    return PGC_ENGINE_SEND;
}

static enum pgc_engine_status run_gexec(struct pgc_engine *e, const char *name) {
    pgc__engine_request_clear(&e->request);
    e->request.kind = strcmp(name, "gexec") == 0 ? PGC_SEND_EXEC : PGC_SEND_DESCRIBE;
    return PGC_ENGINE_SEND;
}

static enum pgc_engine_status run_reset(struct pgc_engine *e, const char *name) {
    (void)name;
    pgc_buf_clear(&e->query);
    pgc_lexer_reset(&e->lexer);
    return PGC_ENGINE_SKIP;
}

static enum pgc_engine_status run_quit(struct pgc_engine *e, const char *name) {
    (void)e;
    (void)name;
    return PGC_ENGINE_TERMINATE;
}

/* --- restricted mode of pg_dump's scripts ------------------------------------------------------------------ */

static enum pgc_engine_status run_restrict(struct pgc_engine *e, const char *name) {
    char *key = pgc_engine_argument_copy(e, PGC_ARG_NORMAL, true);
    if (key == NULL || key[0] == '\0') {
        free(key);
        pgc_engine_error(e, "\\%s: missing required argument", name);
        return PGC_ENGINE_ERROR;
    }
    free(e->session->restrict_key);
    e->session->restrict_key = key;
    return PGC_ENGINE_SKIP;
}

static enum pgc_engine_status run_unrestrict(struct pgc_engine *e, const char *name) {
    const char *key = pgc_engine_argument(e, PGC_ARG_NORMAL, true, NULL);
    if (key == NULL || key[0] == '\0') {
        pgc_engine_error(e, "\\%s: missing required argument", name);
    } else if (e->session->restrict_key == NULL) {
        pgc_engine_error(e, "\\%s: not currently in restricted mode", name);
    } else if (strcmp(e->session->restrict_key, key) != 0) {
        pgc_engine_error(e, "\\%s: wrong key", name);
    } else {
        free(e->session->restrict_key);
        e->session->restrict_key = NULL;
        return PGC_ENGINE_SKIP;
    }
    return PGC_ENGINE_ERROR;
}

static const struct pgc_engine_command commands[] = {
    { "if", PGC_IGNORE_ARGS, run_if },
    { "elif", PGC_IGNORE_ARGS, run_elif },
    { "else", PGC_IGNORE_ARGS, run_else },
    { "endif", PGC_IGNORE_ARGS, run_endif },
    { "set", PGC_IGNORE_ARGS, run_set },
    { "unset", PGC_IGNORE_ARGS, run_unset },
    { "getenv", PGC_IGNORE_ARGS, run_getenv },
    { "g", PGC_IGNORE_FILE, run_g },
    { "gx", PGC_IGNORE_FILE, run_g },
    { "gset", PGC_IGNORE_ARGS, run_gset },
    { "gexec", PGC_IGNORE_ARGS, run_gexec },
    { "gdesc", PGC_IGNORE_ARGS, run_gexec },
    { "r", PGC_IGNORE_ARGS, run_reset },
    { "reset", PGC_IGNORE_ARGS, run_reset },
    { "q", PGC_IGNORE_ARGS, run_quit },
    { "quit", PGC_IGNORE_ARGS, run_quit },
    { "restrict", PGC_IGNORE_ARGS, run_restrict },
    { "unrestrict", PGC_IGNORE_ARGS, run_unrestrict },
};

const struct pgc_engine_command *pgc__engine_core_command(const char *name) {
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}
