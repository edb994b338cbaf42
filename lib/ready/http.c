#include "ready/http.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "ready/state.h"

#define MAX_CLIENTS 128
#define MAX_HEAD    ((size_t)8192)
#define IDLE_MS     30000

struct client {
    int fd;
    struct pgc_buf in, out;
    bool closing; /* after `out` is sent */
    int64_t seen_ms;
};

struct pgc_ready_http {
    int listener;
    struct client clients[MAX_CLIENTS];
    size_t count;
};

/* --- listening --------------------------------------------------------------------------------------- */

static int listen_on(const struct addrinfo *address) {
    int on = 1, off = 0;
    PGC_AUTO_CLOSE int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ai_family == AF_INET6) /* [::] takes IPv4 as well */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, 128) != 0)
        return -1;
    int good = fd;
    fd = -1;
    return good;
}

static enum pgc_code split(const char *listen, char *host, size_t size, const char **port, struct pgc_error *err) {
    const char *colon = strrchr(listen, ':');
    const char *start = listen, *end = colon;
    if (colon != NULL && listen[0] == '[' && colon > listen && colon[-1] == ']') {
        start = listen + 1;
        end = colon - 1;
    }
    if (colon == NULL || colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        (size_t)(end - start) >= size)
        return pgc_fail(err, PGC_E_USAGE, "'%s' is not HOST:PORT or :PORT", listen);
    snprintf(host, size, "%.*s", (int)(end - start), start);
    *port = colon + 1;
    return PGC_OK;
}

enum pgc_code pgc_ready_http_open(const char *listen, struct pgc_ready_http **out, int *port, struct pgc_error *err) {
    char host[256];
    const char *service = NULL;
    enum pgc_code code = split(listen, host, sizeof host, &service, err);
    if (code != PGC_OK)
        return code;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *found = NULL;
    static const char *const everywhere[] = { "::", "0.0.0.0" };
    int fd = -1, failure = 0;
    for (size_t i = 0; i < 2 && fd < 0; i++) {
        const char *name = host[0] != '\0' ? host : everywhere[i];
        int rc = getaddrinfo(name, service, &hints, &found);
        if (rc != 0)
            return pgc_fail(err, PGC_E_USAGE, "cannot listen on '%s': %s", listen, gai_strerror(rc));
        fd = listen_on(found);
        failure = errno;
        freeaddrinfo(found);
        if (host[0] != '\0')
            break;
    }
    if (fd < 0) {
        errno = failure;
        return pgc_fail_errno(err, PGC_E_IO, "cannot listen on '%s'", listen);
    }
    struct pgc_ready_http *http = calloc(1, sizeof *http);
    if (http == NULL) {
        close(fd);
        return pgc_fail_nomem(err);
    }
    http->listener = fd;
    struct sockaddr_storage bound = { 0 };
    socklen_t len = sizeof bound;
    getsockname(fd, (struct sockaddr *)&bound, &len);
    *port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                              : ((struct sockaddr_in *)&bound)->sin_port);
    *out = http;
    return PGC_OK;
}

/* --- clients ----------------------------------------------------------------------------------------- */

static void drop_client(struct pgc_ready_http *http, size_t i) {
    struct client *client = &http->clients[i];
    close(client->fd);
    pgc_buf_release(&client->in);
    pgc_buf_release(&client->out);
    *client = http->clients[--http->count];
}

void pgc_ready_http_free(struct pgc_ready_http *http) {
    if (http == NULL)
        return;
    while (http->count > 0)
        drop_client(http, 0);
    close(http->listener);
    free(http);
}

static void accept_clients(struct pgc_ready_http *http, int64_t now) {
    while (http->count < MAX_CLIENTS) {
        int fd = accept4(http->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        http->clients[http->count++] =
            (struct client) { .fd = fd, .in = PGC_BUF_INIT, .out = PGC_BUF_INIT, .seen_ms = now };
    }
}

static const char *words_of(int status) {
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 431:
        return "Request Header Fields Too Large";
    default:
        return "Service Unavailable";
    }
}

static void respond(struct client *client, const struct pgc_ready_request *request, pgc_ready_http_fn *fn, void *arg) {
    struct pgc_ready_answer answer = { .status = request->refuse, .type = "application/json", .body = PGC_BUF_INIT };
    if (request->refuse == 0)
        fn(arg, request->path, &answer);
    else
        pgc_buf_putf(&answer.body, "{\"error\":\"%s\"}\n", words_of(request->refuse));
    pgc_buf_putf(&client->out,
                 "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n%s%s\r\n",
                 answer.status, words_of(answer.status), answer.type, answer.body.len,
                 answer.status == 405 ? "Allow: GET, HEAD\r\n" : "", request->close ? "Connection: close\r\n" : "");
    if (!request->head)
        pgc_buf_put(&client->out, answer.body.data, answer.body.len);
    client->closing = request->close;
    pgc_buf_release(&answer.body);
}

static void answer_all(struct client *client, pgc_ready_http_fn *fn, void *arg) {
    struct pgc_ready_request request;
    size_t used;
    while (!client->closing && (used = pgc_ready_request_parse(client->in.data, client->in.len, &request)) > 0) {
        respond(client, &request, fn, arg);
        pgc_buf_drop_front(&client->in, used);
    }
    if (!client->closing && client->in.len >= MAX_HEAD) {
        request = (struct pgc_ready_request) { .refuse = 431, .close = true };
        respond(client, &request, fn, arg);
    }
}

/* False: the connection is over. */
static bool read_client(struct client *client, pgc_ready_http_fn *fn, void *arg) {
    char chunk[4096];
    for (;;) {
        ssize_t n = recv(client->fd, chunk, sizeof chunk, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return false;
        if (n < 0)
            return !client->in.failed;
        pgc_buf_put(&client->in, chunk, (size_t)n);
        answer_all(client, fn, arg);
        if (client->closing || client->out.len > MAX_HEAD * 8) /* somebody who does not read */
            return !client->out.failed && client->closing;
    }
}

static bool write_client(struct client *client) {
    while (client->out.len > 0) {
        ssize_t n = send(client->fd, client->out.data, client->out.len, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        pgc_buf_drop_front(&client->out, (size_t)n);
    }
    return !client->closing;
}

static void serve_client(struct pgc_ready_http *http, size_t i, short events, int64_t now, pgc_ready_http_fn *fn,
                         void *arg) {
    struct client *client = &http->clients[i];
    bool keep = now - client->seen_ms < IDLE_MS;
    if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) {
        client->seen_ms = now;
        keep = read_client(client, fn, arg);
    }
    if (!keep || !write_client(client))
        drop_client(http, i);
}

enum pgc_code pgc_ready_http_run(struct pgc_ready_http *http, pgc_ready_http_fn *fn, void *arg,
                                 const struct pgc_runtime *rt, struct pgc_error *err) {
    while (pgc_cancelled(rt) == 0) {
        struct pollfd fds[MAX_CLIENTS + 2];
        size_t count = http->count;
        for (size_t i = 0; i < count; i++)
            fds[i] =
                (struct pollfd) { http->clients[i].fd, http->clients[i].out.len > 0 ? POLLIN | POLLOUT : POLLIN, 0 };
        fds[count] = (struct pollfd) { pgc_cancel_fd(rt), POLLIN, 0 };
        fds[count + 1] = (struct pollfd) { http->listener, count < MAX_CLIENTS ? POLLIN : 0, 0 };
        if (poll(fds, count + 2, 1000) < 0 && errno != EINTR)
            return pgc_fail_errno(err, PGC_E_IO, "cannot wait for requests");
        int64_t now = pgc_mono_ms(rt);
        for (size_t i = count; i-- > 0;) /* backwards: a dropped client is replaced by the last */
            serve_client(http, i, fds[i].revents, now, fn, arg);
        if (fds[count + 1].revents != 0)
            accept_clients(http, now);
    }
    return PGC_OK;
}
