#ifndef PGC_BACKUP_JOB_H
#define PGC_BACKUP_JOB_H
/* One run of backups: databases chosen, dumped one after the other, each to every target.
 *
 *     struct pgc_backup_job job = PGC_BACKUP_JOB_DEFAULTS;
 *     job.server.conninfo = "postgresql://backup@db/postgres";
 *     job.select.all = true;
 *     job.targets = targets; job.target_count = 1;       // attached by the caller
 *     job.recipients = &recipients;
 *     code = pgc_backup_job_run(&job, rt, &results, err);
 *
 * A database that fails does not keep the others from being backed up; the code of the run is that of the first failure. A target
 * that fails is left out for that database (tried again for the next) and makes the run fail, while the others get their
 * backup. What a failed backup leaves on a target: nothing.
 *
 * Logged through rt: "backup.warning", "backup.target_failed", "backup.swept", "backup.skipped" and, in a run of several databases, "backup.failed". */
#include "backup/artefact.h"
#include "backup/facts.h"
#include "backup/shield.h"
#include "pg/conn.h"

struct pgc_backup_select {
    const struct pgc_strings *databases; /* by name, in this order; NULL or empty: `all` or the connection's own */
    bool all; /* every database that is no template, found anew in each run; which the role is kept out of: a warning */
    const struct pgc_strings *include; /* globs over `all`; NULL or empty: everything */
    const struct pgc_strings *exclude;
};

struct pgc_backup_progress {
    const char *database;
    uint64_t raw_bytes;      /* that pg_dump has written */
    uint64_t stored_bytes;   /* after compression and encryption */
    uint64_t database_bytes; /* size of the database: an upper estimate of raw_bytes in most cases */
    int64_t elapsed_ms;
};
typedef void pgc_backup_progress_fn(void *arg, const struct pgc_backup_progress *progress);

struct pgc_backup_job {
    struct pgc_conn_options server; /* of the maintenance database; the password is used for all */
    struct pgc_backup_select select;
    const char *cluster; /* first segment of the layout */
    struct pgc_backup_target *targets;
    size_t target_count;
    struct pgc_shield
        *shield; /* of the targets' runtime; NULL: a signal may leave artefacts without a manifest there */
    const struct pgc_age_recipients *recipients; /* NULL: not encrypted */
    const struct pgc_strings *recipient_names;   /* for the manifest */
    int level;
    int workers;
    enum pgc_fingerprint fingerprint;
    bool globals;
    bool allow_newer_client;
    const struct pgc_strings *client_folders; /* see client.h */
    int64_t lock_wait_ms;
    int64_t idle_ms;
    int64_t
        sweep_after_ms; /* after a success: remove what killed runs of this database left, when so old (sweep.h); 0: never */
    pgc_backup_progress_fn *progress; /* about twice a second; may be NULL */
    void *progress_arg;
};
#define PGC_BACKUP_JOB_DEFAULTS                                                                                        \
    {                                                                                                                  \
        .cluster = "main", .level = 1, .workers = 2, .fingerprint = PGC_FINGERPRINT_COUNTS, .globals = true,           \
        .lock_wait_ms = 60000, .idle_ms = 900000                                                                       \
    }

struct pgc_backup_result {
    char *database;
    char id[32];        /* "" when it failed before it got one */
    enum pgc_code code; /* PGC_OK: on every target */
    bool stored;        /* on one target at least */
    struct pgc_error err;
    uint64_t raw_bytes;
    uint64_t stored_bytes;
    int64_t duration_ms;
    struct pgc_strings warnings;
};
struct pgc_backup_results {
    struct pgc_backup_result *items;
    size_t count, cap;
};
#define PGC_BACKUP_RESULTS_INIT                                                                                        \
    { NULL, 0, 0 }
void pgc_backup_results_release(struct pgc_backup_results *results);

/* The names, in order. A database asked for by name is taken as it is (whether it exists is seen when it is dumped). */
PGC_MUST_USE enum pgc_code pgc_backup_job_databases(const struct pgc_backup_job *job, const struct pgc_runtime *rt,
                                                    struct pgc_strings *out, struct pgc_error *err);
PGC_MUST_USE enum pgc_code pgc_backup_job_run(const struct pgc_backup_job *job, const struct pgc_runtime *rt,
                                              struct pgc_backup_results *results, struct pgc_error *err);
/* One database. `result` is filled in any case (release it by pgc_backup_results_release on a list of it). */
PGC_MUST_USE enum pgc_code pgc_backup_database(const struct pgc_backup_job *job, const char *database,
                                               const struct pgc_runtime *rt, struct pgc_backup_result *result,
                                               struct pgc_error *err);
#endif
