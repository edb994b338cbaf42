#ifndef PGC_TESTDB_TREE_H
#define PGC_TESTDB_TREE_H
/* Copies and removes folder trees. Symbolic links are copied and removed as links, never followed.
 *
 *     code = pgc_tree_copy("/cache/data", "/tmp/x/data", 26, 26, err);
 *     pgc_tree_remove("/tmp/x"); */
#include <pgc/error.h>
#include <sys/types.h>

/* `to` must not exist. Modes are kept; owner becomes uid:gid when uid is not (uid_t)-1. File data goes by reflink or
 * copy_file_range where the file system can. A failed copy leaves a partial tree: the caller removes it. */
PGC_MUST_USE enum pgc_code pgc_tree_copy(const char *from, const char *to, uid_t uid, gid_t gid, struct pgc_error *err);
/* Gives every entry to uid:gid. */
PGC_MUST_USE enum pgc_code pgc_tree_chown(const char *path, uid_t uid, gid_t gid, struct pgc_error *err);
/* Removes what it can, silently: false when something is left. A path that does not exist is fine. */
bool pgc_tree_remove(const char *path);
#endif
