#ifndef PGC_SCRIPT_SCAN_H
#define PGC_SCRIPT_SCAN_H
/* The tokens and statements of a script, by position: for those who look at SQL instead of running it.
 *
 * Statements end where psql ends them (script/split.h); tokens follow PostgreSQL's lexical rules (script/token.h). psql's
 * meta-commands and the data lines of COPY ... FROM STDIN are tokens of their own and belong to no statement's text. A
 * \; ends a statement here, although psql sends what is on both sides of it together.
 *
 *     PGC_CLEANUP(pgc_scan_release) struct pgc_scan scan = { 0 };
 *     code = pgc_scan_text(text, len, &scan, err);
 *     for (size_t i = 0; i < scan.statement_count; i++) ... scan.statements[i].start
 *
 * Never fails on malformed text: a quote, comment or dollar body that is not closed reaches to the end of the file. */
#include <pgc/error.h>

#include "base/cleanup.h"
#include "script/token.h"

/* Statements hold at least one token that is neither a comment nor a meta-command. */
struct pgc_scan_statement {
    size_t start;       /* byte of the first such token */
    size_t end;         /* one past the last such token, the semicolon not included */
    size_t first_token; /* index of the first token */
    size_t token_end;   /* one past the last token */
    bool terminated;    /* a semicolon (or \g and the like) follows */
};

struct pgc_scan {
    struct pgc_token *tokens;
    size_t token_count, token_cap;
    struct pgc_scan_statement *statements;
    size_t statement_count, statement_cap;
};

PGC_MUST_USE enum pgc_code pgc_scan_text(const char *text, size_t len, struct pgc_scan *out, struct pgc_error *err);
void pgc_scan_release(struct pgc_scan *scan);

/* For who scans other languages than psql's: a token, and a statement of the tokens [first, end). */
PGC_MUST_USE enum pgc_code pgc_scan_add_token(struct pgc_scan *scan, struct pgc_token token, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_scan_add_statement(struct pgc_scan *scan, size_t first, size_t end,
                                                  struct pgc_error *err);
#endif
