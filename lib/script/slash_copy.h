#ifndef PGC_SCRIPT_SLASH_COPY_H
#define PGC_SCRIPT_SLASH_COPY_H
/* What stands behind \copy, taken apart as psql does: \copy TABLE [(columns)] | (query) FROM|TO FILE|PROGRAM 'x'|STDIN|... options */
#include "base/buf.h"

struct pgc_slash_copy {
    struct pgc_buf sql; /* the COPY command for the server: COPY ... FROM STDIN ... or TO STDOUT */
    bool from;
    bool program;
    bool outer; /* pstdin or pstdout: the program's own, not the script's */
    char *file; /* NULL: the script's data, or the query output */
};
/* PGC_E_USAGE with psql's message when the text does not parse. Release `out` either way. */
PGC_MUST_USE enum pgc_code pgc_slash_copy_parse(const char *text, struct pgc_slash_copy *out, struct pgc_error *err);
void pgc_slash_copy_release(struct pgc_slash_copy *copy);
#endif
