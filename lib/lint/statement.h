#ifndef PGC_LINT_STATEMENT_H
#define PGC_LINT_STATEMENT_H
/* One statement's text made fit for the parser, and parsed: without psql's commands and variables, placeholders of migration
 * tools, what PL/pgSQL adds to SQL, and, in a table's definition, without what the grammar refuses. */
#include "lint/check.h"

/* Fills tree, error_at, recovered and has_template of a statement whose span, scan and plpgsql are set. */
PGC_MUST_USE enum pgc_code pgc__lint_statement_parse(struct lint_file *file, struct lint_statement *statement,
                                                     struct pgc_error *err);
/* Its text with blanks for psql's commands and PL/pgSQL's additions, malloc'ed, as long as the span; NULL: no memory. */
char *pgc__lint_statement_sql(const struct lint_file *file, const struct lint_statement *statement);
/* Replaces variables and placeholders in that text by names of the same length; true when there were any. */
bool pgc__lint_plain(const struct lint_file *file, const struct lint_statement *statement, char *sql);
/* Placeholders alone, in any text of that length. */
bool pgc__lint_plain_placeholders(char *sql, size_t len);
#endif
