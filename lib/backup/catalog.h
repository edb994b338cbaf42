#ifndef PGC_BACKUP_CATALOG_H
#define PGC_BACKUP_CATALOG_H
/* What a store holds: its manifests are the catalogue, there is no other.
 *
 *     PGC_CLEANUP(pgc_catalog_release) struct pgc_catalog catalog = PGC_CATALOG_INIT;
 *     code = pgc_catalog_load(store, "main", "app", &catalog, err);      // NULL, NULL: everything
 *     struct pgc_catalog_query query = { .database = "app", .id = "latest" };
 *     code = pgc_catalog_find(&catalog, &query, &entry, err);
 *
 * One listing of the store and one read per manifest. Objects that are not of this layout are ignored. */
#include "backup/manifest.h"
#include "store/store.h"

struct pgc_catalog_entry {
    struct pgc_manifest manifest; /* of a broken one only id, cluster, database and started_us are set */
    char *folder;                 /* "main/app/20260131T120000Z-1f3a9c0b/" */
    char *problem;                /* why it cannot be used: manifest unreadable, artefact missing or of a wrong size */
    char manifest_sha256[65];     /* "" when it cannot be read */
    bool pinned;
    /* From verified.json, which counts for the very manifest that it names. 0: never. */
    int64_t verified_us; /* last proof, of any level */
    int64_t restored_us; /* last proof of level 2 */
    int level;           /* of the last proof */
    int64_t failed_us;   /* the last verification found damage: no proof counts any more */
};
/* Proven, and not found damaged later. */
bool pgc_catalog_is_verified(const struct pgc_catalog_entry *entry);
struct pgc_catalog {
    struct pgc_catalog_entry *items; /* oldest first */
    size_t count, cap;
};
#define PGC_CATALOG_INIT                                                                                               \
    { NULL, 0, 0 }

PGC_MUST_USE enum pgc_code pgc_catalog_load(struct pgc_store *store, const char *cluster, const char *database,
                                            struct pgc_catalog *out, struct pgc_error *err);
void pgc_catalog_release(struct pgc_catalog *catalog);

struct pgc_catalog_query {
    const char *cluster;  /* NULL: any */
    const char *database; /* NULL: any */
    const char *id; /* "latest" or NULL: the newest; else the id, or a beginning or end of it that is unambiguous */
    int64_t at_us;  /* > 0: the newest whose snapshot is not after this time */
};
/* Borrowed from the catalogue. A broken backup is PGC_E_DATA, by id and by time: no older one is taken in its place.
 * Nothing fits: PGC_E_NOT_FOUND. Several ids fit, or by time backups of several databases or servers: PGC_E_USAGE. */
PGC_MUST_USE enum pgc_code pgc_catalog_find(const struct pgc_catalog *catalog, const struct pgc_catalog_query *query,
                                            const struct pgc_catalog_entry **out, struct pgc_error *err);

/* Marks. A pin is an empty object beside the manifest. */
PGC_MUST_USE enum pgc_code pgc_catalog_pin(struct pgc_store *store, const struct pgc_catalog_entry *entry, bool pinned,
                                           struct pgc_error *err);
/* What a verification of `level` found: failure NULL, or what is damaged. Bound to the manifest by its SHA-256. */
PGC_MUST_USE enum pgc_code pgc_catalog_mark_verified(struct pgc_store *store, const struct pgc_catalog_entry *entry,
                                                     int level, const char *failure, int64_t wall_us,
                                                     struct pgc_error *err);

/* Deletes one backup: the manifest first (from then on it does not exist), then the artefacts that it names, then the marks.
 * Nothing else in the folder is touched. */
PGC_MUST_USE enum pgc_code pgc_catalog_erase(struct pgc_store *store, const struct pgc_catalog_entry *entry,
                                             struct pgc_error *err);
/* Copies one backup to another store: artefacts checked against the manifest on their way, manifest last.
 * There already: PGC_E_EXISTS. */
PGC_MUST_USE enum pgc_code pgc_catalog_copy(struct pgc_store *from, const struct pgc_catalog_entry *entry,
                                            struct pgc_store *to, const struct pgc_copy_watch *watch,
                                            struct pgc_error *err);
#endif
