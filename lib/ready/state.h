#ifndef PGC_READY_STATE_H
#define PGC_READY_STATE_H
/* What `pgc ready serve` knows, and what it answers from it. Pure: time and reports come in, HTTP answers go out.
 *
 * Hysteresis: single readings flap. The published verdict turns to not ready after `fall` bad checks in a row and
 * back after `rise` good ones; until the first good one it is not ready. Liveness never depends on the database. */
#include "base/buf.h"
#include "ready/ready.h"

struct pgc_ready_state {
    const struct pgc_ready_target *target;
    int64_t rise, fall;
    int64_t stale_ms; /* a last check older than this counts as not ready: the prober hangs */
    bool ready;       /* published */
    bool started;     /* was ready once */
    int64_t streak;   /* good checks in a row when positive, bad ones when negative */
    int64_t checks, failures, connects, changes;
    int64_t last_ms;                /* pgc_mono_ms of the last check */
    struct pgc_ready_report report; /* of the last check */
};

/* True when the published verdict changed. */
bool pgc_ready_state_feed(struct pgc_ready_state *state, const struct pgc_ready_report *report, int64_t now_ms);

struct pgc_ready_answer {
    int status;
    const char *type; /* content type */
    struct pgc_buf body;
};
/* `path` with its query string. Knows /livez /readyz /startupz /primary /replica[?lag=16MB|10s] /metrics and / as /readyz. */
void pgc_ready_state_answer(const struct pgc_ready_state *state, const char *path, int64_t now_ms,
                            struct pgc_ready_answer *answer);
#endif
