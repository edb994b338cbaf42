#ifndef PGC_BACKUP_VERIFY_H
#define PGC_BACKUP_VERIFY_H
/* Does a backup hold what it says, and does it come back?
 *
 * Level 1: every artefact is read, its stored bytes hashed, decrypted, decompressed, the content hashed and both
 * compared with the manifest; the dump goes through pg_restore, which reads the whole archive, its table of contents and its data.
 * Level 2: also restored into a scratch database, whose tables are compared with the fingerprint that was taken in
 * the snapshot of the dump; the scratch database is dropped again. */
#include "backup/restore.h"

struct pgc_verify_options {
    struct pgc_store *store;
    const struct pgc_catalog_entry *entry;
    const struct pgc_age_identities *identities;
    int level;
    struct pgc_conn_options server; /* level 2: where the scratch database is made */
    bool globals;                   /* level 2: bring the roles too (on a server of our own) */
    const struct pgc_strings *client_folders;
    void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total, int64_t elapsed_ms); /* may be NULL */
    void *progress_arg;
};

struct pgc_verify_result {
    size_t tables;          /* level 2: compared */
    int64_t rows;           /* level 2: compared; -1: the backup has no fingerprint */
    bool contents;          /* level 2: by content, not only by number of rows */
    char differences[1024]; /* level 2: what differs, one line each; "" when nothing does */
};

/* PGC_OK: proven. PGC_E_DATA: damaged, or not the same content. */
PGC_MUST_USE enum pgc_code pgc_verify_run(const struct pgc_verify_options *options, const struct pgc_runtime *rt,
                                          struct pgc_verify_result *result, struct pgc_error *err);
#endif
