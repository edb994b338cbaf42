#ifndef PGC_IO_FILE_H
#define PGC_IO_FILE_H
/* Regular files as streams.
 *
 * A file sink writes a temporary beside the target (same folder, name PGC_FILE_TMP_PREFIX + 16 hex digits) and
 * renames it at commit, after fsync of the file and before fsync of the folder: PATH shows either what
 * was there before or the whole new content, also after a crash. drop without commit removes the
 * temporary; only a killed process leaves one behind, and its name tells what it is.
 *
 *     PGC_AUTO(pgc_sink_drop) struct pgc_sink *chain = NULL;
 *     code = pgc_file_sink("backup/app.zst.age", 0600, &chain, err);
 *
 * A symbolic link at PATH is replaced, not followed; anything that is neither a regular file nor a link is refused.
 * Errors: PGC_E_NOSPACE when the disk (or quota) is full, PGC_E_NOT_FOUND when the folder is absent, else PGC_E_IO. */
#include "io/stream.h"

#define PGC_FILE_TMP_PREFIX ".pgc-tmp-"

/* `mode` is the exact mode of the result, whatever the umask. Replaces an existing file. */
PGC_MUST_USE enum pgc_code pgc_file_sink(const char *path, unsigned mode, struct pgc_sink **out, struct pgc_error *err);
/* The same, but commit fails with PGC_E_EXISTS when something stands at `path` (opening does too, early). */
PGC_MUST_USE enum pgc_code pgc_file_sink_new(const char *path, unsigned mode, struct pgc_sink **out,
                                             struct pgc_error *err);
/* Reads a file from its start; folders are refused. */
PGC_MUST_USE enum pgc_code pgc_file_source(const char *path, struct pgc_source **out, struct pgc_error *err);
/* A whole small file (keys, lists) into memory; more than `max` bytes is PGC_E_DATA. The caller releases `out`. */
struct pgc_buf;
PGC_MUST_USE enum pgc_code pgc_file_read(const char *path, size_t max, struct pgc_buf *out, struct pgc_error *err);
#endif
