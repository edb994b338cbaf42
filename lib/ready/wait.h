#ifndef PGC_READY_WAIT_H
#define PGC_READY_WAIT_H
/* Waiting until a target is ready: back-off, one deadline, permanent failures at once, --stable. */
#include "ready/ready.h"

struct pgc_ready_wait {
    int64_t wait_ms;  /* total time; 0: one attempt only */
    int64_t first_ms; /* first pause; grows by half up to max_ms */
    int64_t max_ms;
    int64_t stable_ms; /* ready twice, that far apart, with the same postmaster start time; 0: once is enough */
    bool quiet;        /* why it waits is not logged */
};

/* Several targets, each waited for in its own thread (one target: in the caller's), until all are ready, one fails
 * permanently, or the time is over: PGC_READY_DEADLINE, whose reason is that of the last attempt.
 * `reports` has one entry per target. Changes of the reason are logged at info level. */
PGC_MUST_USE enum pgc_code pgc_ready_wait_all(const struct pgc_ready_spec *spec, const struct pgc_ready_target *targets,
                                              size_t count, const struct pgc_ready_wait *wait,
                                              const struct pgc_runtime *rt, struct pgc_ready_report *reports,
                                              struct pgc_error *err);

/* The status of the whole: of the first that failed for good, else the first that is not 0. */
enum pgc_ready_status pgc_ready_overall(const struct pgc_ready_report *reports, size_t count);
#endif
