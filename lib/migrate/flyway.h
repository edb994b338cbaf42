#ifndef PGC_MIGRATE_FLYWAY_H
#define PGC_MIGRATE_FLYWAY_H
/* The two halves of the Flyway dialect: files in dialect_flyway.c, ledger in flyway_ledger.c. Internal to lib/migrate. */
#include "migrate/dialect.h"

extern const struct pgc_dialect_ledger pgc__flyway_ledger;
#endif
