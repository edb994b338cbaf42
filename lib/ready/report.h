#ifndef PGC_READY_REPORT_H
#define PGC_READY_REPORT_H
/* What a report looks like to people and to programs. Pure. */
#include "base/buf.h"
#include "ready/ready.h"

/* "db:5432 - ready (query, 4 ms)". */
void pgc_ready_put_ready(struct pgc_buf *out, const struct pgc_ready_spec *spec, const struct pgc_ready_target *target,
                         const struct pgc_ready_report *report);
/* "db:5432: what is wrong (SQLSTATE): what to do". */
void pgc_ready_put_reason(struct pgc_buf *out, const struct pgc_ready_target *target,
                          const struct pgc_ready_report *report);
/* The line of pg_isready: "HOST:PORT - accepting connections". */
void pgc_ready_put_ping(struct pgc_buf *out, const struct pgc_ready_target *target, int status);
/* One object: {"ready":...,"status":N,"level":"query","targets":[{..., "checks":[{"name","ok","ms"}]}]} and a newline. */
void pgc_ready_put_json(struct pgc_buf *out, const struct pgc_ready_spec *spec, const struct pgc_ready_target *targets,
                        const struct pgc_ready_report *reports, size_t count, int status);
/* The object of one target, as in the list above. */
void pgc_ready_put_target_json(struct pgc_buf *out, const struct pgc_ready_target *target,
                               const struct pgc_ready_report *report);
#endif
