#include "io/fd.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

struct fd_sink {
    struct pgc_sink sink;
    int fd;
    enum pgc_fd_owner owner;
    const char *name;
};
struct fd_source {
    struct pgc_source source;
    int fd;
    enum pgc_fd_owner owner;
    const char *name;
};

/* A non-blocking descriptor says EAGAIN: wait until it is ready, then try again. */
static bool try_again(int fd, short events) {
    if (errno == EINTR)
        return true;
    if (errno != EAGAIN)
        return false;
    struct pollfd p = { .fd = fd, .events = events };
    return poll(&p, 1, -1) >= 0 || errno == EINTR;
}

enum pgc_code pgc_fd_write_all(int fd, const void *data, size_t len, const char *name, struct pgc_error *err) {
    const char *at = data;
    while (len > 0) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && !try_again(fd, POLLOUT))
            return pgc_fail_errno(err, PGC_E_IO, "cannot write '%s'", name);
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    return PGC_OK;
}

enum pgc_code pgc_fd_read_some(int fd, void *buf, size_t cap, size_t *len, const char *name, struct pgc_error *err) {
    for (;;) {
        ssize_t n = read(fd, buf, cap);
        if (n >= 0) {
            *len = (size_t)n;
            return PGC_OK;
        }
        if (!try_again(fd, POLLIN))
            return pgc_fail_errno(err, PGC_E_IO, "cannot read '%s'", name);
    }
}

static enum pgc_code fd_put(struct pgc_sink *sink, const void *data, size_t len, struct pgc_error *err) {
    struct fd_sink *s = (struct fd_sink *)sink;
    return pgc_fd_write_all(s->fd, data, len, s->name, err);
}

static enum pgc_code fd_commit(struct pgc_sink *sink, struct pgc_error *err) {
    struct fd_sink *s = (struct fd_sink *)sink;
    if (s->owner == PGC_FD_BORROWED)
        return PGC_OK;
    int fd = s->fd;
    s->fd = -1;
    if (close(fd) != 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot close '%s'", s->name);
    return PGC_OK;
}

static void fd_drop(struct pgc_sink *sink) {
    struct fd_sink *s = (struct fd_sink *)sink;
    if (s->owner == PGC_FD_OWNED && s->fd >= 0)
        close(s->fd);
    free(s);
}

static enum pgc_code fd_get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct fd_source *s = (struct fd_source *)source;
    return pgc_fd_read_some(s->fd, buf, cap, len, s->name, err);
}

static void fd_source_drop(struct pgc_source *source) {
    struct fd_source *s = (struct fd_source *)source;
    if (s->owner == PGC_FD_OWNED)
        close(s->fd);
    free(s);
}

static const struct pgc_sink_ops sink_ops = { fd_put, fd_commit, fd_drop };
static const struct pgc_source_ops source_ops = { fd_get, NULL, fd_source_drop };

enum pgc_code pgc_fd_sink(int fd, enum pgc_fd_owner owner, const char *name, struct pgc_sink **out,
                          struct pgc_error *err) {
    struct fd_sink *s = malloc(sizeof *s);
    if (s == NULL) {
        if (owner == PGC_FD_OWNED)
            close(fd);
        return pgc_fail_nomem(err);
    }
    *s = (struct fd_sink) { { &sink_ops }, fd, owner, name };
    *out = &s->sink;
    return PGC_OK;
}

enum pgc_code pgc_fd_source(int fd, enum pgc_fd_owner owner, const char *name, struct pgc_source **out,
                            struct pgc_error *err) {
    struct fd_source *s = malloc(sizeof *s);
    if (s == NULL) {
        if (owner == PGC_FD_OWNED)
            close(fd);
        return pgc_fail_nomem(err);
    }
    *s = (struct fd_source) { { &source_ops }, fd, owner, name };
    *out = &s->source;
    return PGC_OK;
}
