#ifndef PGC_LINT_DIRECTIVES_H
#define PGC_LINT_DIRECTIVES_H
/* What the comments of a file say to a linter.
 *
 * Silence, for the statement that the comment is in, behind on the same line, or in front of:
 *     -- pgc:nolint RULE[, RULE...] reason          -- squawk-ignore RULE[, RULE...]
 *     -- atlas:nolint [CODE|ANALYZER|RULE ...]      (nothing: all rules)
 * for the whole file:
 *     -- pgc:nolint-file RULE[, RULE...] reason     -- squawk-ignore-file [RULE[, RULE...]]
 *     -- atlas:nolint ...                           before the first statement, followed by an empty line
 * How the file is run: markers of dbmate, goose, sql-migrate, sqlx, graphile-migrate, Atlas and pgc tell whether
 * it is wrapped in a transaction and which part undoes it; -- squawk-disable-assume-in-transaction says that it is not. */
#include "script/scan.h"

struct lint_silence {
    size_t statement;  /* index; LINT_WHOLE_FILE */
    size_t start, len; /* the rule's name in the text; len 0: all rules */
    size_t comment;    /* byte of the comment */
};
#define LINT_WHOLE_FILE ((size_t)-1)

enum lint_marker { LINT_MARKER_NONE, LINT_MARKER_TRANSACTION, LINT_MARKER_NO_TRANSACTION };

struct lint_directives {
    struct lint_silence *silences;
    size_t silence_count, silence_cap;
    enum lint_marker marker;
    bool *down;             /* per statement: it is in a part that undoes; NULL when there is none */
    size_t *without_reason; /* bytes of pgc:nolint comments that give no reason */
    size_t without_reason_count, without_reason_cap;
};

PGC_MUST_USE enum pgc_code pgc__lint_directives(const char *text, const struct pgc_scan *scan,
                                                struct lint_directives *out, struct pgc_error *err);
/* Appends the silences and complaints of `inner`, whose numbers of statements mean the same. */
PGC_MUST_USE enum pgc_code pgc__lint_directives_join(struct lint_directives *out, const struct lint_directives *inner,
                                                     struct pgc_error *err);
void pgc__lint_directives_release(struct lint_directives *directives);
#endif
