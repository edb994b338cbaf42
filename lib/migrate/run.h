#ifndef PGC_MIGRATE_RUN_H
#define PGC_MIGRATE_RUN_H
/* Migrations against a database: load the folder, read the ledger, plan, apply.
 *
 *     PGC_CLEANUP(pgc_migrate_release) struct pgc_migrate migrate;
 *     pgc_migrate_init(&migrate, &options, rt);
 *     code = pgc_migrate_load(&migrate, err);                  // folders -> migrate.set; no server
 *     code = pgc_migrate_connect(&migrate, false, err);        // connection and migrate.ledger
 *     code = pgc_migrate_plan(&migrate, &request, &plan, err); // pure
 *     if (plan.step_count > 0)
 *         code = pgc_migrate_apply(&migrate, &request, &plan, err);
 *
 * apply takes the lock, reads the ledger again, plans again (another process may have been faster) and runs the steps.
 * What is done when it fails stays done and is in the ledger; a failed transactional migration leaves nothing behind. */
#include "migrate/ledger_conn.h"
#include "migrate/plan.h"
#include "migrate/shape.h"
#include "pg/conn.h"

enum pgc_migrate_ledger_choice {
    PGC_MIGRATE_LEDGER_AUTO,    /* ours for the native format or once ours holds rows; else the format's own */
    PGC_MIGRATE_LEDGER_OWN,     /* schema pgc */
    PGC_MIGRATE_LEDGER_FOREIGN, /* the format's own */
};

enum pgc_migrate_event_kind {
    PGC_MIGRATE_BEGIN,     /* a step begins */
    PGC_MIGRATE_DONE,      /* duration_ms */
    PGC_MIGRATE_FAILED,    /* text: why */
    PGC_MIGRATE_RETRY,     /* a lock was not to be had; text: who holds it; duration_ms: pause until the next try */
    PGC_MIGRATE_STATEMENT, /* outside a transaction: statement `index` of `count` begins; text: the statement */
    PGC_MIGRATE_NOTICE,    /* text: what the server had to say */
};
struct pgc_migrate_event {
    enum pgc_migrate_event_kind kind;
    const struct pgc_plan_step *step; /* NULL outside of steps */
    size_t index, count;
    int64_t duration_ms;
    const char *text;
};

struct pgc_migrate_options {
    struct pgc_conn_options connect;
    const struct pgc_strings *dirs;
    const char *format; /* NULL: detect */
    const char *ledger_schema;
    enum pgc_migrate_ledger_choice ledger;
    const char *table; /* foreign ledger: "name" or "schema.name", NULL: its usual place */
    struct pgc_dialect_options dialect;
    const struct pgc_strings *env_names; /* ${NAME} in scripts is replaced for these; NULL: nothing is replaced */
    const char *who;                     /* NULL: session_user */
    int64_t lock_wait_ms;                /* for the migration lock; < 0: for ever */
    int64_t lock_timeout_ms;             /* for locks of the statements; 0: the server's setting */
    int64_t lock_retries;
    int64_t statement_timeout_ms; /* 0: the server's setting */
    int64_t batch;                /* migrations per transaction and message; 0 and 1: each its own */
    int64_t lease_ms;             /* 0: 30 s */
    bool ignore_foreign;          /* do not refuse to start over in a database that another tool has migrated */
    void (*event)(void *arg, const struct pgc_migrate_event *event); /* NULL: silence */
    void *event_arg;
};

struct pgc_migrate {
    const struct pgc_migrate_options *options;
    const struct pgc_runtime *rt;
    struct pgc_folder folder;
    struct pgc_migration_set set;
    const struct pgc_dialect *dialect;
    const struct pgc_dialect_ledger *foreign; /* the ledger in use when it is not ours */
    struct pgc_ledger_found found;            /* where that is */
    struct pgc_ledger_native native;
    struct pgc_ledger ledger;
    struct pgc_conn *conn;
    bool pooled;
    bool has_progress; /* foreign: rows of half finished scripts are in our ledger */
};

void pgc_migrate_init(struct pgc_migrate *migrate, const struct pgc_migrate_options *options,
                      const struct pgc_runtime *rt);
void pgc_migrate_release(struct pgc_migrate *migrate);
/* PGC_E_NOT_FOUND without a folder, PGC_E_DATA for malformed ones. */
PGC_MUST_USE enum pgc_code pgc_migrate_load(struct pgc_migrate *migrate, struct pgc_error *err);
/* Connects (once) and reads the ledger (each time). `times`: see pgc_ledger_read. */
PGC_MUST_USE enum pgc_code pgc_migrate_connect(struct pgc_migrate *migrate, bool times, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_migrate_plan(const struct pgc_migrate *migrate, const struct pgc_plan_request *request,
                                            struct pgc_plan *plan, struct pgc_error *err);
/* `plan` is made anew under the lock and tells afterwards what was to be done; *done counts the steps that were. */
PGC_MUST_USE enum pgc_code pgc_migrate_apply(struct pgc_migrate *migrate, const struct pgc_plan_request *request,
                                             struct pgc_plan *plan, size_t *done, struct pgc_error *err);

/* The script that a step runs, NULL for steps that only write the ledger. */
const struct pgc_migration_script *pgc_plan_step_script(const struct pgc_plan_step *step);

/* Copies a foreign ledger once into ours: every migration that it has as applied, with its time. Takes both tools' locks.
 * PGC_E_EXISTS when ours holds rows already; PGC_E_DATA when a checksum differs and `accept` is false. *done: rows. */
PGC_MUST_USE enum pgc_code pgc_migrate_adopt(struct pgc_migrate *migrate, bool accept, size_t *done,
                                             struct pgc_error *err);

/* Invalid indexes: those that a broken CREATE INDEX CONCURRENTLY left, and copies that REINDEX CONCURRENTLY made beside a
 * whole one; "schema"."name", quoted. Not those that somebody may be building just now. */
struct pgc_migrate_invalid {
    struct pgc_strings indexes, copies;
};
void pgc_migrate_invalid_release(struct pgc_migrate_invalid *invalid);
PGC_MUST_USE enum pgc_code pgc_migrate_find_invalid(struct pgc_conn *conn, struct pgc_migrate_invalid *out,
                                                    struct pgc_error *err);
/* Drops them, or builds the first kind again, under the migration lock; *out: what was mended. */
PGC_MUST_USE enum pgc_code pgc_migrate_mend_invalid(struct pgc_migrate *migrate, bool rebuild,
                                                    struct pgc_migrate_invalid *out, struct pgc_error *err);
#endif
