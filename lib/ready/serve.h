#ifndef PGC_READY_SERVE_H
#define PGC_READY_SERVE_H
/* `pgc ready serve`: HTTP probes answered from memory over one kept database connection.
 *
 * A thread checks on an interval; the caller's thread answers GET and HEAD. Own few lines of HTTP instead of
 * lib/net's server: this program must not carry libmicrohttpd. */
#include "ready/ready.h"

struct pgc_ready_serve {
    const char *listen;  /* ":8008" (all addresses, IPv6 and IPv4), "127.0.0.1:8008", "[::1]:8008"; port 0: any */
    int64_t interval_ms; /* between two checks; while not ready at most half a second */
    int64_t rise, fall;  /* good (bad) checks in a row until the verdict changes; at least 1 */
    void (*listening)(void *arg, int port); /* called once the port is open; may be NULL */
    void *arg;
};

/* Returns PGC_OK once the runtime is cancelled, within a second; PGC_E_USAGE or PGC_E_IO when it cannot listen. */
PGC_MUST_USE enum pgc_code pgc_ready_serve(const struct pgc_ready_serve *serve, const struct pgc_ready_spec *spec,
                                           const struct pgc_ready_target *target, const struct pgc_runtime *rt,
                                           struct pgc_error *err);
#endif
