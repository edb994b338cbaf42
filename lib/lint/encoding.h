#ifndef PGC_LINT_ENCODING_H
#define PGC_LINT_ENCODING_H
/* Are the bytes of the file text that a server takes? */
#include "lint/check.h"

/* Fills file->encoding. What cannot be read at all (UTF-16, a dump that is no SQL) counts as an empty file; NULs become question
 * marks, so that the statements without one are checked. */
PGC_MUST_USE enum pgc_code pgc__lint_encoding(struct lint_file *file, struct pgc_error *err);
#endif
