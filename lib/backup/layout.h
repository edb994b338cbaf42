#ifndef PGC_BACKUP_LAYOUT_H
#define PGC_BACKUP_LAYOUT_H
/* Where the objects of a backup are: <cluster>/<database>/<UTC time>-<id>/<artefact>, below the store's own prefix.
 *
 * Cluster and database are percent-encoded as one segment each, so that no name of a database ('a/b', '..', 'app' beside
 * 'app_staging') reaches into another one's backups. The name of a backup ("20260131T120000Z-1f3a9c0b") sorts by time and
 * is unique; people give it, or an unambiguous beginning or end of it, as ID.
 *
 *     PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
 *     pgc_backup_key(&key, "main", "a/b", "20260131T120000Z-1f3a9c0b", PGC_BACKUP_MANIFEST);
 *     // main/a%2Fb/20260131T120000Z-1f3a9c0b/manifest.json */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define PGC_BACKUP_MANIFEST "manifest.json" /* written last: a backup without it does not exist */
#define PGC_BACKUP_PIN      "pinned"        /* an empty object: prune leaves this backup alone */
#define PGC_BACKUP_VERIFIED "verified.json" /* what verifications found; names the manifest by its SHA-256 */

/* "20260131T120000Z-" and eight hex digits of `id`, with the final NUL. */
#define PGC_BACKUP_NAME_BYTES 26
void pgc_backup_name(char out[PGC_BACKUP_NAME_BYTES], int64_t wall_us, uint32_t id);
/* False when `name` is not exactly of that form; *wall_us (may be NULL) is the time in it. */
PGC_MUST_USE bool pgc_backup_parse_name(const char *name, int64_t *wall_us);

/* One segment of a key: percent-encoded; a leading dot is encoded too. The empty text gives "%". */
void pgc_backup_segment(struct pgc_buf *out, const char *text);
PGC_MUST_USE bool pgc_backup_parse_segment(struct pgc_buf *out, const char *text, size_t len);

/* Appends a key, or a prefix: a NULL database, name or artefact ends it after the slash before. */
void pgc_backup_key(struct pgc_buf *out, const char *cluster, const char *database, const char *name,
                    const char *artefact);

/* The parts of a key that this layout made; false for any other key. */
struct pgc_backup_place {
    struct pgc_buf cluster;
    struct pgc_buf database;
    char name[PGC_BACKUP_NAME_BYTES];
    const char *artefact; /* points into the key */
};
#define PGC_BACKUP_PLACE_INIT                                                                                          \
    { PGC_BUF_INIT, PGC_BUF_INIT, "", NULL }
PGC_MUST_USE bool pgc_backup_parse_key(const char *key, struct pgc_backup_place *out);
void pgc_backup_place_release(struct pgc_backup_place *place);

/* Shell patterns for names of databases: '*' any text, '?' one character, [a-z] a set, '\' quotes. Whole-name match. */
PGC_MUST_USE bool pgc_backup_glob(const char *pattern, const char *name);
#endif
