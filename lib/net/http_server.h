#ifndef PGC_NET_HTTP_SERVER_H
#define PGC_NET_HTTP_SERVER_H
/* A small HTTP/1.1 server for health checks, metrics and status pages: GET and HEAD only, answers from memory.
 *
 *     static void answer(void *arg, const struct pgc_http_query *query, struct pgc_http_reply *reply) {
 *         if (strcmp(query->path, "/healthz") != 0) {
 *             reply->status = 404;
 *             return;
 *         }
 *         pgc_buf_puts(&reply->body, "ok\n");
 *     }
 *     PGC_AUTO(pgc_http_server_free) struct pgc_http_server *server = NULL;
 *     code = pgc_http_server_start(":8008", answer, state, &server, err);
 *
 * The handler runs on the server's one thread, never twice at the same time; what it shares with the rest of the
 * program needs a lock. It must be quick: while it runs nobody else is answered. Signals are not delivered to that
 * thread. Other methods than GET and HEAD are refused with 405 before the handler sees them; HEAD is answered as GET
 * without the body. A reply whose buffer failed (no memory) becomes 500.
 *
 * This is the only file pair that knows libmicrohttpd. */
#include <pgc/error.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/cleanup.h"

struct pgc_http_server;
struct pgc_http_connection;

/* What was asked. All of it belongs to the server and ends with the call of the handler. */
struct pgc_http_query {
    const char *method; /* "GET" or "HEAD" */
    const char *path;   /* percent-decoded, begins with '/', without the query string */
    struct pgc_http_connection *connection;
};

/* The answer to fill in. On entry: status 200, text/plain, empty body, no further headers. */
struct pgc_http_reply {
    int status;
    const char *content_type; /* must live as long as the server: a literal */
    struct pgc_buf body;
    struct pgc_strings headers; /* further "Name: value" lines; Cache-Control: no-store is sent always */
};

typedef void pgc_http_handler(void *arg, const struct pgc_http_query *query, struct pgc_http_reply *reply);

/* Value of the parameter `name` of the query string, "" when it has none, NULL when it is absent. */
const char *pgc_http_query_param(const struct pgc_http_query *query, const char *name);

/* Listens and answers until pgc_http_server_free. `listen`: ":8008" (all addresses, IPv6 and IPv4), "127.0.0.1:8008",
 * "[::1]:8008", "localhost:8008"; port 0 takes a free one. Errors: PGC_E_USAGE malformed address; PGC_E_IO cannot listen. */
PGC_MUST_USE enum pgc_code pgc_http_server_start(const char *listen, pgc_http_handler *handler, void *arg,
                                                 struct pgc_http_server **out, struct pgc_error *err);
/* The port it listens on (what the kernel chose for 0). */
int pgc_http_server_port(const struct pgc_http_server *server);
/* Closes the socket, ends open connections, waits for the thread. NULL is fine. */
void pgc_http_server_free(struct pgc_http_server *server);
PGC_DEFINE_AUTO(pgc_http_server_free, struct pgc_http_server *)
#endif
