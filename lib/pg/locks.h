#ifndef PGC_PG_LOCKS_H
#define PGC_PG_LOCKS_H
/* Keys of the advisory locks that the programs of the suite share, per database.
 *
 * PGC_LOCK_SCHEMA: `pgc migrate` takes it exclusively while it changes the schema, `pgc backup` takes it shared while it
 * dumps: pg_dump's ACCESS SHARE locks on every table and a migration's ACCESS EXCLUSIVE lock would otherwise queue up
 * behind each other and stop the application. Session level: it is gone when the connection is. */
#include <stdint.h>

#define PGC_LOCK_SCHEMA INT64_C(0x7067632d736368) /* "pgc-sch" */

/* PGC_LOCK_INIT: one `pgc init` at a time. */
#define PGC_LOCK_INIT INT64_C(0x7067632d696e69) /* "pgc-ini" */

#endif
