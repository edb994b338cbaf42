#ifndef PGC_BACKUP_DUMP_H
#define PGC_BACKUP_DUMP_H
/* pg_dump and pg_dumpall as sources. */
#include "backup/client.h"
#include "base/array.h"
#include "io/stream.h"
#include "os/spawn.h"

/* The output of a running child. verify() waits for it: only exit status 0 is the truth. get() fails with PGC_E_TIMEOUT when
 * nothing came for idle_ms (0: waits for ever), and with PGC_E_CANCELLED when asked to stop. Dropping kills the child. */
PGC_MUST_USE enum pgc_code pgc_dump_source(char *const *argv, char *const *env, int64_t idle_ms,
                                           const struct pgc_runtime *rt, struct pgc_source **out,
                                           struct pgc_error *err);

/* After verify(): what the child said on stderr, its last 4 KiB; valid while the source is. */
const char *pgc_dump_words(struct pgc_source *source);

/* Argument vectors; database by conninfo, so that odd names stay names. `snapshot` may be NULL. */
PGC_MUST_USE enum pgc_code pgc_dump_argv(const struct pgc_client *client, const char *database, const char *snapshot,
                                         int64_t lock_wait_ms, struct pgc_strings *out, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_dump_globals_argv(const struct pgc_client *client, const char *database,
                                                 bool with_passwords, struct pgc_strings *out, struct pgc_error *err);
#endif
