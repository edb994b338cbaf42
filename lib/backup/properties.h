#ifndef PGC_BACKUP_PROPERTIES_H
#define PGC_BACKUP_PROPERTIES_H
/* What an archive says about the database itself, as statements for a database of another name. Pure: SQL in, SQL out.
 *
 *     PGC_CLEANUP(pgc_properties_release) struct pgc_properties p = PGC_PROPERTIES_INIT;
 *     code = pgc_properties_parse(&p, sql, len, "\"app_copy\"", err);
 *     ... p.create, then each of p.early; the data; then each of p.late ...
 *
 * `sql` is what pg_restore --create prints for the entries of the database. Settings come before the data, as a function or a
 * generated column may ask for one; a limit of connections, the mark as a template and the comment come last. */
#include <stdbool.h>

#include "base/array.h"
#include "base/cleanup.h"

struct pgc_properties {
    char *create;             /* CREATE DATABASE ...; NULL: the archive says nothing about it */
    char *encoding;           /* the statement that sets the encoding of the others; NULL: none */
    char *tablespace;         /* that `create` names, not quoted; NULL: none */
    struct pgc_strings early; /* owner, grants, settings, security labels */
    struct pgc_strings late;
};
#define PGC_PROPERTIES_INIT                                                                                            \
    { NULL, NULL, NULL, PGC_STRINGS_INIT, PGC_STRINGS_INIT }
void pgc_properties_release(struct pgc_properties *properties);

/* `database`: the new name, quoted. */
PGC_MUST_USE enum pgc_code pgc_properties_parse(struct pgc_properties *properties, const char *sql, size_t len,
                                                const char *database, struct pgc_error *err);
/* Takes TABLESPACE = ... out of `create`. */
void pgc_properties_drop_tablespace(struct pgc_properties *properties);

/* What a statement of `early` is about. */
bool pgc_property_is_owner(const char *statement);
bool pgc_property_is_grant(const char *statement); /* also what stands around grants */
/* "ALTER ROLE x IN DATABASE ...": the role, not quoted, malloc'ed; NULL: another statement, or no memory. */
char *pgc_property_role(const char *statement);
#endif
