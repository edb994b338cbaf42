#ifndef PGC_BACKUP_RESTORE_H
#define PGC_BACKUP_RESTORE_H
/* A backup back into a database.
 *
 * Order: the stored artefact is read once and its size and SHA-256 compared with the manifest, and a key is tried; only then is
 * the target looked at; it must be empty unless told otherwise; roles that the dump needs are looked for; and then the
 * artefact is read again, decrypted, decompressed and handed to pg_restore, which stops at the first error.
 * A database made by the restore is dropped again when it fails; an existing one is restored in one transaction (up to
 * PGC_RESTORE_ONE_TX_TABLES tables: it holds a lock on each). The exit status of pg_restore is the truth. */
#include "backup/catalog.h"
#include "io/age.h"
#include "pg/conn.h"

#define PGC_RESTORE_ONE_TX_TABLES 2000

struct pgc_restore_options {
    struct pgc_conn_options server; /* a database to work from; of which one does not matter */
    struct pgc_store *store;
    const struct pgc_catalog_entry *entry;
    const struct pgc_age_identities *identities; /* may be NULL for a backup that is not encrypted */
    const char *into;
    bool create;                      /* make the database, with encoding and locale of the backup */
    bool clean;                       /* drop the objects that are restored first */
    bool replace;                     /* restore under another name, then swap names; the old database is kept */
    int64_t jobs;                     /* > 1: by a temporary file in spool_folder */
    const char *spool_folder;         /* NULL: TMPDIR or /tmp */
    const struct pgc_strings *tables; /* "table" or "schema.table"; NULL or empty: all */
    bool schema_only;
    bool data_only;
    bool globals;       /* roles and tablespaces first; roles that exist stay as they are */
    bool no_owner;      /* everything belongs to the role that restores */
    bool no_privileges; /* without GRANTs */
    const char *role;   /* restore as this role */
    const struct pgc_strings *client_folders;
    void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total, int64_t elapsed_ms); /* may be NULL */
    void *progress_arg;
};

struct pgc_restore_result {
    char kept_as[64]; /* replace: what the old database is called now; "" when there was none */
    uint64_t raw_bytes;
    int64_t duration_ms;
    struct pgc_strings warnings;
};
void pgc_restore_result_release(struct pgc_restore_result *result);

/* Damaged artefact: PGC_E_DATA; no key fits: PGC_E_NO_KEY; target not empty: PGC_E_EXISTS; roles or
 * extensions missing: PGC_E_CONFIG; pg_restore failed: PGC_E_CHILD with its last lines. */
PGC_MUST_USE enum pgc_code pgc_restore_run(const struct pgc_restore_options *options, const struct pgc_runtime *rt,
                                           struct pgc_restore_result *result, struct pgc_error *err);
#endif
