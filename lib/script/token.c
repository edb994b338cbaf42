#include "script/token.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "script/lexer_internal.h"

struct cursor {
    const char *text;
    size_t len, at;
    bool standard;
};

static char peek(const struct cursor *c, size_t ahead) {
    return c->at + ahead < c->len ? c->text[c->at + ahead] : '\0';
}

static size_t line_end(const struct cursor *c) {
    size_t at = c->at;
    while (at < c->len && c->text[at] != '\n' && c->text[at] != '\r')
        at++;
    return at;
}

static size_t block_comment_end(const struct cursor *c) {
    size_t at = c->at + 2;
    for (int depth = 1; at < c->len && depth > 0;) {
        char next = at + 1 < c->len ? c->text[at + 1] : '\0';
        bool opens = c->text[at] == '/' && next == '*', closes = c->text[at] == '*' && next == '/';
        depth += opens - closes;
        at += opens || closes ? 2 : 1;
    }
    return at;
}

/* `from` is just after the opening quote; a doubled quote and, where it counts, a backslash escape. */
static size_t quoted_end(const struct cursor *c, size_t from, char quote, bool backslash) {
    for (size_t at = from; at < c->len; at++) {
        if (backslash && c->text[at] == '\\')
            at++;
        else if (c->text[at] == quote && at + 1 < c->len && c->text[at + 1] == quote)
            at++;
        else if (c->text[at] == quote)
            return at + 1;
    }
    return c->len;
}

/* The end of a dollar-quoted string that begins here, 0 when none does. */
static size_t dollar_end(const struct cursor *c) {
    size_t tag = 1;
    while (lex_variable_char(peek(c, tag)))
        tag++;
    if (peek(c, tag) != '$' || lex_digit(peek(c, 1)))
        return 0;
    tag++;
    const char *body = c->text + c->at + tag;
    const char *end = memmem(body, c->len - c->at - tag, c->text + c->at, tag);
    return end == NULL ? c->len : (size_t)(end - c->text) + tag;
}

/* The length of a string prefix (E' B' X' N' U&') before a quote, 0 when there is none. */
static size_t string_prefix(const struct cursor *c) {
    char letter = (char)(peek(c, 0) | 0x20);
    if ((letter == 'e' || letter == 'b' || letter == 'x' || letter == 'n') && peek(c, 1) == '\'')
        return 1;
    if (letter == 'u' && peek(c, 1) == '&' && (peek(c, 2) == '\'' || peek(c, 2) == '"'))
        return 2;
    return 0;
}

static size_t number_end(const struct cursor *c) {
    size_t at = c->at + 1;
    while (at < c->len && (isalnum((unsigned char)c->text[at]) || c->text[at] == '_' ||
                           (c->text[at] == '.' && !(at + 1 < c->len && c->text[at + 1] == '.'))))
        at++;
    return at;
}

static size_t word_end(const struct cursor *c) {
    size_t at = c->at;
    while (at < c->len && (lex_variable_char(c->text[at]) || c->text[at] == '$'))
        at++;
    return at;
}

static size_t end_of(const struct cursor *c, enum pgc_token_kind *kind) {
    char first = peek(c, 0), second = peek(c, 1);
    size_t prefix = string_prefix(c), dollar;
    *kind = PGC_TOKEN_COMMENT;
    if (first == '-' && second == '-')
        return line_end(c);
    if (first == '/' && second == '*')
        return block_comment_end(c);
    if (first == '\'' || first == '"' || prefix > 0) {
        char quote = c->text[c->at + prefix];
        bool escapes = quote == '\'' && ((first | 0x20) == 'e' || (!c->standard && prefix == 0));
        *kind = quote == '"' ? PGC_TOKEN_QUOTED : PGC_TOKEN_STRING;
        return quoted_end(c, c->at + prefix + 1, quote, escapes);
    }
    *kind = PGC_TOKEN_WORD;
    if (lex_ident_start(first))
        return word_end(c);
    *kind = PGC_TOKEN_NUMBER;
    if (lex_digit(first) || ((first == '.' || first == '$') && lex_digit(second)))
        return number_end(c);
    *kind = PGC_TOKEN_STRING;
    if (first == '$' && (dollar = dollar_end(c)) != 0)
        return dollar;
    *kind = PGC_TOKEN_PUNCT;
    return c->at + 1;
}

bool pgc_token_next(const char *text, size_t len, size_t *at, bool standard, struct pgc_token *out) {
    while (*at < len && (isspace((unsigned char)text[*at]) || text[*at] == '\0'))
        ++*at;
    if (*at >= len)
        return false;
    struct cursor cursor = { text, len, *at, standard };
    size_t end = end_of(&cursor, &out->kind);
    out->start = *at;
    *at = end < len ? end : len;
    out->len = *at - out->start;
    return true;
}

bool pgc_token_is(const char *text, const struct pgc_token *token, const char *word) {
    return token->kind == PGC_TOKEN_WORD && strlen(word) == token->len &&
           strncasecmp(text + token->start, word, token->len) == 0;
}

bool pgc_token_is_punct(const char *text, const struct pgc_token *token, char c) {
    return token->kind == PGC_TOKEN_PUNCT && text[token->start] == c;
}
