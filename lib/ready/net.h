#ifndef PGC_READY_NET_H
#define PGC_READY_NET_H
/* The other services of a compose file: does a port accept connections, does a page answer 2xx?
 * A few lines over sockets instead of lib/net's client: the probe must not carry curl into an image. Plain HTTP only. */
#include "ready/ready.h"

/* Every address of the name, one after the other, each with its share of the time. A host that begins with '/' is the
 * folder of a PostgreSQL socket. */
void pgc_ready_tcp(const char *host, const char *port, const struct pgc_runtime *rt, int64_t deadline,
                   struct pgc_ready_verdict *verdict);
/* GET path, HTTP/1.1, ready when the status is 200 to 299. */
void pgc_ready_http(const char *host, const char *port, const char *path, const struct pgc_runtime *rt,
                    int64_t deadline, struct pgc_ready_verdict *verdict);
#endif
