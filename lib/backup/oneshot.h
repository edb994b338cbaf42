#ifndef PGC_BACKUP_ONESHOT_H
#define PGC_BACKUP_ONESHOT_H
/* Metrics of a run that nobody can scrape, because its process ends with it: a file for node_exporter, or a Pushgateway.
 *
 * The names are those of the scheduler's /metrics. Of the last success only a success tells, so that an alert on its age sees
 * failures: a file keeps what it said before, a Pushgateway keeps what was pushed before.
 *
 *     struct pgc_oneshot run = { "nightly", host, start_s, end_s, duration_ms, bytes, code == PGC_OK };
 *     code = pgc_oneshot_write(&run, "/var/lib/node_exporter/pgc.prom", err); */
#include <pgc/runtime.h>

#include "base/buf.h"

struct pgc_oneshot {
    const char *job, *host;
    int64_t start_s, end_s; /* since 1970 UTC */
    int64_t duration_ms;
    uint64_t bytes; /* stored */
    bool success;
};

/* Replaces the file at once (mode 0644: another user reads it).
 * Each job wants a file of its own. Errors: as pgc_file_sink. */
PGC_MUST_USE enum pgc_code pgc_oneshot_write(const struct pgc_oneshot *run, const char *path, struct pgc_error *err);
/* POSTs to URL/metrics/job/pgc_backup/instance/HOST; a URL that holds "/metrics/job/" is taken as it is. Goes through in a
 * cancelled runtime. PGC_E_TEMPORARY and PGC_E_FAILED by the answer, else as pgc_http_perform. */
PGC_MUST_USE enum pgc_code pgc_oneshot_push(const struct pgc_oneshot *run, const char *url,
                                            const struct pgc_runtime *rt, struct pgc_error *err);
/* The address pushed to. Pure. */
void pgc_oneshot_address(struct pgc_buf *out, const char *url, const char *host);
#endif
