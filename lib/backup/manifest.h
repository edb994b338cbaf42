#ifndef PGC_BACKUP_MANIFEST_H
#define PGC_BACKUP_MANIFEST_H
/* manifest.json: what a backup is, and how a person without pgc gets the data back.
 *
 * It is written last, once, and never changed: an artefact that no manifest names is rubbish, and a pin or a verification
 * is an object of its own. Readers accept every manifest whose "schema" is "pgc-backup/1" and ignore members they do not
 * know; a change that old readers would misunderstand gets a new number.
 *
 *     PGC_CLEANUP(pgc_manifest_release) struct pgc_manifest m = PGC_MANIFEST_INIT;
 *     code = pgc_manifest_parse(text, len, &m, err);      // PGC_E_DATA when malformed
 *     pgc_manifest_write(&m, &buf);                       // pgc_buf_check(&buf, err) afterwards
 *
 * The text carries its own SHA-256: the line "checksum" holds that of the text without this line. A manifest whose checksum is
 * not its own is refused like one that is cut, so that no altered word of it decides about a restore; one that was edited by
 * hand, for a reason, goes without that line. It guards against damage, not against somebody who may write to the store.
 *
 * All strings are owned (malloc'ed), NULL when absent. */
#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/buf.h"

#define PGC_MANIFEST_SCHEMA    "pgc-backup/1"
#define PGC_MANIFEST_MAX_BYTES ((size_t)4 * 1024 * 1024)

/* Bytes between two filters: what went through and its SHA-256 in lower-case hex. */
struct pgc_manifest_stage {
    char name[8]; /* "raw", "zstd", "age": after which filter; the last one is the stored object */
    uint64_t bytes;
    char sha256[65];
};

#define PGC_MANIFEST_STAGES 3
struct pgc_manifest_artefact {
    char *name; /* of the object beside the manifest: "dump.zst.age" */
    char *kind; /* "dump", "globals", "contents" */
    struct pgc_manifest_stage stages[PGC_MANIFEST_STAGES];
    size_t stage_count; /* at least 1 */
};

struct pgc_manifest {
    char *id; /* name of the backup: "20260131T120000Z-1f3a9c0b" */
    char *cluster;
    char *database;
    int64_t started_us;
    int64_t finished_us;
    char *pgc_version;
    char *server_version; /* "15.18 (Debian ...)" */
    int64_t server_version_num;
    char *system_identifier; /* decimal text: it needs 64 unsigned bits. NULL when the role may not read it */
    uint64_t database_bytes; /* pg_database_size at the start */
    char *encoding;
    char *collate;
    char *ctype;
    char *owner;
    char *client_version; /* "pg_dump (PostgreSQL) 15.18" */
    int compression_level;
    bool encrypted;
    struct pgc_strings recipients;         /* public keys; "passphrase" for scrypt */
    struct pgc_strings roles;              /* owners and grantees of objects in the dump */
    struct pgc_strings database_roles;     /* that the settings and grants of the database itself name */
    struct pgc_strings extensions;         /* that the target of a restore must have available */
    struct pgc_strings extension_versions; /* of each, in the same order; empty in manifests of an earlier time */
    struct pgc_strings tablespaces;        /* other than the default ones */
    struct pgc_manifest_artefact *artefacts;
    size_t artefact_count;
    size_t artefact_cap;
    int64_t table_count;         /* -1: not counted */
    int64_t row_count;           /* -1: not counted */
    char *fingerprint;           /* "none", "counts" or "contents": what contents.json holds */
    struct pgc_strings warnings; /* for the reader: "the globals hold no password hashes" */
    char *recovery;              /* one command of stock tools */
};
#define PGC_MANIFEST_INIT                                                                                              \
    { .table_count = -1, .row_count = -1 }

void pgc_manifest_release(struct pgc_manifest *manifest);
void pgc_manifest_write(const struct pgc_manifest *manifest, struct pgc_buf *out);
PGC_MUST_USE enum pgc_code pgc_manifest_parse(const char *text, size_t len, struct pgc_manifest *out,
                                              struct pgc_error *err);

/* Room for one more artefact, zeroed, with owned copies of the two names; borrowed until the next add. */
PGC_MUST_USE enum pgc_code pgc_manifest_add(struct pgc_manifest *manifest, const char *name, const char *kind,
                                            struct pgc_manifest_artefact **out, struct pgc_error *err);
/* The artefact of this kind, NULL when there is none. */
const struct pgc_manifest_artefact *pgc_manifest_find(const struct pgc_manifest *manifest, const char *kind);
/* Bytes of all stored objects. */
uint64_t pgc_manifest_stored_bytes(const struct pgc_manifest *manifest);
/* The last stage: the object as it lies in the store. */
const struct pgc_manifest_stage *pgc_manifest_stored(const struct pgc_manifest_artefact *artefact);

/* "age -d -i key.txt dump.zst.age | zstd -d | pg_restore -d 'my db'": quoted for a shell. malloc'ed, NULL: no memory. */
char *pgc_manifest_recovery(const char *artefact, bool encrypted, const char *database);
#endif
