#ifndef PGC_LINT_FILE_H
#define PGC_LINT_FILE_H
/* A file made ready for the rules: cut into statements, parsed, with its transactions and new relations known. */
#include "lint/check.h"

/* options, name, text, len and out of *file are set by the caller; release in any case. */
PGC_MUST_USE enum pgc_code pgc__lint_file_read(struct lint_file *file, struct pgc_error *err);
void pgc__lint_file_release(struct lint_file *file);
/* Appends a statement, which hands over its tree. */
PGC_MUST_USE enum pgc_code pgc__lint_add_statement(struct lint_file *file, const struct lint_statement *statement,
                                                   struct pgc_error *err);
/* Line and column (characters), both from 1, of a byte. */
void pgc__lint_position(const struct lint_file *file, size_t offset, size_t *line, size_t *column);
#endif
