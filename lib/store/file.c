/* A folder as a store. A key is a relative path; folders are made on demand and the ones left empty are removed with the
 * last object in them. An object is written to a hidden name in its folder, flushed to the disk, renamed, and the folder is
 * flushed: after commit returns, neither a crash nor a power failure takes it away or leaves half of it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/text.h"
#include "store/drivers.h"
#include "store/url.h"

#define FLUSH_STEP_BYTES ((uint64_t)4 << 20)

struct file_store {
    struct pgc_store base;
    const struct pgc_runtime *rt;
    uint64_t bytes_per_second;
    char *root; /* without trailing slash, "" for "/" */
};

struct file_sink {
    struct pgc_sink base;
    const struct file_store *store;
    char *path;
    char *temp;
    int fd;
    bool committed;
    int64_t started_ms;
    uint64_t bytes;
    uint64_t flushing; /* bytes whose way to the disk has begun */
};

struct file_source {
    struct pgc_source base;
    int fd;
    uint64_t left;
    char *path;
};

/* --- attach ------------------------------------------------------------------------------------------ */

/* "file:///a%20b", "file:relative", "/a", "a" -> path. */
static enum pgc_code path_of_url(const char *url, struct pgc_buf *path, struct pgc_error *err) {
    if (!pgc_text_starts(url, "file:")) {
        pgc_buf_puts(path, url);
    } else {
        const char *rest = url + 5;
        if (pgc_text_starts(rest, "//")) {
            rest += 2;
            if (pgc_text_starts(rest, "localhost/"))
                rest += strlen("localhost");
            if (rest[0] != '/')
                return pgc_fail(err, PGC_E_USAGE, "'%s' names a host; a folder is file:///path", url);
        }
        if (!pgc_text_unpercent(path, rest, strlen(rest)))
            return pgc_fail(err, PGC_E_USAGE, "'%s' holds a malformed %% sequence", url);
    }
    if (path->len == 0)
        return pgc_fail(err, PGC_E_USAGE, "store URL '%s' names no folder", url);
    while (path->len > 0 && path->data[path->len - 1] == '/')
        pgc_buf_truncate(path, path->len - 1);
    if (strlen(path->data) != path->len)
        return pgc_fail(err, PGC_E_USAGE, "the path of a store holds no NUL");
    return pgc_buf_check(path, err);
}

static enum pgc_code file_attach(const struct pgc_store_options *options, const struct pgc_runtime *rt,
                                 struct pgc_store **out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf path = PGC_BUF_INIT;
    enum pgc_code code = path_of_url(options->url, &path, err);
    if (code != PGC_OK)
        return code;
    struct stat st;
    if (path.len > 0 && stat(path.data, &st) == 0 && !S_ISDIR(st.st_mode))
        return pgc_fail(err, PGC_E_CONFIG, "'%s' is not a folder", path.data);
    struct file_store *store = calloc(1, sizeof *store);
    char *root = pgc_buf_detach(&path);
    if (store == NULL || root == NULL) {
        free(store);
        free(root);
        return pgc_fail_nomem(err);
    }
    *store = (struct file_store) {
        .base.driver = &pgc_store_driver_file, .rt = rt, .bytes_per_second = options->bytes_per_second, .root = root
    };
    *out = &store->base;
    return PGC_OK;
}

static void file_drop(struct pgc_store *base) {
    struct file_store *store = (struct file_store *)base;
    free(store->root);
    free(store);
}

/* --- paths ------------------------------------------------------------------------------------------- */

static enum pgc_code flush_folder(const char *path, struct pgc_error *err) {
    PGC_AUTO_FREE char *folder = strdup(path);
    if (folder == NULL)
        return pgc_fail_nomem(err);
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        *slash = '\0';
    const char *name = slash == NULL ? "." : slash == folder ? "/" : folder;
    PGC_AUTO_CLOSE int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
        return pgc_fail_errno(err, PGC_E_IO, "cannot flush folder '%s'", name);
    return PGC_OK;
}

/* What errno says about a folder or file that could not be used: a refusal is one. */
static enum pgc_code refusal_or_io(void) {
    return errno == EACCES || errno == EPERM || errno == EROFS ? PGC_E_AUTH : PGC_E_IO;
}

/* mkdir -p for everything before the last slash of `path`; new folders are flushed into their parents. */
static enum pgc_code make_folders(const char *path, struct pgc_error *err) {
    PGC_AUTO_FREE char *part = strdup(path);
    if (part == NULL)
        return pgc_fail_nomem(err);
    for (char *p = strchr(part + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
        *p = '\0';
        if (mkdir(part, 0700) == 0) {
            enum pgc_code code = flush_folder(part, err);
            if (code != PGC_OK)
                return code;
        } else if (errno != EEXIST) {
            return pgc_fail_errno(err, refusal_or_io(), "cannot make folder '%s'", part);
        }
        *p = '/';
    }
    return PGC_OK;
}

static char *path_of_key(const struct file_store *store, const char *key) {
    char *path = NULL;
    return asprintf(&path, "%s/%s", store->root, key) < 0 ? NULL : path;
}

/* A name beside `path` that nobody has: the last segment may be as long as the file system allows, so it is no part of it. */
static char *temp_of_path(const char *path) {
    char *temp = NULL;
    char random[17];
    pgc_store_random_name(random);
    return asprintf(&temp, "%.*s" PGC_STORE_TMP_PREFIX "%s", (int)(strrchr(path, '/') - path) + 1, path, random) < 0
               ? NULL
               : temp;
}

/* --- put --------------------------------------------------------------------------------------------- */

/* The disk begins to write while more comes in: otherwise all of it would wait for the fsync at the end. */
static void begin_flush(struct file_sink *sink) {
    if (sink->bytes - sink->flushing < FLUSH_STEP_BYTES)
        return;
    (void)sync_file_range(sink->fd, (off_t)sink->flushing, (off_t)(sink->bytes - sink->flushing),
                          SYNC_FILE_RANGE_WRITE);
    sink->flushing = sink->bytes;
}

static enum pgc_code sink_put(struct pgc_sink *base, const void *data, size_t len, struct pgc_error *err) {
    struct file_sink *sink = (struct file_sink *)base;
    const char *p = data;
    sink->bytes += len;
    while (len > 0) {
        ssize_t n = write(sink->fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return pgc_fail_errno(err, errno == EFBIG ? PGC_E_NOSPACE : PGC_E_IO, "cannot write '%s'", sink->path);
        p += n;
        len -= (size_t)n;
    }
    begin_flush(sink);
    pgc_store_throttle(sink->store->rt, sink->store->bytes_per_second, sink->bytes, sink->started_ms);
    return PGC_OK;
}

static enum pgc_code sink_commit(struct pgc_sink *base, struct pgc_error *err) {
    struct file_sink *sink = (struct file_sink *)base;
    if (fsync(sink->fd) != 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot flush '%s' to the disk", sink->path);
    int fd = sink->fd;
    sink->fd = -1;
    if (close(fd) != 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot write '%s'", sink->path);
    if (rename(sink->temp, sink->path) != 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot rename '%s' to '%s'", sink->temp, sink->path);
    sink->committed = true;
    enum pgc_code code = flush_folder(sink->path, err);
    if (code != PGC_OK)
        unlink(sink->path);
    return code;
}

/* Removes folders that became empty, from the one of `path` up to the root of the store (which stays). */
static void remove_empty_folders(const struct file_store *store, char *path) {
    size_t root = strlen(store->root);
    for (char *slash = strrchr(path, '/'); slash != NULL && (size_t)(slash - path) > root; slash = strrchr(path, '/')) {
        *slash = '\0';
        if (rmdir(path) != 0)
            return;
    }
}

static void sink_drop(struct pgc_sink *base) {
    struct file_sink *sink = (struct file_sink *)base;
    if (sink->fd >= 0)
        close(sink->fd);
    if (!sink->committed && sink->temp != NULL) {
        unlink(sink->temp);
        remove_empty_folders(sink->store, sink->temp);
    }
    free(sink->path);
    free(sink->temp);
    free(sink);
}

static const struct pgc_sink_ops sink_ops = { sink_put, sink_commit, sink_drop };

static enum pgc_code file_put(struct pgc_store *base, const char *key, const struct pgc_store_put_options *options,
                              struct pgc_sink **out, struct pgc_error *err) {
    (void)options;
    struct file_store *store = (struct file_store *)base;
    struct file_sink *sink = calloc(1, sizeof *sink);
    if (sink == NULL)
        return pgc_fail_nomem(err);
    *sink = (struct file_sink) { .base.ops = &sink_ops, .store = store, .fd = -1 };
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *owner = &sink->base;
    sink->path = path_of_key(store, key);
    char *temp = sink->path == NULL ? NULL : temp_of_path(sink->path);
    if (temp == NULL)
        return pgc_fail_nomem(err);
    sink->temp = temp;
    sink->started_ms = pgc_mono_ms(store->rt);
    /* Another process may remove a folder it just emptied between our mkdir and open: try again. */
    for (int tries = 0; sink->fd < 0 && tries < 5; tries++) {
        enum pgc_code code = make_folders(sink->temp, err);
        if (code != PGC_OK)
            return code;
        sink->fd = open(sink->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (sink->fd < 0 && errno != ENOENT)
            break;
    }
    if (sink->fd < 0)
        return pgc_fail_errno(err, refusal_or_io(), "cannot create '%s'", sink->path);
    *out = owner;
    owner = NULL;
    return PGC_OK;
}

/* --- get --------------------------------------------------------------------------------------------- */

static enum pgc_code source_get(struct pgc_source *base, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct file_source *source = (struct file_source *)base;
    if (cap > source->left)
        cap = (size_t)source->left;
    ssize_t n;
    do
        n = cap == 0 ? 0 : read(source->fd, buf, cap);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot read '%s'", source->path);
    source->left -= (uint64_t)n;
    *len = (size_t)n;
    return PGC_OK;
}

static void source_drop(struct pgc_source *base) {
    struct file_source *source = (struct file_source *)base;
    if (source->fd >= 0)
        close(source->fd);
    free(source->path);
    free(source);
}

static const struct pgc_source_ops source_ops = { source_get, NULL, source_drop };

static enum pgc_code file_get(struct pgc_store *base, const char *key, uint64_t offset, uint64_t length,
                              struct pgc_source **out, struct pgc_error *err) {
    struct file_store *store = (struct file_store *)base;
    struct file_source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return pgc_fail_nomem(err);
    *source = (struct file_source) { .base.ops = &source_ops, .fd = -1, .left = length };
    PGC_AUTO(pgc_source_drop) struct pgc_source *owner = &source->base;
    source->path = path_of_key(store, key);
    if (source->path == NULL)
        return pgc_fail_nomem(err);
    source->fd = open(source->path, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0)
        return pgc_fail_errno(err, errno == ENOTDIR || errno == ENAMETOOLONG ? PGC_E_NOT_FOUND : refusal_or_io(),
                              "cannot open '%s'", source->path);
    struct stat st;
    if (fstat(source->fd, &st) != 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot open '%s'", source->path);
    if (!S_ISREG(st.st_mode))
        return pgc_fail(err, PGC_E_NOT_FOUND, "'%s' is not a file", source->path);
    if (offset > (uint64_t)st.st_size)
        offset = (uint64_t)st.st_size;
    if (lseek(source->fd, (off_t)offset, SEEK_SET) < 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot read '%s'", source->path);
    *out = owner;
    owner = NULL;
    return PGC_OK;
}

/* --- each, erase, sweep ------------------------------------------------------------------------------- */

/* What one listing carries through the folders. */
struct walk {
    const struct file_store *store;
    const char *prefix;
    pgc_store_each_fn *fn;
    void *arg;
    bool temps;         /* visit unfinished uploads instead of objects */
    int64_t before_us;  /* with temps: remove empty folders that are older */
    struct pgc_buf key; /* of the folder being visited, with trailing slash; "" at the root */
};

/* Could a key below folder `key` (ends with '/' or is "") start with prefix? */
static bool worth_visiting(const char *key, const char *prefix) {
    size_t n = strlen(key), m = strlen(prefix);
    return strncmp(key, prefix, n < m ? n : m) == 0;
}

static enum pgc_code folder_names(const char *path, struct pgc_strings *names, struct pgc_error *err) {
    DIR *dir = opendir(path);
    if (dir == NULL)
        return errno == ENOENT || errno == ENOTDIR
                   ? PGC_OK
                   : pgc_fail_errno(err, refusal_or_io(), "cannot list folder '%s'", path);
    enum pgc_code code = PGC_OK;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (entry == NULL)
            break;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            code = pgc_strings_add(names, entry->d_name, err);
        if (code != PGC_OK)
            break;
    }
    if (code == PGC_OK && errno != 0)
        code = pgc_fail_errno(err, PGC_E_IO, "cannot list folder '%s'", path);
    closedir(dir);
    pgc_strings_sort(names);
    return code;
}

static enum pgc_code visit_folder(struct walk *walk, struct pgc_error *err);

static int64_t modified_us(const struct stat *st) {
    return (int64_t)st->st_mtim.tv_sec * 1000000 + st->st_mtim.tv_nsec / 1000;
}

/* A writer that was killed between making the folder and its first file. Refused by the system when it is not empty. */
static void sweep_folder(const struct walk *walk, const char *path, const struct stat *st) {
    if (walk->temps && pgc_text_starts(walk->key.data, walk->prefix) && modified_us(st) <= walk->before_us)
        (void)rmdir(path);
}

static enum pgc_code visit_entry(struct walk *walk, const char *name, struct pgc_error *err) {
    size_t before = walk->key.len;
    pgc_buf_puts(&walk->key, name);
    enum pgc_code code = pgc_buf_check(&walk->key, err);
    if (code != PGC_OK)
        return code;
    PGC_AUTO_FREE char *path = path_of_key(walk->store, walk->key.data);
    if (path == NULL)
        return pgc_fail_nomem(err);
    struct stat st;
    if (lstat(path, &st) != 0) {
        code = errno == ENOENT ? PGC_OK : pgc_fail_errno(err, PGC_E_IO, "cannot look at '%s'", path);
    } else if (S_ISDIR(st.st_mode)) {
        pgc_buf_putc(&walk->key, '/');
        if (worth_visiting(walk->key.data, walk->prefix))
            code = visit_folder(walk, err);
        sweep_folder(walk, path, &st);
    } else if (S_ISREG(st.st_mode) && pgc_text_starts(name, PGC_STORE_TMP_PREFIX) == walk->temps &&
               pgc_text_starts(walk->key.data, walk->prefix)) {
        struct pgc_store_entry entry = {
            .key = walk->key.data,
            .size_bytes = (uint64_t)st.st_size,
            .modified_us = modified_us(&st),
        };
        code = walk->fn(walk->arg, &entry, err);
    }
    pgc_buf_truncate(&walk->key, before);
    return code;
}

static enum pgc_code visit_folder(struct walk *walk, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings names = PGC_STRINGS_INIT;
    PGC_AUTO_FREE char *path = path_of_key(walk->store, walk->key.data);
    if (path == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = folder_names(path, &names, err);
    for (size_t i = 0; code == PGC_OK && i < names.count; i++)
        code = visit_entry(walk, names.items[i], err);
    return code;
}

static enum pgc_code file_each(struct pgc_store *base, const char *prefix, pgc_store_each_fn *fn, void *arg,
                               struct pgc_error *err) {
    struct walk walk = { (struct file_store *)base, prefix, fn, arg, false, 0, PGC_BUF_INIT };
    enum pgc_code code = visit_folder(&walk, err);
    pgc_buf_release(&walk.key);
    return code;
}

static enum pgc_code file_erase(struct pgc_store *base, const char *key, struct pgc_error *err) {
    struct file_store *store = (struct file_store *)base;
    PGC_AUTO_FREE char *path = path_of_key(store, key);
    if (path == NULL)
        return pgc_fail_nomem(err);
    if (unlink(path) != 0)
        return errno == ENOENT || errno == ENOTDIR ? PGC_OK
                                                   : pgc_fail_errno(err, refusal_or_io(), "cannot remove '%s'", path);
    enum pgc_code code = flush_folder(path, err);
    remove_empty_folders(store, path);
    return code;
}

struct sweep {
    struct file_store *store;
    int64_t before_us;
    size_t count;
};

static enum pgc_code sweep_entry(void *arg, const struct pgc_store_entry *entry, struct pgc_error *err) {
    struct sweep *sweep = arg;
    if (entry->modified_us > sweep->before_us)
        return PGC_OK;
    sweep->count++;
    return file_erase(&sweep->store->base, entry->key, err);
}

static enum pgc_code file_sweep(struct pgc_store *base, const char *prefix, int64_t older_ms, size_t *count,
                                struct pgc_error *err) {
    struct file_store *store = (struct file_store *)base;
    struct sweep sweep = { store, pgc_wall_us(store->rt) - older_ms * 1000, 0 };
    struct walk walk = { store, prefix, sweep_entry, &sweep, true, sweep.before_us, PGC_BUF_INIT };
    enum pgc_code code = visit_folder(&walk, err);
    pgc_buf_release(&walk.key);
    *count = sweep.count;
    return code;
}

const struct pgc_store_driver pgc_store_driver_file = {
    .scheme = "file",
    .attach = file_attach,
    .put = file_put,
    .get = file_get,
    .each = file_each,
    .erase = file_erase,
    .drop = file_drop,
    .sweep = file_sweep,
};
