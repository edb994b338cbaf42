#ifndef PGC_LINT_BODIES_H
#define PGC_LINT_BODIES_H
/* What stands in the bodies of DO blocks and functions.
 *
 * A DO block runs when the migration does, so its statements join those of the file, behind it: rules look at them as at any
 * other. So do those of EXECUTE with a constant string. What PL/pgSQL builds at run time cannot be read, and queries
 * (SELECT, FOR ... IN) are left alone. The body of a function or procedure does not run now: it is only parsed, and a fault
 * in it becomes a statement with body_failed. SQL-standard bodies (BEGIN ATOMIC, RETURN) are part of the statement's grammar.
 *
 * Where quotes are doubled or escaped in a body, its text is decoded behind the file's (lint/literal.h). */
#include "lint/check.h"

/* Looks into statement number `index`; comments that silence go to `inner`, by number of the file's statement. */
PGC_MUST_USE enum pgc_code pgc__lint_bodies(struct lint_file *file, size_t index, struct lint_directives *inner,
                                            struct pgc_error *err);
#endif
