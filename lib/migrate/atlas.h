#ifndef PGC_MIGRATE_ATLAS_H
#define PGC_MIGRATE_ATLAS_H
/* Pieces of the Atlas dialect that tests and commands look at. Pure. */
#include "migrate/annotated.h"

/* The statements of a file with `-- atlas:delimiter X` (\n, \r, \t in it are escapes), trimmed. *delimited false: the file has none, and
 * nothing was added. */
PGC_MUST_USE enum pgc_code pgc_atlas_statements(const struct pgc_folder_file *file, bool *delimited,
                                                struct pgc_annotated *out, struct pgc_error *err);
/* The lines that atlas.sum should have. */
PGC_MUST_USE enum pgc_code pgc_atlas_sum(const struct pgc_folder *folder, struct pgc_strings *lines,
                                         struct pgc_error *err);
/* Adds atlas.sum over the folder and what is in `out` already. */
PGC_MUST_USE enum pgc_code pgc_atlas_put_sum(const struct pgc_folder *folder, const char *dir, struct pgc_folder *out,
                                             struct pgc_error *err);
#endif
