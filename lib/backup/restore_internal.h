#ifndef PGC_BACKUP_RESTORE_INTERNAL_H
#define PGC_BACKUP_RESTORE_INTERNAL_H
/* What the files of a restore share. */
#include "backup/client.h"
#include "backup/manifest.h"
#include "backup/restore.h"

struct pgc__restore {
    const struct pgc_restore_options *o;
    const struct pgc_runtime *rt;
    const struct pgc_manifest *manifest;
    const struct pgc_manifest_artefact *dump;
    struct pgc_restore_result *result;
    struct pgc_conn *conn;    /* the maintenance database */
    struct pgc_client client; /* pg_restore */
    char name[64];            /* database that pg_restore writes to */
    bool exists;              /* `into` was there before */
    bool made;                /* `name` was made by us: dropped on failure */
    bool without_owner;
    bool without_privileges;
    int64_t started_ms;
};

/* restore_target.c */
PGC_MUST_USE enum pgc_code pgc__restore_connect(struct pgc__restore *r, const char *database, struct pgc_conn **out,
                                                struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__restore_check_target(struct pgc__restore *r, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__restore_check_roles(struct pgc__restore *r, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__restore_check_extensions(struct pgc__restore *r, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__restore_make_database(struct pgc__restore *r, struct pgc_error *err);
void pgc__restore_drop_database(struct pgc__restore *r);
PGC_MUST_USE enum pgc_code pgc__restore_swap(struct pgc__restore *r, struct pgc_error *err);

/* restore_globals.c */
PGC_MUST_USE enum pgc_code pgc__restore_globals(struct pgc__restore *r, struct pgc_error *err);

/* restore_child.c: the dump into r->name */
PGC_MUST_USE enum pgc_code pgc__restore_data(struct pgc__restore *r, struct pgc_error *err);

void pgc__restore_progress(struct pgc__restore *r, const char *what, uint64_t done, uint64_t total);
#endif
