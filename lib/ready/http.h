#ifndef PGC_READY_HTTP_H
#define PGC_READY_HTTP_H
/* A small HTTP/1.1 server for answers that are ready at once: GET and HEAD, keep-alive, one thread, poll. */
#include "base/buf.h"
#include "ready/ready.h"

struct pgc_ready_http;

/* Fills the answer's body (empty when called), type and status for a request path. */
struct pgc_ready_answer;
typedef void pgc_ready_http_fn(void *arg, const char *path, struct pgc_ready_answer *answer);

/* `listen` as in serve.h. *port is where it listens. */
PGC_MUST_USE enum pgc_code pgc_ready_http_open(const char *listen, struct pgc_ready_http **out, int *port,
                                               struct pgc_error *err);
/* Until the runtime is cancelled. */
PGC_MUST_USE enum pgc_code pgc_ready_http_run(struct pgc_ready_http *http, pgc_ready_http_fn *fn, void *arg,
                                              const struct pgc_runtime *rt, struct pgc_error *err);
void pgc_ready_http_free(struct pgc_ready_http *http);
PGC_DEFINE_AUTO(pgc_ready_http_free, struct pgc_ready_http *)

/* Pure: one request head of `len` bytes (up to and with the empty line). */
struct pgc_ready_request {
    char path[512];
    bool head;
    bool close;
    int refuse; /* 0, or the status to refuse it with: 400, 405, 413, 414 */
};
/* Number of bytes of the first request head in data, 0 when it is not complete yet. */
size_t pgc_ready_request_parse(const char *data, size_t len, struct pgc_ready_request *out);
#endif
