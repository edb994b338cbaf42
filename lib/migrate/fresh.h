#ifndef PGC_MIGRATE_FRESH_H
#define PGC_MIGRATE_FRESH_H
/* Files for a new migration, as the format of the folder wants them: names, versions that follow those that are there, and the
 * words between which the SQL goes. Pure: what is to be written comes back as a folder.
 *
 *     struct pgc_fresh_request request = { &folder, "db/migrations", "add users", now };
 *     PGC_CLEANUP(pgc_folder_release) struct pgc_folder out = PGC_FOLDER_INIT;
 *     code = pgc_migration_fresh(dialect, &request, &version, &out, err);
 *
 * The version goes on in the style of the newest one: a time (14, 12 or more digits, or seconds since 1970) stays a time, a number
 * gets the next one with as many zeros before it, of 1.9 comes 1.10. Where the clock is behind it is the next number too. */
#include "migrate/dialect.h"

/* `version` is appended to. Files of `out` that are in the folder already (atlas.sum) are to be replaced. */
PGC_MUST_USE enum pgc_code pgc_migration_fresh(const struct pgc_dialect *dialect,
                                               const struct pgc_fresh_request *request, struct pgc_buf *version,
                                               struct pgc_folder *out, struct pgc_error *err);
/* The file that stands for everything up to `version` (squash), with the schema in it, and what has to be beside it.
 * PGC_E_USAGE for formats that have no such file. */
PGC_MUST_USE enum pgc_code pgc_migration_baseline(const struct pgc_dialect *dialect, const char *dir,
                                                  const char *version, const char *schema, struct pgc_folder *out,
                                                  struct pgc_error *err);
#endif
