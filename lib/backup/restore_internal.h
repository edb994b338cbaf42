#ifndef PGC_BACKUP_RESTORE_INTERNAL_H
#define PGC_BACKUP_RESTORE_INTERNAL_H
/* What the files of a restore share. */
#include "backup/client.h"
#include "backup/manifest.h"
#include "backup/properties.h"
#include "backup/restore.h"
#include "backup/toc.h"

struct pgc__restore {
    const struct pgc_restore_options *o;
    const struct pgc_runtime *rt;
    const struct pgc_manifest *manifest;
    const struct pgc_manifest_artefact *dump;
    struct pgc_restore_result *result;
    struct pgc_conn *conn;            /* the maintenance database */
    struct pgc_client client;         /* pg_restore */
    char name[64];                    /* database that pg_restore writes to */
    struct pgc_toc toc;               /* of the dump */
    struct pgc_buf list;              /* what of it is restored, for --use-list; empty: everything */
    struct pgc_properties properties; /* of a database that is made */
    bool exists;                      /* `into` was there before */
    bool makes;                       /* a database is made: `into` is not there, or is to be replaced */
    bool made;                        /* `name` was made by us: dropped on failure */
    bool one_transaction;
    bool without_owner;
    bool without_privileges;
    bool roles_missing;
    int64_t started_ms;
};

/* restore_target.c: looks, changes nothing */
PGC_MUST_USE enum pgc_code pgc__restore_connect(struct pgc__restore *r, const char *database, struct pgc_conn **out,
                                                struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__restore_check_target(struct pgc__restore *r, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__restore_check_roles(struct pgc__restore *r, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__restore_check_extensions(struct pgc__restore *r, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__restore_check_tablespaces(struct pgc__restore *r, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc__restore_check_locks(struct pgc__restore *r, struct pgc_error *err);

/* restore_database.c */
PGC_MUST_USE enum pgc_code pgc__restore_make_database(struct pgc__restore *r, struct pgc_error *err);
/* Settings that wait for the data; then the final name. */
PGC_MUST_USE enum pgc_code pgc__restore_finish_database(struct pgc__restore *r, struct pgc_error *err);

/* restore_globals.c */
PGC_MUST_USE enum pgc_code pgc__restore_globals(struct pgc__restore *r, struct pgc_error *err);

/* restore_child.c */
/* What pg_restore prints about the dump with these flags; `list` for --use-list may be NULL. Needs no server. */
PGC_MUST_USE enum pgc_code pgc__restore_print(struct pgc__restore *r, const char *const *flags, size_t flag_count,
                                              const struct pgc_buf *list, struct pgc_buf *out, struct pgc_error *err);
/* The dump into r->name. */
PGC_MUST_USE enum pgc_code pgc__restore_data(struct pgc__restore *r, struct pgc_error *err);

void pgc__restore_progress(struct pgc__restore *r, const char *what, uint64_t done, uint64_t total);
#endif
