#ifndef PGC_MIGRATE_PAIRS_H
#define PGC_MIGRATE_PAIRS_H
/* Folders in which up and down are files of their own: VERSION_title.up.sql beside VERSION_title.down.sql. Pure. */
#include "migrate/set.h"

struct pgc_pairs_rules {
    bool any_extension; /* ".up.pgsql" too */
    bool alone;         /* a down file without an up file is a version that does nothing up */
    bool simple;        /* VERSION_title.sql is an up without down */
    bool spaces;        /* underscores in the title are blanks in the ledger */
};

/* Fills the set without finishing it. Two up (or down) files of one version are PGC_E_DATA naming both. */
PGC_MUST_USE enum pgc_code pgc_pairs_parse(const struct pgc_folder *folder, const struct pgc_pairs_rules *rules,
                                           struct pgc_migration_set *set, struct pgc_error *err);
/* How many files of the folder are named VERSION_title.up.* or .down.* */
size_t pgc_pairs_count(const struct pgc_folder *folder);
/* True when all of them are complete pairs of 14-digit timestamps. */
bool pgc_pairs_are_timestamps(const struct pgc_folder *folder);
#endif
