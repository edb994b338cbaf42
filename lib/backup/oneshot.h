#ifndef PGC_BACKUP_ONESHOT_H
#define PGC_BACKUP_ONESHOT_H
/* Metrics of a run that nobody can scrape, because its process ends with it: a file for node_exporter, or a Pushgateway.
 *
 * The names are those of metrics.h. Of the last success only a success tells, so that an alert on its age sees failures: a file keeps
 * what it said before, a Pushgateway keeps what was pushed before. Runs are counted on from the file, or from what the gateway shows.
 *
 *     struct pgc_oneshot run = { .job = "nightly", .command = "run", .host = host, .start_s = start_s, ... };
 *     code = pgc_oneshot_write(&run, "/var/lib/node_exporter/pgc.prom", err); */
#include <pgc/runtime.h>

#include "base/buf.h"

struct pgc_oneshot {
    const char *job, *host;
    const char *command;    /* "run" or "verify" */
    int64_t start_s, end_s; /* since 1970 UTC */
    int64_t duration_ms;
    uint64_t bytes; /* stored */
    bool success;
};

/* Replaces the file at once (mode 0644: another user reads it).
 * Each job wants a file of its own. Errors: as pgc_file_sink. */
PGC_MUST_USE enum pgc_code pgc_oneshot_write(const struct pgc_oneshot *run, const char *path, struct pgc_error *err);
/* POSTs to URL/metrics/job/pgc_backup/instance/HOST/job_name/JOB; a URL that holds "/metrics/job/" is taken as it is, and then nothing
 * is counted. Goes through in a cancelled runtime. PGC_E_TEMPORARY and PGC_E_FAILED by the answer, else as pgc_http_perform. */
PGC_MUST_USE enum pgc_code pgc_oneshot_push(const struct pgc_oneshot *run, const char *url,
                                            const struct pgc_runtime *rt, struct pgc_error *err);
/* The address pushed to. Pure. */
void pgc_oneshot_address(struct pgc_buf *out, const char *url, const struct pgc_oneshot *run);
#endif
