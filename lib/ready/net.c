#include "ready/net.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/buf.h"
#include "net/resolve.h"
#include "ready/verdict.h"

static const char hint_down[] = "is the service running, and the port right?";
static const char hint_drop[] = "a firewall may drop the packets, or the service hangs";

/* >0 ready, 0 time over or cancelled, <0 error. */
static int wait_for(int fd, short events, const struct pgc_runtime *rt, int64_t deadline) {
    while (pgc_cancelled(rt) == 0) {
        int64_t left = deadline == PGC_PROBE_NO_DEADLINE ? 60000 : deadline - pgc_mono_ms(rt);
        if (left <= 0)
            return 0;
        struct pollfd fds[2] = { { .fd = fd, .events = events }, { .fd = pgc_cancel_fd(rt), .events = POLLIN } };
        int n = poll(fds, 2, left > 60000 ? 60000 : (int)left);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0 && fds[0].revents != 0)
            return 1;
    }
    return 0;
}

static int64_t share(const struct pgc_runtime *rt, int64_t deadline, size_t left) {
    if (deadline == PGC_PROBE_NO_DEADLINE || left <= 1)
        return deadline;
    int64_t now = pgc_mono_ms(rt);
    return now + (deadline - now) / (int64_t)left;
}

/* A connected descriptor, or -1 with a verdict. */
static int connect_one(const struct sockaddr *address, socklen_t len, const struct pgc_runtime *rt, int64_t deadline,
                       struct pgc_ready_verdict *verdict) {
    PGC_AUTO_CLOSE int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int failure = 0;
    if (fd < 0) {
        failure = errno;
    } else if (connect(fd, address, len) != 0) {
        failure = errno;
        if (failure == EINPROGRESS) {
            socklen_t size = sizeof failure;
            int ready = wait_for(fd, POLLOUT, rt, deadline);
            if (ready == 0) {
                pgc_ready_refuse(verdict, PGC_READY_NO_RESPONSE, false, hint_drop, "no answer before the deadline");
                return -1;
            }
            if (ready < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0)
                failure = errno;
        }
    }
    if (failure != 0) {
        pgc_ready_refuse(verdict, PGC_READY_NO_RESPONSE, false, hint_down, "%s", strerror(failure));
        return -1;
    }
    *verdict = (struct pgc_ready_verdict) { 0 };
    int connected = fd;
    fd = -1;
    return connected;
}

static int connect_socket(const char *folder, const char *port, const struct pgc_runtime *rt, int64_t deadline,
                          struct pgc_ready_verdict *verdict) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int n = snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.%s", folder, port);
    if (n < 0 || (size_t)n >= sizeof address.sun_path) {
        pgc_ready_refuse(verdict, PGC_READY_NO_ATTEMPT, true, "use a shorter folder", "the socket path is too long");
        return -1;
    }
    return connect_one((const struct sockaddr *)&address, sizeof address, rt, deadline, verdict);
}

static int connect_address(const char *numeric, const char *port, const struct pgc_runtime *rt, int64_t deadline,
                           struct pgc_ready_verdict *verdict) {
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV },
                    *address = NULL;
    int rc = getaddrinfo(numeric, port, &hints, &address);
    if (rc != 0) {
        pgc_ready_refuse(verdict, PGC_READY_NO_RESPONSE, true, "correct the port", "'%s' port '%s': %s", numeric, port,
                         gai_strerror(rc));
        return -1;
    }
    int fd = connect_one(address->ai_addr, address->ai_addrlen, rt, deadline, verdict);
    freeaddrinfo(address);
    return fd;
}

static int connect_name(const char *host, const char *port, const struct pgc_runtime *rt, int64_t deadline,
                        struct pgc_ready_verdict *verdict) {
    if (host[0] == '/')
        return connect_socket(host, port, rt, deadline, verdict);
    PGC_CLEANUP(pgc_addresses_release) struct pgc_addresses found = { 0 };
    struct pgc_error err;
    enum pgc_code code = pgc_resolve(host, deadline, rt, &found, &err);
    if (code != PGC_OK) {
        pgc_ready_refuse(verdict, PGC_READY_NO_RESPONSE, false,
                         "check the name; in a container network it is known once its container runs",
                         "the name '%s' cannot be resolved: %.200s", host, err.message);
        return -1;
    }
    int fd = -1;
    for (size_t i = 0; i < found.count && fd < 0; i++)
        fd = connect_address(found.items[i], port, rt, share(rt, deadline, found.count - i), verdict);
    return fd;
}

/* The i-th of a comma list, the only one for every i; false: there is no such element. */
static bool element(const char *list, size_t index, char *out, size_t size) {
    const char *start = list;
    for (size_t i = 0; i < index; i++) {
        const char *comma = strchr(start, ',');
        if (comma == NULL) {
            snprintf(out, size, "%s", list);
            return start == list;
        }
        start = comma + 1;
    }
    snprintf(out, size, "%.*s", (int)strcspn(start, ","), start);
    return true;
}

void pgc_ready_tcp(const char *host, const char *port, const struct pgc_runtime *rt, int64_t deadline,
                   struct pgc_ready_verdict *verdict) {
    size_t count = 1;
    for (const char *p = host; (p = strchr(p, ',')) != NULL; p++)
        count++;
    char one_host[256], one_port[64];
    for (size_t i = 0; i < count; i++) {
        if (!element(host, i, one_host, sizeof one_host) || !element(port, i, one_port, sizeof one_port))
            break;
        PGC_AUTO_CLOSE int fd = connect_name(one_host, one_port, rt, share(rt, deadline, count - i), verdict);
        if (fd >= 0)
            return;
    }
}

static bool send_all(int fd, const char *data, size_t len, const struct pgc_runtime *rt, int64_t deadline) {
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (n < 0 && wait_for(fd, POLLOUT, rt, deadline) <= 0)
            return false;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return true;
}

/* The status of the answer's first line; 0 when there is none, -1 when the time is over. */
static int read_status(int fd, const struct pgc_runtime *rt, int64_t deadline) {
    char head[64];
    size_t have = 0;
    while (have < 12) { /* "HTTP/1.1 200" */
        int ready = wait_for(fd, POLLIN, rt, deadline);
        if (ready <= 0)
            return -1;
        ssize_t n = recv(fd, head + have, sizeof head - 1 - have, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return 0;
        have += n > 0 ? (size_t)n : 0;
    }
    head[have] = '\0';
    int status = 0;
    return sscanf(head, "HTTP/%*d.%*d %3d", &status) == 1 ? status : 0;
}

void pgc_ready_http(const char *host, const char *port, const char *path, const struct pgc_runtime *rt,
                    int64_t deadline, struct pgc_ready_verdict *verdict) {
    PGC_AUTO_CLOSE int fd = connect_name(host, port, rt, deadline, verdict);
    if (fd < 0)
        return;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf request = PGC_BUF_INIT;
    bool v6 = strchr(host, ':') != NULL;
    pgc_buf_putf(&request,
                 "GET %s HTTP/1.1\r\nHost: %s%s%s:%s\r\nUser-Agent: pgc-ready\r\n"
                 "Accept: */*\r\nConnection: close\r\n\r\n",
                 path, v6 ? "[" : "", host, v6 ? "]" : "", port);
    int status = 0;
    if (!request.failed && send_all(fd, request.data, request.len, rt, deadline))
        status = read_status(fd, rt, deadline);
    if (status < 0)
        pgc_ready_refuse(verdict, PGC_READY_NO_RESPONSE, false, hint_drop, "no answer before the deadline");
    else if (status == 0)
        pgc_ready_refuse(verdict, PGC_READY_NO_RESPONSE, false, "does it speak plain HTTP?",
                         "the connection was closed without an HTTP answer");
    else if (status < 200 || status > 299)
        pgc_ready_refuse(verdict, PGC_READY_REJECTING, false, "see the log of the service",
                         "it answers with HTTP status %d", status);
}
