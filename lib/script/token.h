#ifndef PGC_SCRIPT_TOKEN_H
#define PGC_SCRIPT_TOKEN_H
/* One SQL token after the other, by position, by PostgreSQL's lexical rules. Pure.
 *
 *     size_t at = 0;
 *     struct pgc_token token;
 *     while (pgc_token_next(text, len, &at, true, &token))
 *         if (pgc_token_is(text, &token, "concurrently")) ...
 *
 * Never fails on malformed text: a quote, comment or dollar body that is not closed reaches to the end of the text.
 * Where statements end is psql's business (script/scan.h). */
#include <stdbool.h>
#include <stddef.h>

enum pgc_token_kind {
    PGC_TOKEN_WORD,      /* also a keyword; not folded */
    PGC_TOKEN_QUOTED,    /* "identifier", with its quotes */
    PGC_TOKEN_STRING,    /* any kind of string constant, with quotes, prefix or dollar tags */
    PGC_TOKEN_NUMBER,    /* also a parameter $1 */
    PGC_TOKEN_PUNCT,     /* one byte */
    PGC_TOKEN_COMMENT,   /* -- to the end of the line (without it), or nested slash-star */
    PGC_TOKEN_SEMICOLON, /* the end of a statement; this and the next ones only from script/scan.h */
    PGC_TOKEN_META,      /* psql backslash command with its arguments */
    PGC_TOKEN_DATA,      /* lines of COPY ... FROM STDIN with their \. */
};

struct pgc_token {
    size_t start;
    size_t len;
    enum pgc_token_kind kind;
};

/* The token at or behind byte *at, which moves behind it; false at the end of the text. `standard`: backslashes mean nothing
 * in plain '...' (standard_conforming_strings). */
bool pgc_token_next(const char *text, size_t len, size_t *at, bool standard, struct pgc_token *out);
/* True when the token is this word (in lower case), not quoted. */
bool pgc_token_is(const char *text, const struct pgc_token *token, const char *word);
/* True when the token is this punctuation. */
bool pgc_token_is_punct(const char *text, const struct pgc_token *token, char c);
#endif
