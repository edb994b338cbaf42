#ifndef PGC_LINT_SCAN_H
#define PGC_LINT_SCAN_H
/* The tokens and statements of a SQL file, by position.
 *
 * The parse tree of libpg_query has no comments, cuts identifiers at 63 bytes and gives no position for the
 * objects of DROP or the actions of ALTER TABLE; and one syntax error costs the whole text. So a file is
 * first cut here, by PostgreSQL's lexical rules and psql's rules for statement ends (parentheses, BEGIN ATOMIC
 * bodies), and libpg_query then gets one statement at a time.
 *
 * Never fails on malformed text: an unterminated quote, comment or dollar body reaches to the end of the file.
 * psql's meta-commands and the data lines of COPY ... FROM STDIN are tokens of their own and belong to no statement's text.
 *
 *     PGC_CLEANUP(pgc__lint_scan_release) struct lint_scan scan = { 0 };
 *     code = pgc__lint_scan(text, len, &scan, err);
 *     for (size_t i = 0; i < scan.statement_count; i++) ... scan.statements[i].start */
#include <pgc/error.h>
#include <stddef.h>

#include "base/cleanup.h"

enum lint_token_kind {
    LINT_IDENT,     /* word, also a keyword; not folded */
    LINT_QUOTED,    /* "identifier", with its quotes */
    LINT_STRING,    /* any kind of string constant, with quotes, prefix or dollar tags */
    LINT_NUMBER,    /* also a parameter $1 */
    LINT_PUNCT,     /* one byte */
    LINT_SEMICOLON, /* the end of a statement */
    LINT_COMMENT,   /* -- to the end of the line (without it), or nested slash-star */
    LINT_META,      /* psql backslash command to the end of the line */
    LINT_DATA,      /* lines of COPY ... FROM STDIN with their \. */
};

struct lint_token {
    size_t start;
    size_t len;
    enum lint_token_kind kind;
};

/* Statements hold at least one token that is neither a comment nor a meta-command. */
struct lint_span {
    size_t start;       /* byte of the first such token */
    size_t end;         /* one past the last such token, the semicolon not included */
    size_t first_token; /* index of the first token */
    size_t token_end;   /* one past the last token */
    bool terminated;    /* a semicolon (or \g and the like) follows */
};

struct lint_scan {
    struct lint_token *tokens;
    size_t token_count, token_cap;
    struct lint_span *statements;
    size_t statement_count, statement_cap;
};

PGC_MUST_USE enum pgc_code pgc__lint_scan(const char *text, size_t len, struct lint_scan *out, struct pgc_error *err);
void pgc__lint_scan_release(struct lint_scan *scan);

/* True when the token is this word (lower case), not quoted. */
bool pgc__lint_token_is(const char *text, const struct lint_token *token, const char *word);
#endif
