#include "io/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct fd_sink {
    struct pgc_sink sink;
    int fd;
    enum pgc_fd_owner owner;
    const char *name;
    const struct pgc_runtime *rt; /* NULL: nobody cancels */
};
struct fd_source {
    struct pgc_source source;
    int fd;
    enum pgc_fd_owner owner;
    const char *name;
    const struct pgc_runtime *rt;
};

/* Until the descriptor is ready or somebody cancels, whichever comes first. */
static enum pgc_code wait_ready(int fd, short events, const struct pgc_runtime *rt, const char *name,
                                struct pgc_error *err) {
    for (;;) {
        enum pgc_code code = pgc_check_cancelled(rt, err);
        if (code != PGC_OK)
            return code;
        struct pollfd p[2] = { { .fd = fd, .events = events }, { .fd = pgc_cancel_fd(rt), .events = POLLIN } };
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return pgc_fail_errno(err, PGC_E_IO, "cannot wait for '%s'", name);
        if (p[0].revents != 0)
            return pgc_check_cancelled(rt, err);
    }
}

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

/* What a ready descriptor takes without waiting inside write(), where nobody could cancel: an empty pipe all it holds, any
 * other pipe PIPE_BUF. Regular files never wait. */
static size_t sure_room(int fd) {
    struct stat st;
    int queued = 0, size = fcntl(fd, F_GETPIPE_SZ);
    if (size > 0 && ioctl(fd, FIONREAD, &queued) == 0 && queued == 0)
        return (size_t)size;
    return size <= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? SIZE_MAX : PIPE_BUF;
}

static enum pgc_code fd_put(struct pgc_sink *sink, const void *data, size_t len, struct pgc_error *err) {
    struct fd_sink *s = (struct fd_sink *)sink;
    if (s->rt == NULL)
        return pgc_fd_write_all(s->fd, data, len, s->name, err);
    const char *at = data;
    while (len > 0) {
        enum pgc_code code = wait_ready(s->fd, POLLOUT, s->rt, s->name, err);
        size_t room = sure_room(s->fd), n = len < room ? len : room;
        if (code == PGC_OK)
            code = pgc_fd_write_all(s->fd, at, n, s->name, err);
        if (code != PGC_OK)
            return code;
        at += n;
        len -= n;
    }
    return PGC_OK;
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
    enum pgc_code code = s->rt == NULL ? PGC_OK : wait_ready(s->fd, POLLIN, s->rt, s->name, err);
    return code != PGC_OK ? code : pgc_fd_read_some(s->fd, buf, cap, len, s->name, err);
}

static void fd_source_drop(struct pgc_source *source) {
    struct fd_source *s = (struct fd_source *)source;
    if (s->owner == PGC_FD_OWNED)
        close(s->fd);
    free(s);
}

static const struct pgc_sink_ops sink_ops = { fd_put, fd_commit, fd_drop };
static const struct pgc_source_ops source_ops = { fd_get, NULL, fd_source_drop };

enum pgc_code pgc_fd_sink_watched(int fd, enum pgc_fd_owner owner, const char *name, const struct pgc_runtime *rt,
                                  struct pgc_sink **out, struct pgc_error *err) {
    struct fd_sink *s = malloc(sizeof *s);
    if (s == NULL) {
        if (owner == PGC_FD_OWNED)
            close(fd);
        return pgc_fail_nomem(err);
    }
    *s = (struct fd_sink) { { &sink_ops }, fd, owner, name, rt };
    *out = &s->sink;
    return PGC_OK;
}

enum pgc_code pgc_fd_source_watched(int fd, enum pgc_fd_owner owner, const char *name, const struct pgc_runtime *rt,
                                    struct pgc_source **out, struct pgc_error *err) {
    struct fd_source *s = malloc(sizeof *s);
    if (s == NULL) {
        if (owner == PGC_FD_OWNED)
            close(fd);
        return pgc_fail_nomem(err);
    }
    *s = (struct fd_source) { { &source_ops }, fd, owner, name, rt };
    *out = &s->source;
    return PGC_OK;
}

enum pgc_code pgc_fd_sink(int fd, enum pgc_fd_owner owner, const char *name, struct pgc_sink **out,
                          struct pgc_error *err) {
    return pgc_fd_sink_watched(fd, owner, name, NULL, out, err);
}

enum pgc_code pgc_fd_source(int fd, enum pgc_fd_owner owner, const char *name, struct pgc_source **out,
                            struct pgc_error *err) {
    return pgc_fd_source_watched(fd, owner, name, NULL, out, err);
}
