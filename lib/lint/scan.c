#include "lint/scan.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"

/* Where the scanner stands. The statement under way is kept here until its end is seen. */
struct scanner {
    const char *text;
    size_t len;
    size_t at;
    struct lint_scan *out;
    struct lint_span open; /* valid when has_open */
    bool has_open;
    int parens;        /* also brackets */
    int begin_depth;   /* BEGIN ATOMIC ... END, and CASE inside */
    unsigned words;    /* words of the statement seen so far */
    bool is_create;    /* first word is CREATE */
    bool is_routine;   /* CREATE [OR REPLACE] FUNCTION | PROCEDURE */
    bool is_copy;      /* first word is COPY */
    bool from_seen;    /* the word before was FROM */
    bool copy_stdin;   /* COPY ... FROM STDIN */
    bool copy_waiting; /* data begins on the next line */
};

static unsigned char peek(const struct scanner *s, size_t ahead) {
    return s->at + ahead < s->len ? (unsigned char)s->text[s->at + ahead] : 0;
}

static bool ident_start(unsigned char c) {
    return isalpha(c) || c == '_' || c >= 0x80;
}

static bool ident_part(unsigned char c) {
    return ident_start(c) || isdigit(c) || c == '$';
}

static size_t line_end(const struct scanner *s, size_t at) {
    while (at < s->len && s->text[at] != '\n' && s->text[at] != '\r')
        at++;
    return at;
}

static size_t block_comment_end(const struct scanner *s) {
    size_t at = s->at + 2;
    int depth = 1;
    while (at < s->len && depth > 0) {
        if (s->text[at] == '/' && at + 1 < s->len && s->text[at + 1] == '*') {
            depth++;
            at += 2;
        } else if (s->text[at] == '*' && at + 1 < s->len && s->text[at + 1] == '/') {
            depth--;
            at += 2;
        } else {
            at++;
        }
    }
    return at;
}

/* `from` is just after the opening quote; a doubled quote and, when asked, a backslash escape. */
static size_t quoted_end(const struct scanner *s, size_t from, char quote, bool backslash) {
    for (size_t at = from; at < s->len; at++) {
        if (backslash && s->text[at] == '\\')
            at++;
        else if (s->text[at] == quote && at + 1 < s->len && s->text[at + 1] == quote)
            at++;
        else if (s->text[at] == quote)
            return at + 1;
    }
    return s->len;
}

/* The end of a dollar-quoted string that begins at s->at, 0 when none begins there. */
static size_t dollar_end(const struct scanner *s) {
    size_t tag = 1;
    while (ident_part(peek(s, tag)) && peek(s, tag) != '$')
        tag++;
    if (peek(s, tag) != '$' || isdigit(peek(s, 1)))
        return 0;
    tag++;
    const char *body = s->text + s->at + tag;
    const char *end = memmem(body, s->len - s->at - tag, s->text + s->at, tag);
    return end == NULL ? s->len : (size_t)(end - s->text) + tag;
}

/* The length of a string prefix (E' B' X' N' U&') before a quote at s->at, 0 when there is none. */
static size_t string_prefix(const struct scanner *s) {
    unsigned char c = peek(s, 0) | 0x20;
    if ((c == 'e' || c == 'b' || c == 'x' || c == 'n') && peek(s, 1) == '\'')
        return 1;
    if (c == 'u' && peek(s, 1) == '&' && (peek(s, 2) == '\'' || peek(s, 2) == '"'))
        return 2;
    return 0;
}

static size_t number_end(const struct scanner *s) {
    size_t at = s->at + 1;
    while (at < s->len && (isalnum((unsigned char)s->text[at]) || s->text[at] == '_' || s->text[at] == '.'))
        at++;
    return at;
}

/* A backslash command ends with its line; \; and \\ are only separators. */
static size_t meta_end(const struct scanner *s) {
    return peek(s, 1) == '\\' || peek(s, 1) == ';' ? s->at + 2 : line_end(s, s->at);
}

/* COPY data: whole lines up to and with the one that is only "\.". */
static size_t data_end(const struct scanner *s, size_t at) {
    while (at < s->len) {
        const char *line = s->text + at;
        const char *newline = memchr(line, '\n', s->len - at);
        size_t size = newline == NULL ? s->len - at : (size_t)(newline - line);
        at += size + (newline != NULL);
        if (size > 0 && line[size - 1] == '\r')
            size--;
        if (size == 2 && memcmp(line, "\\.", 2) == 0)
            break;
    }
    return at;
}

/* Decides kind and end of the token at s->at, which is not white space. */
static struct lint_token next_token(const struct scanner *s) {
    struct lint_token token = { .start = s->at, .kind = LINT_PUNCT };
    unsigned char c = peek(s, 0);
    size_t end = s->at + 1, prefix = string_prefix(s), dollar;
    if (c == '-' && peek(s, 1) == '-') {
        token.kind = LINT_COMMENT;
        end = line_end(s, s->at);
    } else if (c == '/' && peek(s, 1) == '*') {
        token.kind = LINT_COMMENT;
        end = block_comment_end(s);
    } else if (c == '\'' || c == '"' || prefix > 0) {
        char quote = s->text[s->at + prefix];
        token.kind = quote == '"' ? LINT_QUOTED : LINT_STRING;
        end = quoted_end(s, s->at + prefix + 1, quote, (c | 0x20) == 'e');
    } else if (ident_start(c)) {
        token.kind = LINT_IDENT;
        while (end < s->len && ident_part((unsigned char)s->text[end]))
            end++;
    } else if (isdigit(c) || (c == '.' && isdigit(peek(s, 1))) || (c == '$' && isdigit(peek(s, 1)))) {
        token.kind = LINT_NUMBER;
        end = number_end(s);
    } else if (c == '$' && (dollar = dollar_end(s)) != 0) {
        token.kind = LINT_STRING;
        end = dollar;
    } else if (c == '\\') {
        token.kind = LINT_META;
        end = meta_end(s);
    }
    if (end > s->len)
        end = s->len;
    token.len = end - s->at;
    return token;
}

bool pgc__lint_token_is(const char *text, const struct lint_token *token, const char *word) {
    return token->kind == LINT_IDENT && strlen(word) == token->len &&
           strncasecmp(text + token->start, word, token->len) == 0;
}

/* psql's bookkeeping of words: which statements may hold semicolons in a body, and which read data. */
static void note_word(struct scanner *s, const struct lint_token *token) {
    bool from = s->from_seen;
    s->from_seen = false;
#define IS(word) pgc__lint_token_is(s->text, token, word)
    s->words++;
    if (s->words == 1) {
        s->is_create = IS("create");
        s->is_copy = IS("copy");
    } else if (s->is_create && s->words <= 4 && (IS("function") || IS("procedure"))) {
        s->is_routine = true;
    }
    if (s->is_copy && s->parens == 0) {
        s->copy_stdin |= from && (IS("stdin") || IS("pstdin"));
        s->from_seen = IS("from");
    }
    if (s->is_routine && s->parens == 0) {
        if (IS("begin") || (s->begin_depth > 0 && IS("case")))
            s->begin_depth++;
        else if (s->begin_depth > 0 && IS("end"))
            s->begin_depth--;
    }
#undef IS
}

static enum pgc_code close_statement(struct scanner *s, bool terminated, struct pgc_error *err) {
    if (s->has_open) {
        s->open.terminated = terminated;
        if (!pgc_array_grow(&s->out->statements, &s->out->statement_cap, s->out->statement_count + 1,
                            sizeof *s->out->statements))
            return pgc_fail_nomem(err);
        s->out->statements[s->out->statement_count++] = s->open;
    }
    s->copy_waiting |= terminated && s->copy_stdin;
    s->has_open = s->is_create = s->is_routine = s->is_copy = s->from_seen = s->copy_stdin = false;
    s->parens = s->begin_depth = 0;
    s->words = 0;
    return PGC_OK;
}

static enum pgc_code add_token(struct scanner *s, const struct lint_token *token, struct pgc_error *err) {
    struct lint_scan *out = s->out;
    if (!pgc_array_grow(&out->tokens, &out->token_cap, out->token_count + 1, sizeof *out->tokens))
        return pgc_fail_nomem(err);
    out->tokens[out->token_count++] = *token;
    return PGC_OK;
}

/* \g, \gset, \gexec, \gx, \watch ... send the statement. */
static bool meta_sends(const struct scanner *s, const struct lint_token *token) {
    const char *name = s->text + token->start + 1;
    size_t len = token->len - 1;
    return (len > 0 && *name == 'g') || (len >= 5 && memcmp(name, "watch", 5) == 0) ||
           (len >= 12 && memcmp(name, "crosstabview", 12) == 0);
}

static enum pgc_code take(struct scanner *s, struct lint_token *token, struct pgc_error *err) {
    char c = s->text[token->start];
    bool ends = token->kind == LINT_PUNCT && c == ';' && s->parens == 0 && s->begin_depth == 0;
    ends |= token->kind == LINT_META && token->len == 2 && s->text[token->start + 1] == ';';
    if (ends)
        token->kind = LINT_SEMICOLON;
    enum pgc_code code = add_token(s, token, err);
    if (code != PGC_OK || token->kind == LINT_COMMENT)
        return code;
    if (ends || (token->kind == LINT_META && meta_sends(s, token)))
        return close_statement(s, true, err);
    if (token->kind == LINT_META)
        return PGC_OK;
    if (!s->has_open) {
        s->open = (struct lint_span) { .start = token->start, .first_token = s->out->token_count - 1 };
        s->has_open = true;
    }
    s->open.end = token->start + token->len;
    s->open.token_end = s->out->token_count;
    if (token->kind == LINT_IDENT)
        note_word(s, token);
    else if (token->kind == LINT_PUNCT && (c == '(' || c == '['))
        s->parens++;
    else if (token->kind == LINT_PUNCT && (c == ')' || c == ']') && s->parens > 0)
        s->parens--;
    return PGC_OK;
}

static enum pgc_code take_data(struct scanner *s, struct pgc_error *err) {
    s->copy_waiting = false;
    struct lint_token token = { .start = s->at, .kind = LINT_DATA };
    s->at = data_end(s, s->at);
    token.len = s->at - token.start;
    return token.len == 0 ? PGC_OK : add_token(s, &token, err);
}

enum pgc_code pgc__lint_scan(const char *text, size_t len, struct lint_scan *out, struct pgc_error *err) {
    struct scanner s = { .text = text, .len = len, .out = out };
    enum pgc_code code = PGC_OK;
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        s.at = 3;
    while (code == PGC_OK && s.at < len) {
        unsigned char c = (unsigned char)text[s.at];
        if (isspace(c) || c == 0) {
            s.at++;
            if (c == '\n' && s.copy_waiting)
                code = take_data(&s, err);
            continue;
        }
        struct lint_token token = next_token(&s);
        code = take(&s, &token, err);
        s.at += token.len;
    }
    return code == PGC_OK ? close_statement(&s, false, err) : code;
}

void pgc__lint_scan_release(struct lint_scan *scan) {
    free(scan->tokens);
    free(scan->statements);
    *scan = (struct lint_scan) { 0 };
}
