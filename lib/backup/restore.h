#ifndef PGC_BACKUP_RESTORE_H
#define PGC_BACKUP_RESTORE_H
/* A backup back into a database.
 *
 * Order: the stored artefact is read once and its size and SHA-256 compared with the manifest, and a key is tried; only then is
 * the target looked at; it must be empty unless told otherwise; extensions, roles and tablespaces that the dump needs are looked
 * for; and then the artefact is read again, decrypted, decompressed and handed to pg_restore, which stops at the first error.
 * The exit status of pg_restore is the truth.
 * A database that the restore makes has what the backup says of it (encoding, locale, owner, grants, settings, comment, limit of
 * connections). It has another name until it is complete, is dropped when the restore fails, and by the next restore when this one
 * is killed. An existing one keeps its own properties and is restored in one transaction, as far as the server has locks. */
#include "backup/catalog.h"
#include "io/age.h"
#include "pg/conn.h"

#define PGC_RESTORE_SCRATCH_PREFIX "pgc_verify_" /* of names of scratch databases */

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
    bool globals;            /* roles and tablespaces first; roles that exist stay as they are */
    bool no_owner;           /* everything belongs to the role that restores */
    bool no_privileges;      /* without GRANTs */
    bool no_tablespaces;     /* everything in the default one */
    bool no_properties;      /* a database that is made gets encoding and locale only */
    bool disable_triggers;   /* while data is loaded into a schema that is there */
    bool allow_older_server; /* than the one that was dumped */
    bool scratch;            /* `into` is thrown away afterwards: what concerns data only, and no subscriptions */
    const char *role;        /* restore as this role */
    const struct pgc_strings *client_folders;
    void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total, int64_t elapsed_ms); /* may be NULL */
    void *progress_arg;
};

struct pgc_restore_result {
    char kept_as[64];       /* replace: what the old database is called now; "" when there was none */
    int64_t sessions_ended; /* replace: of the old database */
    uint64_t raw_bytes;
    int64_t duration_ms;
    struct pgc_strings warnings;
};
void pgc_restore_result_release(struct pgc_restore_result *result);

/* Damaged artefact: PGC_E_DATA; no key fits: PGC_E_NO_KEY; target not empty: PGC_E_EXISTS; roles, extensions
 * or tablespaces missing: PGC_E_CONFIG; an older server: PGC_E_VERSION; pg_restore failed: PGC_E_CHILD with its last lines. */
PGC_MUST_USE enum pgc_code pgc_restore_run(const struct pgc_restore_options *options, const struct pgc_runtime *rt,
                                           struct pgc_restore_result *result, struct pgc_error *err);

/* Drops a database that a restore has made, with what keeps it from being dropped, also when the runtime is cancelled; what
 * stands against it is logged. `maintenance`: another database to work from; NULL: what `server` says. */
void pgc_restore_drop(const struct pgc_conn_options *server, const char *maintenance, const char *name,
                      const struct pgc_runtime *rt);
#endif
