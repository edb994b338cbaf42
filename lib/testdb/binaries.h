#ifndef PGC_TESTDB_BINARIES_H
#define PGC_TESTDB_BINARIES_H
/* Where the PostgreSQL server programs of this machine are.
 *
 * The order: the folder given, the environment variable PGBIN, then the newest of /usr/lib/postgresql/N/bin (Debian),
 * /usr/pgsql-N/bin (Red Hat), /usr/local/pgsql/bin, then every folder of PATH (the official container image).
 * A folder counts when it holds initdb, pg_ctl and postgres that can be executed. */
#include <pgc/error.h>

/* `given` may be NULL. `major` > 0 wants that major version. *out is malloc'ed. PGC_E_NOT_FOUND says what was
 * looked for and which package brings it. */
PGC_MUST_USE enum pgc_code pgc_testdb_binaries(const char *given, int major, char **out, struct pgc_error *err);
#endif
