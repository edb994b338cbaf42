#ifndef PGC_TESTDB_PLACE_H
#define PGC_TESTDB_PLACE_H
/* Where a test server lives: its user, state folder, files, port and cached cluster. The parts of server.c that touch
 * the file system and the process table. */
#include <pgc/runtime.h>
#include <sys/types.h>

#include "base/buf.h"

/* Who runs the server. drop: we are root and it is somebody else. */
struct pgc_testdb_user {
    bool drop;
    uid_t uid;
    gid_t gid;
    char name[32];
};
PGC_MUST_USE enum pgc_code pgc_testdb_user(struct pgc_testdb_user *out, struct pgc_error *err);

const char *pgc_testdb_tmpdir(void); /* TMPDIR or /tmp */

/* Makes the state folder (private, owned by the user). `wanted` NULL: a new one under TMPDIR; else it must not exist or
 * be empty. *out is an absolute path, malloc'ed. */
PGC_MUST_USE enum pgc_code pgc_testdb_make_dir(const char *wanted, const struct pgc_testdb_user *user, char **out,
                                               struct pgc_error *err);

/* Writes dir/name, mode 0600, given to the user. `flag` is O_APPEND, O_TRUNC or O_EXCL. */
PGC_MUST_USE enum pgc_code pgc_testdb_write(const char *dir, const char *name, const struct pgc_buf *text, int flag,
                                            const struct pgc_testdb_user *user, struct pgc_error *err);
/* Up to `most` bytes from the end of dir/name; nothing when it cannot be read. */
void pgc_testdb_tail(const char *dir, const char *name, size_t most, struct pgc_buf *out);

/* A folder with data/PG_VERSION and url that belongs to us (or we are root). */
bool pgc_testdb_is_state(const char *dir);
/* The pid in data/postmaster.pid when that process runs in this data folder, else 0: a stale file is no server. */
long pgc_testdb_postmaster(const char *dir);
/* Immediate shutdown; true when the server is gone. Waits also while we are being cancelled. */
bool pgc_testdb_kill(const char *dir, const struct pgc_runtime *rt, int64_t most_ms);

int pgc_testdb_free_port(void); /* on 127.0.0.1; 0: none */

/* Where a fresh cluster of these programs and this locale is kept, malloc'ed; NULL: nowhere. `base` NULL: the user's
 * cache folder. The name holds the version of the programs, so that an upgrade makes a new one. */
char *pgc_testdb_cache_path(const char *base, const char *bindir, const char *locale);
/* Keeps a copy of the cluster; failures do not matter. */
void pgc_testdb_cache_keep(const char *data, const char *path);
#endif
