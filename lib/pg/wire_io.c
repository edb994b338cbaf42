#include "pg/wire_io.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* The part of OpenSSL that is used, by the types of its documentation. No header: nothing is linked. */
#define TLS_FUNCTIONS(X)                                                                                               \
    X(void *, TLS_client_method, (void))                                                                               \
    X(void *, SSL_CTX_new, (void *))                                                                                   \
    X(void, SSL_CTX_free, (void *))                                                                                    \
    X(void *, SSL_new, (void *))                                                                                       \
    X(void, SSL_free, (void *))                                                                                        \
    X(int, SSL_set_fd, (void *, int))                                                                                  \
    X(long, SSL_ctrl, (void *, int, long, void *))                                                                     \
    X(int, SSL_connect, (void *))                                                                                      \
    X(int, SSL_get_error, (void *, int))                                                                               \
    X(int, SSL_read, (void *, void *, int))                                                                            \
    X(int, SSL_write, (void *, const void *, int))                                                                     \
    X(int, SSL_shutdown, (void *))

enum { WANT_READ = 2, WANT_WRITE = 3, CTRL_SERVER_NAME = 55, NAME_TYPE_HOST = 0 };

struct pgc__wire_tls {
#define X(type, name, args) type(*name) args;
    TLS_FUNCTIONS(X)
#undef X
    void *context, *session;
};

static enum pgc_code wait_for(struct pgc__wire_io *io, short events, struct pgc_error *err) {
    for (;;) {
        enum pgc_code code = pgc_check_cancelled(io->rt, err);
        if (code != PGC_OK)
            return code;
        int64_t left = io->deadline == PGC_PROBE_NO_DEADLINE ? 60000 : io->deadline - pgc_mono_ms(io->rt);
        if (left <= 0)
            return pgc_fail(err, PGC_E_TIMEOUT, "no answer before the deadline");
        struct pollfd fds[2] = { { .fd = io->fd, .events = events },
                                 { .fd = pgc_cancel_fd(io->rt), .events = POLLIN } };
        int n = poll(fds, 2, left > 60000 ? 60000 : (int)left);
        if (n < 0 && errno != EINTR)
            return pgc_fail_errno(err, PGC_E_IO, "cannot wait for the server");
        if (n > 0 && fds[0].revents != 0)
            return PGC_OK;
    }
}

enum pgc_code pgc__wire_connect(struct pgc__wire_io *io, const struct sockaddr *address, socklen_t len,
                                struct pgc_error *err) {
    int on = 1, failure = 0;
    io->in = (struct pgc_buf)PGC_BUF_INIT;
    io->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (io->fd < 0)
        return pgc_fail(err, PGC_E_UNAVAILABLE, "%s", strerror(errno));
    if (address->sa_family != AF_UNIX)
        setsockopt(io->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(io->fd, address, len) != 0) {
        failure = errno;
        if (failure == EINPROGRESS) {
            enum pgc_code code = wait_for(io, POLLOUT, err);
            if (code != PGC_OK)
                return code;
            socklen_t size = sizeof failure;
            if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0)
                failure = errno;
        }
    }
    return failure == 0 ? PGC_OK : pgc_fail(err, PGC_E_UNAVAILABLE, "%s", strerror(failure));
}

/* What to wait for after an unfinished operation; 0: it failed. */
static short tls_wants(const struct pgc__wire_tls *tls, int result) {
    switch (tls->SSL_get_error(tls->session, result)) {
    case WANT_READ:
        return POLLIN;
    case WANT_WRITE:
        return POLLOUT;
    default:
        return 0;
    }
}

static ssize_t write_some(struct pgc__wire_io *io, const char *data, size_t len, short *wants) {
    if (io->tls == NULL) {
        ssize_t n = send(io->fd, data, len, MSG_NOSIGNAL);
        *wants = n < 0 && (errno == EAGAIN || errno == EINTR) ? POLLOUT : 0;
        return n;
    }
    int n = io->tls->SSL_write(io->tls->session, data, len > 1 << 20 ? 1 << 20 : (int)len);
    *wants = n <= 0 ? tls_wants(io->tls, n) : 0;
    return n <= 0 ? -1 : n;
}

static ssize_t read_some(struct pgc__wire_io *io, char *data, size_t len, short *wants) {
    if (io->tls == NULL) {
        ssize_t n = recv(io->fd, data, len, 0);
        *wants = n < 0 && (errno == EAGAIN || errno == EINTR) ? POLLIN : 0;
        return n;
    }
    int n = io->tls->SSL_read(io->tls->session, data, (int)len);
    *wants = n <= 0 ? tls_wants(io->tls, n) : 0;
    return n <= 0 ? -1 : n;
}

enum pgc_code pgc__wire_send(struct pgc__wire_io *io, const struct pgc_buf *data, struct pgc_error *err) {
    if (data->failed)
        return pgc_fail_nomem(err);
    for (size_t sent = 0; sent < data->len;) {
        short wants = 0;
        ssize_t n = write_some(io, data->data + sent, data->len - sent, &wants);
        if (n > 0) {
            sent += (size_t)n;
            continue;
        }
        if (wants == 0)
            return pgc_fail(err, PGC_E_TEMPORARY, "server closed the connection");
        enum pgc_code code = wait_for(io, wants, err);
        if (code != PGC_OK)
            return code;
    }
    return PGC_OK;
}

enum pgc_code pgc__wire_need(struct pgc__wire_io *io, size_t need, struct pgc_error *err) {
    while (io->in.len < need) {
        char *space = pgc_buf_reserve(&io->in, 4096);
        short wants = 0;
        if (space == NULL)
            return pgc_fail_nomem(err);
        ssize_t n = read_some(io, space, 4096, &wants);
        if (n > 0) {
            pgc_buf_grown(&io->in, (size_t)n);
            continue;
        }
        if (wants == 0)
            return pgc_fail(err, PGC_E_TEMPORARY, "server closed the connection unexpectedly");
        enum pgc_code code = wait_for(io, wants, err);
        if (code != PGC_OK)
            return code;
    }
    return PGC_OK;
}

static enum pgc_code load_tls(struct pgc__wire_tls *tls, struct pgc_error *err) {
    void *library = dlopen("libssl.so.3", RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    if (library == NULL)
        return pgc_fail(err, PGC_E_TLS, "no OpenSSL: %s", dlerror());
#define X(type, name, args)                                                                                            \
    {                                                                                                                  \
        void *function = dlsym(library, #name);                                                                        \
        if (function == NULL)                                                                                          \
            return pgc_fail(err, PGC_E_TLS, "OpenSSL has no " #name);                                                  \
        memcpy(&tls->name, &function, sizeof function);                                                                \
    }
    TLS_FUNCTIONS(X)
#undef X
    return PGC_OK;
}

static bool is_address(const char *host) {
    unsigned char scratch[16];
    return inet_pton(AF_INET, host, scratch) == 1 || inet_pton(AF_INET6, host, scratch) == 1;
}

enum pgc_code pgc__wire_start_tls(struct pgc__wire_io *io, const char *host, struct pgc_error *err) {
    struct pgc__wire_tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL)
        return pgc_fail_nomem(err);
    io->tls = tls;
    enum pgc_code code = load_tls(tls, err);
    if (code != PGC_OK)
        return code;
    tls->context = tls->SSL_CTX_new(tls->TLS_client_method());
    tls->session = tls->context != NULL ? tls->SSL_new(tls->context) : NULL;
    if (tls->session == NULL || tls->SSL_set_fd(tls->session, io->fd) != 1)
        return pgc_fail(err, PGC_E_TLS, "OpenSSL gives no session");
    PGC_AUTO_FREE char *name = strdup(host);
    if (name != NULL && !is_address(host))
        tls->SSL_ctrl(tls->session, CTRL_SERVER_NAME, NAME_TYPE_HOST, name);
    for (;;) {
        int n = tls->SSL_connect(tls->session);
        if (n == 1)
            return PGC_OK;
        short wants = tls_wants(tls, n);
        if (wants == 0)
            return pgc_fail(err, PGC_E_TLS, "the TLS handshake failed");
        code = wait_for(io, wants, err);
        if (code != PGC_OK)
            return code;
    }
}

void pgc__wire_drain(struct pgc__wire_io *io) {
    char rest[2048];
    short wants;
    while (read_some(io, rest, sizeof rest, &wants) > 0)
        continue;
}

void pgc__wire_close(struct pgc__wire_io *io) {
    struct pgc__wire_tls *tls = io->tls;
    if (tls != NULL && tls->session != NULL) {
        tls->SSL_shutdown(tls->session);
        tls->SSL_free(tls->session);
    }
    if (tls != NULL && tls->context != NULL)
        tls->SSL_CTX_free(tls->context);
    free(tls);
    pgc_buf_wipe(&io->in);
    if (io->fd >= 0)
        close(io->fd);
    io->fd = -1;
    io->tls = NULL;
}
