#ifndef PGC_BACKUP_ARTEFACT_H
#define PGC_BACKUP_ARTEFACT_H
/* One object of a backup, written and read.
 *
 * Writing:   put -> count+hash -> zstd -> count+hash -> age -> count+hash -> tee -> a sink of each target
 *
 *     PGC_AUTO(pgc_artefact_free) struct pgc_artefact *dump = NULL;
 *     code = pgc_artefact_open(&options, targets, count, "main/app/.../dump.zst.age", 0, &dump, err);
 *     code = pgc_pump(source, pgc_artefact_sink(dump), NULL, err);    // the source is verified, nothing is visible yet
 *     code = pgc_artefact_commit(dump, err);                          // now it is, on every target that works
 *     pgc_artefact_stages(dump, &manifest_artefact);
 *
 * A target that fails is remembered in its own `code` and left out from then on; free without commit leaves nothing. */
#include "backup/manifest.h"
#include "io/age.h"
#include "io/stream.h"
#include "store/store.h"

/* One place where backups go. The caller owns store and label and sets code to PGC_OK. */
struct pgc_backup_target {
    struct pgc_store *store;
    const char *label;    /* the URL without secrets */
    enum pgc_code code;   /* why this target has been given up */
    struct pgc_error err; /* the same in words */
};

struct pgc_artefact_options {
    const struct pgc_age_recipients *recipients; /* NULL: not encrypted */
    int level;                                   /* of zstd */
    int workers;
};

struct pgc_artefact;
PGC_MUST_USE enum pgc_code pgc_artefact_open(const struct pgc_artefact_options *options,
                                             struct pgc_backup_target *targets, size_t target_count, const char *key,
                                             uint64_t size_hint_bytes, struct pgc_artefact **out,
                                             struct pgc_error *err);
struct pgc_sink *pgc_artefact_sink(struct pgc_artefact *artefact); /* borrowed; do not commit or drop it */
PGC_MUST_USE enum pgc_code pgc_artefact_commit(struct pgc_artefact *artefact, struct pgc_error *err);
/* Is the object visible on this target? */
bool pgc_artefact_is_on(const struct pgc_artefact *artefact, size_t target);
void pgc_artefact_progress(const struct pgc_artefact *artefact, uint64_t *raw_bytes, uint64_t *stored_bytes);
/* After commit: fills stages. */
void pgc_artefact_stages(const struct pgc_artefact *artefact, struct pgc_manifest_artefact *out);
void pgc_artefact_free(struct pgc_artefact *artefact);
PGC_DEFINE_AUTO(pgc_artefact_free, struct pgc_artefact *)

/* Reading. What the store gives is hashed on its way and compared with the manifest at its end: verify() of the source is
 * PGC_E_DATA when size or SHA-256 is wrong, so data that came before is not to be trusted until then. */
PGC_MUST_USE enum pgc_code pgc_artefact_source(struct pgc_store *store, const char *folder_key,
                                               const struct pgc_manifest_artefact *artefact,
                                               const struct pgc_age_identities *identities, struct pgc_source **out,
                                               struct pgc_error *err);

/* The stored object as it is, neither decrypted nor decompressed, with the same check at its end. */
PGC_MUST_USE enum pgc_code pgc_artefact_stored_source(struct pgc_store *store, const char *folder_key,
                                                      const struct pgc_manifest_artefact *artefact,
                                                      struct pgc_source **out, struct pgc_error *err);

/* Reads the stored object once and compares size and SHA-256 with the manifest, without decrypting. PGC_E_DATA: altered. */
PGC_MUST_USE enum pgc_code pgc_artefact_check(struct pgc_store *store, const char *folder_key,
                                              const struct pgc_manifest_artefact *artefact,
                                              const struct pgc_copy_watch *watch, struct pgc_error *err);
#endif
