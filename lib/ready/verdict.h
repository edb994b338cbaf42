#ifndef PGC_READY_VERDICT_H
#define PGC_READY_VERDICT_H
/* Pure: from what a probe saw to a verdict with a reason and a hint. */
#include "ready/ready.h"

/* The server's or the network's answer to a connection attempt. For the level `ping` the statuses are PQping's. */
void pgc_ready_judge_connect(const struct pgc_probe_result *result, enum pgc_ready_level level,
                             struct pgc_ready_verdict *verdict);
/* A failed statement of the probe itself. */
void pgc_ready_judge_query(enum pgc_code code, const struct pgc_error *failure, struct pgc_ready_verdict *verdict);
/* Role, read-only, lag: after the server told about itself. */
void pgc_ready_judge_role(const struct pgc_ready_spec *spec, const struct pgc_ready_server *server,
                          struct pgc_ready_verdict *verdict);
void pgc_ready_judge_lag(const struct pgc_ready_spec *spec, const struct pgc_ready_server *server,
                         struct pgc_ready_verdict *verdict);
/* Fills status, reason and hint. */
void pgc_ready_refuse(struct pgc_ready_verdict *verdict, enum pgc_ready_status status, bool permanent, const char *hint,
                      const char *format, ...) PGC_PRINTF(5, 6);
#endif
