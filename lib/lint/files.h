#ifndef PGC_LINT_FILES_H
#define PGC_LINT_FILES_H
/* Which files a command line means: files as they are named, folders for the .sql files below them. */
#include "base/array.h"

#define PGC_LINT_FILE_MAX ((size_t)256 << 20)

/* Appends to out: for a folder its .sql files and those of its folders, in byte order of their paths. Hidden ones are left
 * out, and, unless include_down, files that undo: *.down.sql, down.sql, U<version>__*.sql. A name that does not exist fails. */
PGC_MUST_USE enum pgc_code pgc_lint_files(const struct pgc_strings *paths, bool include_down, struct pgc_strings *out,
                                          struct pgc_error *err);
/* Does the name tell that a migration tool runs the file, and so wraps it in a transaction: 0001_x.sql, V1__x.sql, R__x.sql,
 * x.up.sql, up.sql? */
bool pgc_lint_is_migration(const char *path);
#endif
