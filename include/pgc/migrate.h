#ifndef PGC_MIGRATE_H
#define PGC_MIGRATE_H
/* Schema migrations inside a program: what `pgc migrate` does, with the plan as data.
 *
 *     struct pgc_migrate_settings settings = { .conninfo = "postgres://localhost/app", .dirs = (const char *[]) { "migrations", NULL } };
 *     struct pgc_error err;
 *     struct pgc_migrate_handle *m = NULL;
 *     size_t done;
 *     enum pgc_code code = pgc_migrate_open(&settings, NULL, &m, &err);
 *     if (code == PGC_OK)
 *         code = pgc_migrate_up(m, NULL, &done, &err);
 *     if (code != PGC_OK)
 *         fprintf(stderr, "%s\n", err.message);
 *     pgc_migrate_close(m);
 *
 * Any number of processes may do this at once: one migrates, the others wait and then find nothing to do.
 * A handle is used by one thread at a time. Link with -lpgc. */
#include <pgc/error.h>
#include <pgc/runtime.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pgc_migrate_handle;

/* Zero means the default everywhere; strings are borrowed while the handle lives. */
struct pgc_migrate_settings {
    const char *conninfo;         /* URI, key=value string or database name; NULL: PG* variables */
    const char *const *dirs;      /* migrations folders, NULL-terminated */
    const char *format;           /* "native", "dbmate", "flyway", ...; NULL: found out by content */
    const char *ledger_schema;    /* NULL: "pgc" */
    int64_t lock_wait_ms;         /* for another migration run; 0: 10 minutes, < 0: for ever */
    int64_t lock_timeout_ms;      /* for the locks of statements; 0: 3 s, < 0: the server's setting */
    int64_t lock_retries;         /* 0: 20, < 0: none */
    int64_t statement_timeout_ms; /* 0: the server's setting */
    int64_t batch;                /* migrations per transaction; 0: 1 */
    /* Called after each migration that was applied or reverted. May be NULL. */
    void (*applied)(void *arg, const char *version, const char *path, int64_t duration_ms);
    void *applied_arg;
};

/* One step of a plan. Strings live until the next call with the handle; NULL where there is none. */
struct pgc_migrate_step {
    const char *action;  /* "up", "down", "rerun", "resume", "resume-down" */
    const char *version; /* NULL for repeatable ones */
    const char *name;
    const char *path;
    const char *sql; /* text that is run */
    bool transaction;
};

/* Reads the folders; does not connect yet. rt NULL: the system's clock, never cancelled, no log. */
PGC_MUST_USE enum pgc_code pgc_migrate_open(const struct pgc_migrate_settings *settings, const struct pgc_runtime *rt,
                                            struct pgc_migrate_handle **out, struct pgc_error *err);
void pgc_migrate_close(struct pgc_migrate_handle *handle); /* NULL is fine */

/* What up (to a version, or all with NULL) would do. The array is the handle's and lives until its next call.
 * PGC_E_DATA when the plan cannot be run: changed files, out-of-order versions; the message names them. */
PGC_MUST_USE enum pgc_code pgc_migrate_preview(struct pgc_migrate_handle *handle, const char *to,
                                               const struct pgc_migrate_step **steps, size_t *count,
                                               struct pgc_error *err);
/* The same for an empty database, without connecting. */
PGC_MUST_USE enum pgc_code pgc_migrate_preview_offline(struct pgc_migrate_handle *handle, const char *to,
                                                       const struct pgc_migrate_step **steps, size_t *count,
                                                       struct pgc_error *err);
/* Applies what is pending, up to and including `to` (NULL: all). *done: migrations applied, also on failure. */
PGC_MUST_USE enum pgc_code pgc_migrate_up(struct pgc_migrate_handle *handle, const char *to, size_t *done,
                                          struct pgc_error *err);
/* Reverts everything newer than `to` ("0": everything; NULL: the newest one). */
PGC_MUST_USE enum pgc_code pgc_migrate_down(struct pgc_migrate_handle *handle, const char *to, size_t *done,
                                            struct pgc_error *err);

#ifdef __cplusplus
}
#endif
#endif
