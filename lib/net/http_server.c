#include "net/http_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Health checks are tiny: bounds that keep a scanner or a stuck client from costing anything. */
#define CONNECTIONS_MAX  64
#define IDLE_SECONDS     10
#define CONNECTION_BYTES ((size_t)32 * 1024)

struct pgc_http_server {
    struct MHD_Daemon *daemon;
    pgc_http_handler *handler;
    void *arg;
    int port;
};

static struct MHD_Connection *wire(const struct pgc_http_query *query) {
    return (struct MHD_Connection *)query->connection;
}

const char *pgc_http_query_param(const struct pgc_http_query *query, const char *name) {
    const char *value = NULL;
    size_t len = 0;
    if (MHD_lookup_connection_value_n(wire(query), MHD_GET_ARGUMENT_KIND, name, strlen(name), &value, &len) != MHD_YES)
        return NULL;
    return value != NULL ? value : "";
}

static void add_header_line(struct MHD_Response *response, const char *line) {
    const char *colon = strchr(line, ':');
    char name[64];
    if (colon == NULL || (size_t)(colon - line) >= sizeof name)
        return;
    memcpy(name, line, (size_t)(colon - line));
    name[colon - line] = '\0';
    for (colon++; *colon == ' '; colon++)
        ;
    (void)MHD_add_response_header(response, name, colon);
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct pgc_http_reply *reply) {
    bool failed = reply->body.failed || reply->status < 200 || reply->status > 599;
    struct MHD_Response *response =
        failed ? MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT)
               : MHD_create_response_from_buffer(reply->body.len, reply->body.data, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    if (reply->content_type != NULL)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    for (size_t i = 0; i < reply->headers.count; i++)
        add_header_line(response, reply->headers.items[i]);
    enum MHD_Result sent = MHD_queue_response(connection, failed ? 500U : (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return sent;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **state) {
    static char seen; /* its address says "headers were read before" */
    struct pgc_http_server *server = cls;
    struct pgc_http_reply reply = { 200, "text/plain; charset=utf-8", PGC_BUF_INIT, PGC_STRINGS_INIT };
    struct pgc_http_query query = { method, url, (struct pgc_http_connection *)connection };
    struct pgc_error ignored;
    (void)version;
    (void)upload;
    if (*state == NULL) {
        *state = &seen;
        return MHD_YES;
    }
    if (*upload_size != 0) { /* a body nobody asked for: read it away */
        *upload_size = 0;
        return MHD_YES;
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        reply.status = 405;
        if (pgc_strings_add(&reply.headers, "Allow: GET, HEAD", &ignored) != PGC_OK)
            reply.status = 500;
    } else {
        server->handler(server->arg, &query, &reply);
    }
    enum MHD_Result sent = send_reply(connection, &reply);
    pgc_buf_release(&reply.body);
    pgc_strings_release(&reply.headers);
    return sent;
}

/* "host:port", ":port", "[v6]:port" into the two parts; host "" means every address. */
static enum pgc_code split_address(const char *listen, char *host, size_t host_cap, const char **port,
                                   struct pgc_error *err) {
    const char *colon = strrchr(listen, ':');
    const char *begin = listen;
    const char *end = colon;
    bool digits = colon != NULL && colon[1] != '\0' && strspn(colon + 1, "0123456789") == strlen(colon + 1);
    if (!digits || strlen(colon + 1) > 5 || atoi(colon + 1) > 65535)
        return pgc_fail(err, PGC_E_USAGE, "'%s' is not an address to listen on (like ':8008' or '127.0.0.1:8008')",
                        listen);
    if (*begin == '[' && end > begin && end[-1] == ']') {
        begin++;
        end--;
    } else if (memchr(begin, ':', (size_t)(end - begin)) != NULL) {
        return pgc_fail(err, PGC_E_USAGE, "'%s': an IPv6 address is written in brackets, like '[::1]:8008'", listen);
    }
    if ((size_t)(end - begin) >= host_cap)
        return pgc_fail(err, PGC_E_USAGE, "the address to listen on is too long");
    memcpy(host, begin, (size_t)(end - begin));
    host[end - begin] = '\0';
    *port = colon + 1;
    return PGC_OK;
}

static int try_listen(const struct addrinfo *info) {
    int on = 1;
    int off = 0;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (info->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, CONNECTIONS_MAX) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* One socket: the IPv6 wildcard takes IPv4 too; where the kernel has no IPv6, the IPv4 wildcard is tried next. */
static enum pgc_code open_socket(const char *listen, int *out, struct pgc_error *err) {
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    struct addrinfo *list = NULL;
    char host[256];
    const char *port = NULL;
    int fd = -1;
    enum pgc_code code = split_address(listen, host, sizeof host, &port, err);
    if (code != PGC_OK)
        return code;
    int rc = getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, &list);
    if (rc != 0)
        return pgc_fail(err, PGC_E_IO, "cannot listen on '%s': %s", listen, gai_strerror(rc));
    const int families[] = { AF_INET6, AF_INET };
    errno = EADDRNOTAVAIL;
    for (size_t f = 0; f < 2 && fd < 0; f++)
        for (const struct addrinfo *info = list; info != NULL && fd < 0; info = info->ai_next)
            if (info->ai_family == families[f])
                fd = try_listen(info);
    int saved = errno;
    freeaddrinfo(list);
    errno = saved;
    if (fd < 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot listen on '%s'", listen);
    *out = fd;
    return PGC_OK;
}

static int bound_port(int fd) {
    struct sockaddr_storage address = { 0 };
    socklen_t len = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

/* The thread inherits a mask that blocks everything, so that signals reach the program's own threads. */
static struct MHD_Daemon *start_daemon(struct pgc_http_server *server, int fd) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO | MHD_USE_ITC, 0, NULL, NULL, on_request,
                         server, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                         CONNECTION_BYTES, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return daemon;
}

enum pgc_code pgc_http_server_start(const char *listen, pgc_http_handler *handler, void *arg,
                                    struct pgc_http_server **out, struct pgc_error *err) {
    int fd = -1;
    enum pgc_code code = open_socket(listen, &fd, err);
    if (code != PGC_OK)
        return code;
    struct pgc_http_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        close(fd);
        return pgc_fail_nomem(err);
    }
    server->handler = handler;
    server->arg = arg;
    server->port = bound_port(fd);
    server->daemon = start_daemon(server, fd);
    if (server->daemon == NULL) {
        close(fd);
        free(server);
        return pgc_fail(err, PGC_E_IO, "cannot start the HTTP server on '%s'", listen);
    }
    *out = server;
    return PGC_OK;
}

int pgc_http_server_port(const struct pgc_http_server *server) {
    return server->port;
}

void pgc_http_server_free(struct pgc_http_server *server) {
    if (server == NULL)
        return;
    MHD_stop_daemon(server->daemon); /* closes the listening socket too */
    free(server);
}
