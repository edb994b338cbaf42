#ifndef PGC_LINT_LITERAL_H
#define PGC_LINT_LITERAL_H
/* What a string constant says, as a range of the file's text: as it stands where that is possible, else decoded and appended
 * behind the file. */
#include "lint/check.h"

/* [*from, *to) of file->text; *known false for forms that are not decoded (U&'', numeric escapes, prefixes other than E). */
PGC_MUST_USE enum pgc_code pgc__lint_literal(struct lint_file *file, const struct pgc_token *token, bool *known,
                                             size_t *from, size_t *to, struct pgc_error *err);
/* The byte of the file that a byte of file->text comes from. */
size_t pgc__lint_origin(const struct lint_file *file, size_t offset);
#endif
