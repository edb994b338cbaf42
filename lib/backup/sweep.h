#ifndef PGC_BACKUP_SWEEP_H
#define PGC_BACKUP_SWEEP_H
/* Removes what killed runs left in a store: unfinished uploads, and artefacts that no manifest names.
 *
 *     code = pgc_backup_sweep(store, "main", "app", 3 * 86400000, rt, &count, err);      // NULL, NULL: everything
 *
 * A run that goes on at this moment has neither: its uploads are young, and its artefacts appear together with its manifest. So
 * only what has not changed for older_ms is touched, a folder as a whole or not at all; where a store does not tell when an
 * object was written, its folder stays. Names that are not ours stay, and so does a folder with a pin. */
#include <pgc/runtime.h>

#include "store/store.h"

PGC_MUST_USE enum pgc_code pgc_backup_sweep(struct pgc_store *store, const char *cluster, const char *database,
                                            int64_t older_ms, const struct pgc_runtime *rt, size_t *count,
                                            struct pgc_error *err);
#endif
