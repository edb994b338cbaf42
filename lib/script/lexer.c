#include "script/lexer.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "script/lexer_internal.h"

void pgc_lexer_init(struct pgc_lexer *lexer, const struct pgc_lexer_hooks *hooks) {
    *lexer = (struct pgc_lexer) { .standard_strings = true, .dollar = PGC_BUF_INIT };
    if (hooks != NULL)
        lexer->hooks = *hooks;
}

static void pop_input(struct pgc_lexer *lx) {
    struct pgc_lexer_input *in = &lx->inputs[--lx->depth];
    free(in->owned);
    free(in->mask);
    free(in->name);
}

void pgc_lexer_release(struct pgc_lexer *lexer) {
    while (lexer->depth > 0)
        pop_input(lexer);
    free(lexer->inputs);
    pgc_buf_release(&lexer->dollar);
    lexer->inputs = NULL;
    lexer->cap = 0;
}

void pgc_lexer_reset(struct pgc_lexer *lexer) {
    lexer->state = PGC_LEX_IN_SQL;
    lexer->paren_depth = lexer->begin_depth = lexer->comment_depth = 0;
    lexer->word_count = 0;
    pgc_buf_clear(&lexer->dollar);
}

static bool push_input(struct pgc_lexer *lx, struct pgc_lexer_input in) {
    if (lx->encoding != PGC_LEX_ASCII_SAFE) {
        in.mask = malloc(in.len + 1);
        if (in.mask != NULL)
            pgc__lex_mask(lx->encoding, in.raw, in.len, in.mask);
    }
    if ((lx->encoding != PGC_LEX_ASCII_SAFE && in.mask == NULL) ||
        !pgc_array_grow(&lx->inputs, &lx->cap, lx->depth + 1, sizeof *lx->inputs)) {
        free(in.mask);
        lx->nomem = true;
        return false;
    }
    in.scan = in.mask != NULL ? in.mask : in.raw;
    lx->inputs[lx->depth++] = in;
    return true;
}

void pgc_lexer_line(struct pgc_lexer *lexer, const char *line, size_t len) {
    while (lexer->depth > 0)
        pop_input(lexer);
    lexer->start = 0;
    push_input(lexer, (struct pgc_lexer_input) { .raw = line, .len = len });
}

void pgc_lexer_keep_line(struct pgc_lexer *lexer) {
    if (lexer->depth == 0 || lexer->inputs[0].owned != NULL || lexer->inputs[0].pos == lexer->inputs[0].len)
        return;
    struct pgc_lexer_input *in = &lexer->inputs[0];
    in->owned = malloc(in->len + 1);
    if (in->owned == NULL) {
        lexer->nomem = true;
        in->len = in->pos;
        return;
    }
    memcpy(in->owned, in->raw, in->len);
    if (in->scan == in->raw)
        in->scan = in->owned;
    in->raw = in->owned;
}

size_t pgc_lexer_position(const struct pgc_lexer *lexer) {
    return lexer->depth > 0 ? lexer->inputs[0].pos : 0;
}

bool pgc_lexer_in_quote(const struct pgc_lexer *lexer) {
    return lexer->state != PGC_LEX_IN_SQL;
}

enum pgc_code pgc_lexer_check(const struct pgc_lexer *lexer, struct pgc_error *err) {
    return lexer->nomem || lexer->dollar.failed ? pgc_fail_nomem(err) : PGC_OK;
}

struct pgc_lexer_input *pgc__lex_input(struct pgc_lexer *lexer) {
    while (lexer->depth > 1 && lexer->inputs[lexer->depth - 1].pos == lexer->inputs[lexer->depth - 1].len)
        pop_input(lexer);
    if (lexer->depth == 0 || lexer->inputs[lexer->depth - 1].pos == lexer->inputs[lexer->depth - 1].len)
        return NULL;
    return &lexer->inputs[lexer->depth - 1];
}

PGC_PRINTF(3, 0)
static void tell(struct pgc_lexer *lx, void (*hook)(void *, const char *), const char *format, va_list args) {
    if (hook == NULL)
        return;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    pgc_buf_vputf(&text, format, args);
    hook(lx->hooks.arg, text.data);
}

void pgc__lex_warn(struct pgc_lexer *lexer, const char *format, ...) {
    va_list args;
    va_start(args, format);
    tell(lexer, lexer->hooks.warning, format, args);
    va_end(args);
}

void pgc__lex_error(struct pgc_lexer *lexer, const char *format, ...) {
    va_list args;
    va_start(args, format);
    tell(lexer, lexer->hooks.error, format, args);
    va_end(args);
}

/* Passes on n bytes. Remembers where in the line a statement begins. */
static void emit(struct pgc_lexer *lx, struct pgc_lexer_input *in, struct pgc_buf *query, size_t n) {
    if (query->len == 0)
        lx->start = lx->depth == 1 ? in->pos : lx->inputs[0].pos;
    pgc_buf_put(query, in->raw + in->pos, n);
    in->pos += n;
}

static size_t line_comment(const char *s, size_t i, size_t len) {
    while (i < len && s[i] != '\n' && s[i] != '\r')
        i++;
    return i;
}

/* White space with a newline in it, then a quote: a string goes on there. Gives the length up to and with that quote, or 0.
 * Lines hold no newline, so within a script this needs a bare carriage return, or the value of a variable. */
static size_t continuation(const char *s, size_t len) {
    size_t i = 0;
    for (;;) {
        while (i < len && (s[i] == ' ' || s[i] == '\t' || s[i] == '\f'))
            i++;
        if (i + 1 >= len || s[i] != '-' || s[i + 1] != '-')
            break;
        i = line_comment(s, i, len);
    }
    if (i >= len || (s[i] != '\n' && s[i] != '\r'))
        return 0;
    for (;;) {
        while (i < len && lex_space(s[i]))
            i++;
        if (i + 1 >= len || s[i] != '-' || s[i + 1] != '-')
            break;
        i = line_comment(s, i, len);
        if (i == len)
            return 0;
    }
    return i < len && s[i] == '\'' ? i + 1 : 0;
}

static bool word_is(const char *s, size_t len, const char *word) {
    return strlen(word) == len && strncasecmp(s, word, len) == 0;
}

/* A body BEGIN ATOMIC ... END ends no statement at its semicolons. Whether we are in one is guessed as psql does:
 * the statement begins with CREATE [OR REPLACE] FUNCTION|PROCEDURE, and BEGIN, CASE and END are counted outside parentheses. */
static void note_word(struct pgc_lexer *lx, const char *s, size_t len) {
    static const char *const leading[] = { "create", "function", "procedure", "or", "replace" };
    if (lx->word_count == 0)
        memset(lx->words, 0, sizeof lx->words);
    for (size_t i = 0; lx->word_count < sizeof lx->words && i < sizeof leading / sizeof leading[0]; i++)
        if (word_is(s, len, leading[i]))
            lx->words[lx->word_count] = leading[i][0];
    lx->word_count++;
    const char *w = lx->words;
    bool routine =
        w[0] == 'c' && (w[1] == 'f' || w[1] == 'p' || (w[1] == 'o' && w[2] == 'r' && (w[3] == 'f' || w[3] == 'p')));
    if (!routine || lx->paren_depth > 0)
        return;
    if (word_is(s, len, "begin"))
        lx->begin_depth++;
    else if (word_is(s, len, "case"))
        lx->begin_depth += lx->begin_depth > 0;
    else if (word_is(s, len, "end"))
        lx->begin_depth -= lx->begin_depth > 0;
}

static void word(struct pgc_lexer *lx, struct pgc_lexer_input *in, struct pgc_buf *query) {
    const char *s = in->scan + in->pos;
    size_t left = in->len - in->pos, n = 1;
    while (n < left && (lex_variable_char(s[n]) || s[n] == '$'))
        n++;
    if (n == 1 && left > 1 && s[1] == '\'') {
        static const struct {
            char letter;
            enum pgc_lex_state state;
        } prefixes[] = { { 'e', PGC_LEX_IN_ESCAPE }, { 'b', PGC_LEX_IN_BIT }, { 'x', PGC_LEX_IN_HEX } };
        for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
            if ((s[0] | 0x20) == prefixes[i].letter) {
                lx->state = prefixes[i].state;
                emit(lx, in, query, 2);
                return;
            }
        if ((s[0] | 0x20) == 'n') { /* the quote after it is an ordinary one */
            emit(lx, in, query, 1);
            return;
        }
    }
    if (n == 1 && (s[0] | 0x20) == 'u' && left > 1 && s[1] == '&') {
        if (left > 2 && (s[2] == '\'' || s[2] == '"')) {
            lx->state = s[2] == '"' ? PGC_LEX_IN_UNICODE_ID : PGC_LEX_IN_UNICODE_TEXT;
            emit(lx, in, query, 3);
        } else
            emit(lx, in, query, 1);
        return;
    }
    note_word(lx, s, n);
    emit(lx, in, query, n);
}

/* A number, with the letter that follows it directly: 1e'x' holds no E'' string. */
static void number(struct pgc_lexer *lx, struct pgc_lexer_input *in, struct pgc_buf *query) {
    const char *s = in->scan + in->pos;
    size_t left = in->len - in->pos, n = 0;
    while (n < left && lex_digit(s[n]))
        n++;
    if (n < left && s[n] == '.' && !(n + 1 < left && s[n + 1] == '.'))
        for (n++; n < left && lex_digit(s[n]);)
            n++;
    if (n < left && (s[n] | 0x20) == 'e') {
        size_t sign = n + 1 < left && (s[n + 1] == '+' || s[n + 1] == '-');
        size_t d = n + 1 + sign;
        while (d < left && lex_digit(s[d]))
            d++;
        if (d > n + 1) {
            bool complete = d > n + 1 + sign;
            n = d;
            if (!complete) {
                emit(lx, in, query, n);
                return;
            }
        }
    }
    if (n < left && lex_ident_start(s[n]))
        n++;
    emit(lx, in, query, n);
}

static void dollar(struct pgc_lexer *lx, struct pgc_lexer_input *in, struct pgc_buf *query) {
    const char *s = in->scan + in->pos;
    size_t left = in->len - in->pos, n = 1;
    if (n < left && lex_digit(s[n])) { /* $1, and the letter that follows it directly */
        while (n < left && lex_digit(s[n]))
            n++;
        if (n < left && lex_ident_start(s[n]))
            n++;
        emit(lx, in, query, n);
        return;
    }
    while (n < left && lex_variable_char(s[n]))
        n++;
    if (n < left && s[n] == '$') {
        pgc_buf_clear(&lx->dollar);
        pgc_buf_put(&lx->dollar, s, n + 1);
        lx->state = PGC_LEX_IN_DOLLAR;
        emit(lx, in, query, n + 1);
    } else
        emit(lx, in, query, 1);
}

struct lex_colon_form pgc__lex_colon(const char *scan, size_t left) {
    struct lex_colon_form none = { LEX_COLON_NONE, 0, 0, 1 };
    if (left < 2)
        return none;
    enum lex_colon form = LEX_COLON_PLAIN;
    size_t at = 1;
    char close = '\0';
    if (scan[1] == '\'' || scan[1] == '"') {
        form = scan[1] == '"' ? LEX_COLON_IDENT : LEX_COLON_LITERAL;
        close = scan[1];
        at = 2;
    } else if (scan[1] == '{' && left > 2 && scan[2] == '?') {
        form = LEX_COLON_TEST;
        close = '}';
        at = 3;
    }
    size_t n = 0;
    while (at + n < left && lex_variable_char(scan[at + n]))
        n++;
    if (n == 0 || (close != '\0' && !(at + n < left && scan[at + n] == close)))
        return none;
    return (struct lex_colon_form) { form, at, n, at + n + (close != '\0') };
}

const char *pgc__lex_value(struct pgc_lexer *lexer, const char *raw, const struct lex_colon_form *form) {
    if (lexer->hooks.variable == NULL)
        return NULL;
    char *name = strndup(raw + form->name_at, form->name_len);
    if (name == NULL) {
        lexer->nomem = true;
        return NULL;
    }
    const char *value = lexer->hooks.variable(lexer->hooks.arg, name);
    free(name);
    return value;
}

void pgc__lex_put_quoted(struct pgc_lexer *lexer, const char *raw, const struct lex_colon_form *form,
                         struct pgc_buf *out) {
    const char *value = pgc__lex_value(lexer, raw, form);
    if (form->form == LEX_COLON_TEST && lexer->hooks.variable != NULL)
        pgc_buf_puts(out, value != NULL ? "TRUE" : "FALSE");
    else if (value == NULL)
        pgc_buf_put(out, raw, form->len);
    else if (form->form == LEX_COLON_LITERAL)
        pgc_lex_quote_literal(out, value);
    else
        pgc_lex_quote_ident(out, value);
}

/* The value of a plain variable is read as if it stood there. */
static void expand(struct pgc_lexer *lx, struct pgc_lexer_input *in, const struct lex_colon_form *form,
                   struct pgc_buf *query) {
    const char *raw = in->raw + in->pos;
    const char *value = pgc__lex_value(lx, raw, form);
    if (value == NULL) {
        emit(lx, in, query, form->len);
        return;
    }
    char *name = strndup(raw + form->name_at, form->name_len);
    char *copy = strdup(value);
    for (size_t i = 1; name != NULL && i < lx->depth; i++)
        if (strcmp(lx->inputs[i].name, name) == 0) {
            pgc__lex_warn(lx, "skipping recursive expansion of variable \"%s\"", name);
            emit(lx, in, query, form->len);
            free(name);
            free(copy);
            return;
        }
    if (query->len == 0)
        lx->start = lx->inputs[0].pos;
    in->pos += form->len;
    if (name == NULL || copy == NULL ||
        !push_input(lx, (struct pgc_lexer_input) { .raw = copy, .len = strlen(copy), .owned = copy, .name = name })) {
        lx->nomem = true;
        free(name);
        free(copy);
    }
}

static void colon(struct pgc_lexer *lx, struct pgc_lexer_input *in, struct pgc_buf *query) {
    const char *s = in->scan + in->pos;
    size_t left = in->len - in->pos;
    if (left > 1 && (s[1] == ':' || s[1] == '=')) {
        emit(lx, in, query, 2);
        return;
    }
    struct lex_colon_form form = pgc__lex_colon(s, left);
    if (form.form == LEX_COLON_NONE) {
        emit(lx, in, query, 1);
    } else if (form.form == LEX_COLON_PLAIN) {
        expand(lx, in, &form, query);
    } else {
        if (query->len == 0)
            lx->start = lx->depth == 1 ? in->pos : lx->inputs[0].pos;
        pgc__lex_put_quoted(lx, in->raw + in->pos, &form, query);
        in->pos += form.len;
    }
}

static void space(struct pgc_lexer *lx, struct pgc_lexer_input *in, struct pgc_buf *query) {
    size_t i = in->pos;
    if (lex_space(in->scan[i]))
        while (i < in->len && lex_space(in->scan[i]))
            i++;
    else
        i = line_comment(in->scan, i, in->len);
    if (query->len > 0)
        emit(lx, in, query, i - in->pos);
    else
        in->pos = i;
}

static bool at_comment(const struct pgc_lexer_input *in, char first, char second) {
    return in->scan[in->pos] == first && in->pos + 1 < in->len && in->scan[in->pos + 1] == second;
}

/* Outside quotes and comments. True: *verdict is reached. */
static bool sql_step(struct pgc_lexer *lx, struct pgc_lexer_input *in, struct pgc_buf *query, enum pgc_lex *verdict) {
    char c = in->scan[in->pos];
    if (lex_ident_start(c)) {
        word(lx, in, query);
    } else if (lex_space(c) || at_comment(in, '-', '-')) {
        space(lx, in, query);
    } else if (at_comment(in, '/', '*')) {
        lx->state = PGC_LEX_IN_COMMENT;
        lx->comment_depth = 0;
        emit(lx, in, query, 2);
    } else if (lex_digit(c) || (c == '.' && in->pos + 1 < in->len && lex_digit(in->scan[in->pos + 1]))) {
        number(lx, in, query);
    } else if (at_comment(in, '.', '.')) {
        emit(lx, in, query, 2);
    } else if (c == '\'' || c == '"') {
        lx->state = c == '"' ? PGC_LEX_IN_IDENT : lx->standard_strings ? PGC_LEX_IN_QUOTE : PGC_LEX_IN_ESCAPE;
        emit(lx, in, query, 1);
    } else if (c == '$') {
        dollar(lx, in, query);
    } else if (c == ':') {
        colon(lx, in, query);
    } else if (c == '(' || c == ')') {
        if (c == '(')
            lx->paren_depth++;
        else if (lx->paren_depth > 0)
            lx->paren_depth--;
        emit(lx, in, query, 1);
    } else if (c == ';') {
        emit(lx, in, query, 1);
        if (lx->paren_depth > 0 || lx->begin_depth > 0)
            return false;
        lx->word_count = 0;
        *verdict = PGC_LEX_SEMICOLON;
        return true;
    } else if (at_comment(in, '\\', ';') || at_comment(in, '\\', ':')) {
        if (in->scan[in->pos + 1] == ';')
            lx->word_count = 0;
        in->pos++;
        emit(lx, in, query, 1);
    } else if (c == '\\') {
        in->pos++;
        *verdict = PGC_LEX_BACKSLASH;
        return true;
    } else
        emit(lx, in, query, 1);
    return false;
}

static void comment_step(struct pgc_lexer *lx, struct pgc_lexer_input *in, struct pgc_buf *query) {
    size_t i = in->pos;
    for (; i + 1 < in->len; i++) {
        const char *s = in->scan + i;
        if (s[0] == '/' && s[1] == '*') {
            lx->comment_depth++;
            i++;
        } else if (s[0] == '*' && s[1] == '/') {
            i += 2;
            if (lx->comment_depth-- == 0) {
                lx->state = PGC_LEX_IN_SQL;
                emit(lx, in, query, i - in->pos);
                return;
            }
            i--;
        }
    }
    emit(lx, in, query, in->len - in->pos);
}

static void dollar_step(struct pgc_lexer *lx, struct pgc_lexer_input *in, struct pgc_buf *query) {
    const char *s = in->scan + in->pos;
    const char *end = memmem(s, in->len - in->pos, lx->dollar.data, lx->dollar.len);
    if (end == NULL) {
        emit(lx, in, query, in->len - in->pos);
        return;
    }
    lx->state = PGC_LEX_IN_SQL;
    emit(lx, in, query, (size_t)(end - s) + lx->dollar.len);
    pgc_buf_clear(&lx->dollar);
}

/* All that a quote character ends. */
static void quote_step(struct pgc_lexer *lx, struct pgc_lexer_input *in, struct pgc_buf *query) {
    enum pgc_lex_state state = lx->state;
    bool ident = state == PGC_LEX_IN_IDENT || state == PGC_LEX_IN_UNICODE_ID;
    bool doubles = state != PGC_LEX_IN_BIT && state != PGC_LEX_IN_HEX;
    char quote = ident ? '"' : '\'';
    size_t i = in->pos;
    while (i < in->len) {
        char c = in->scan[i];
        if (c == '\\' && state == PGC_LEX_IN_ESCAPE) {
            i += i + 1 < in->len ? 2 : 1;
        } else if (c != quote) {
            i++;
        } else if (doubles && i + 1 < in->len && in->scan[i + 1] == quote) {
            i += 2;
        } else {
            i++;
            size_t more = ident ? 0 : continuation(in->scan + i, in->len - i);
            if (more == 0) {
                lx->state = PGC_LEX_IN_SQL;
                break;
            }
            i += more;
        }
    }
    emit(lx, in, query, i - in->pos);
}

enum pgc_lex pgc_lexer_next(struct pgc_lexer *lexer, struct pgc_buf *query) {
    struct pgc_lexer_input *in;
    enum pgc_lex verdict;
    while ((in = pgc__lex_input(lexer)) != NULL && !query->failed && !lexer->nomem)
        switch (lexer->state) {
        case PGC_LEX_IN_SQL:
            if (sql_step(lexer, in, query, &verdict))
                return verdict;
            break;
        case PGC_LEX_IN_COMMENT:
            comment_step(lexer, in, query);
            break;
        case PGC_LEX_IN_DOLLAR:
            dollar_step(lexer, in, query);
            break;
        default:
            quote_step(lexer, in, query);
        }
    bool open = lexer->state != PGC_LEX_IN_SQL || lexer->paren_depth > 0 || lexer->begin_depth > 0;
    return !open && query->len > 0 ? PGC_LEX_EOL : PGC_LEX_INCOMPLETE;
}
