#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "io/fd.h"

struct file_sink {
    struct pgc_sink sink;
    int dir; /* the folder, open: a folder that is moved meanwhile does no harm */
    int fd;
    bool refuse;      /* never replace */
    bool temporary;   /* the temporary exists */
    char *path;       /* for messages */
    const char *name; /* last component, within path */
    char tmp[sizeof PGC_FILE_TMP_PREFIX + 16];
};

static enum pgc_code file_put(struct pgc_sink *sink, const void *data, size_t len, struct pgc_error *err) {
    struct file_sink *s = (struct file_sink *)sink;
    return pgc_fd_write_all(s->fd, data, len, s->path, err);
}

/* Gives the temporary its name; without RENAME_NOREPLACE on this file system, link() refuses an existing name as atomically. */
static enum pgc_code give_name(struct file_sink *s, struct pgc_error *err) {
    int rc = s->refuse ? renameat2(s->dir, s->tmp, s->dir, s->name, RENAME_NOREPLACE)
                       : renameat(s->dir, s->tmp, s->dir, s->name);
    if (rc != 0 && s->refuse && (errno == EINVAL || errno == ENOSYS)) {
        rc = linkat(s->dir, s->tmp, s->dir, s->name, 0);
        if (rc == 0)
            rc = unlinkat(s->dir, s->tmp, 0);
    }
    if (rc != 0 && errno == EEXIST)
        return pgc_fail(err, PGC_E_EXISTS, "'%s' exists already", s->path);
    if (rc != 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot rename a finished file to '%s'", s->path);
    s->temporary = false;
    return PGC_OK;
}

static enum pgc_code file_commit(struct pgc_sink *sink, struct pgc_error *err) {
    struct file_sink *s = (struct file_sink *)sink;
    if (fsync(s->fd) != 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot write '%s' to disk", s->path);
    int fd = s->fd;
    s->fd = -1;
    if (close(fd) != 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot close '%s'", s->path);
    enum pgc_code code = give_name(s, err);
    if (code != PGC_OK)
        return code;
    if (fsync(s->dir) != 0 && errno != EINVAL && errno != EROFS)
        return pgc_fail_errno(err, PGC_E_IO, "cannot write the folder of '%s' to disk", s->path);
    return PGC_OK;
}

static void file_drop(struct pgc_sink *sink) {
    struct file_sink *s = (struct file_sink *)sink;
    if (s->fd >= 0)
        close(s->fd);
    if (s->temporary)
        (void)unlinkat(s->dir, s->tmp, 0);
    if (s->dir >= 0)
        close(s->dir);
    free(s->path);
    free(s);
}

static const struct pgc_sink_ops sink_ops = { file_put, file_commit, file_drop };

static enum pgc_code open_folder(struct file_sink *s, struct pgc_error *err) {
    char *slash = strrchr(s->path, '/');
    s->name = slash == NULL ? s->path : slash + 1;
    if (*s->name == '\0')
        return pgc_fail(err, PGC_E_USAGE, "'%s' is not a file name", s->path);
    PGC_AUTO_FREE char *folder = slash == NULL      ? strdup(".")
                                 : slash == s->path ? strdup("/")
                                                    : strndup(s->path, (size_t)(slash - s->path));
    if (folder == NULL)
        return pgc_fail_nomem(err);
    s->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dir < 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot open folder '%s'", folder);
    struct stat st;
    if (fstatat(s->dir, s->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return PGC_OK;
    if (s->refuse)
        return pgc_fail(err, PGC_E_EXISTS, "'%s' exists already", s->path);
    if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
        return pgc_fail(err, PGC_E_IO, "'%s' is not a regular file", s->path);
    return PGC_OK;
}

static enum pgc_code open_temporary(struct file_sink *s, unsigned mode, struct pgc_error *err) {
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return pgc_fail_errno(err, PGC_E_IO, "cannot get random bytes");
    snprintf(s->tmp, sizeof s->tmp, PGC_FILE_TMP_PREFIX "%016llx", (unsigned long long)random);
    s->fd = openat(s->dir, s->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (s->fd < 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot create a file beside '%s'", s->path);
    s->temporary = true;
    if (fchmod(s->fd, (mode_t)mode) != 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot set the mode of '%s'", s->path);
    return PGC_OK;
}

static enum pgc_code sink_open(const char *path, unsigned mode, bool refuse, struct pgc_sink **out,
                               struct pgc_error *err) {
    struct file_sink *s = calloc(1, sizeof *s);
    if (s == NULL)
        return pgc_fail_nomem(err);
    s->sink.ops = &sink_ops;
    s->dir = s->fd = -1;
    s->refuse = refuse;
    s->path = strdup(path);
    enum pgc_code code = s->path == NULL ? pgc_fail_nomem(err) : open_folder(s, err);
    if (code == PGC_OK)
        code = open_temporary(s, mode, err);
    if (code != PGC_OK) {
        file_drop(&s->sink);
        return code;
    }
    *out = &s->sink;
    return PGC_OK;
}

enum pgc_code pgc_file_sink(const char *path, unsigned mode, struct pgc_sink **out, struct pgc_error *err) {
    return sink_open(path, mode, false, out, err);
}

enum pgc_code pgc_file_sink_new(const char *path, unsigned mode, struct pgc_sink **out, struct pgc_error *err) {
    return sink_open(path, mode, true, out, err);
}

struct file_source {
    struct pgc_source source;
    int fd;
    char *path;
};

static enum pgc_code file_get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct file_source *s = (struct file_source *)source;
    return pgc_fd_read_some(s->fd, buf, cap, len, s->path, err);
}

static void file_source_drop(struct pgc_source *source) {
    struct file_source *s = (struct file_source *)source;
    if (s->fd >= 0)
        close(s->fd);
    free(s->path);
    free(s);
}

static const struct pgc_source_ops source_ops = { file_get, NULL, file_source_drop };

enum pgc_code pgc_file_source(const char *path, struct pgc_source **out, struct pgc_error *err) {
    struct file_source *s = calloc(1, sizeof *s);
    if (s == NULL)
        return pgc_fail_nomem(err);
    *s = (struct file_source) { { &source_ops }, -1, strdup(path) };
    enum pgc_code code = PGC_OK;
    struct stat st;
    if (s->path == NULL)
        code = pgc_fail_nomem(err);
    else if ((s->fd = open(path, O_RDONLY | O_CLOEXEC)) < 0 || fstat(s->fd, &st) != 0)
        code = pgc_fail_errno(err, PGC_E_IO, "cannot open '%s'", path);
    else if (S_ISDIR(st.st_mode))
        code = pgc_fail(err, PGC_E_IO, "cannot read '%s': it is a folder", path);
    if (code != PGC_OK) {
        file_source_drop(&s->source);
        return code;
    }
    *out = &s->source;
    return PGC_OK;
}

enum pgc_code pgc_file_read(const char *path, size_t max, struct pgc_buf *out, struct pgc_error *err) {
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    enum pgc_code code = pgc_file_source(path, &source, err);
    while (code == PGC_OK) {
        size_t len = 0;
        size_t room = max + 1 - out->len;
        char *at = pgc_buf_reserve(out, room < 65536 ? room : 65536);
        if (at == NULL)
            return pgc_fail_nomem(err);
        code = pgc_source_get(source, at, room < 65536 ? room : 65536, &len, err);
        if (code != PGC_OK || len == 0)
            break;
        pgc_buf_grown(out, len);
        if (out->len > max)
            return pgc_fail(err, PGC_E_DATA, "'%s' is larger than %zu bytes", path, max);
    }
    return code;
}
