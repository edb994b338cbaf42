#include "migrate/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"

#define DEPTH_MAX 16

void pgc_folder_release(struct pgc_folder *folder) {
    for (size_t i = 0; i < folder->count; i++) {
        free(folder->files[i].path);
        free(folder->files[i].name);
        free(folder->files[i].text);
    }
    free(folder->files);
    *folder = (struct pgc_folder)PGC_FOLDER_INIT;
}

static int compare(const void *a, const void *b) {
    const struct pgc_folder_file *fa = a, *fb = b;
    int order = strcmp(fa->name, fb->name);
    return order != 0 ? order : strcmp(fa->path, fb->path);
}

/* Takes the three strings, also on failure. */
static enum pgc_code append(struct pgc_folder *folder, char *path, char *name, char *text, size_t len,
                            struct pgc_error *err) {
    if (path == NULL || name == NULL ||
        !pgc_array_grow(&folder->files, &folder->cap, folder->count + 1, sizeof *folder->files)) {
        free(path);
        free(name);
        free(text);
        return pgc_fail_nomem(err);
    }
    folder->files[folder->count++] = (struct pgc_folder_file) { path, name, text, len };
    return PGC_OK;
}

static char *join(const char *a, const char *b) {
    size_t la = strlen(a), lb = strlen(b);
    size_t slash = la > 0 && a[la - 1] != '/';
    char *out = malloc(la + slash + lb + 1);
    if (out == NULL)
        return NULL;
    memcpy(out, a, la);
    out[la] = '/';
    memcpy(out + la + slash, b, lb + 1);
    return out;
}

enum pgc_code pgc_folder_add(struct pgc_folder *folder, const char *dir, const char *name, const void *text, size_t len,
                             struct pgc_error *err) {
    char *copy = malloc(len + 1);
    if (copy == NULL)
        return pgc_fail_nomem(err);
    memcpy(copy, text, len);
    copy[len] = '\0';
    enum pgc_code code = append(folder, join(dir, name), strdup(name), copy, len, err);
    if (code == PGC_OK)
        qsort(folder->files, folder->count, sizeof *folder->files, compare);
    return code;
}

static bool wants_text(const char *name) {
    static const char *const suffixes[] = { ".sql", ".conf", ".toml", ".sum", ".yml", ".yaml" };
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        if (pgc_text_ends(name, suffixes[i]))
            return true;
    }
    return strstr(name, ".up.") != NULL || strstr(name, ".down.") != NULL;
}

static ssize_t read_fully(int fd, char *out, size_t cap) {
    size_t len = 0;
    while (len < cap) {
        ssize_t n = read(fd, out + len, cap - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

/* Most files fit into the first block: then one read, one more that says it was all, and memory of just its size. */
static enum pgc_code read_text(int dir_fd, const char *base, const char *path, char **out, size_t *out_len,
                               struct pgc_error *err) {
    char block[16384];
    PGC_AUTO_CLOSE int fd = openat(dir_fd, base, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot open '%s'", path);
    ssize_t n = read_fully(fd, block, sizeof block);
    size_t len = 0, cap = n < 0 ? 0 : (size_t)n;
    PGC_AUTO_FREE char *text = malloc(cap + 1);
    if (text == NULL)
        return pgc_fail_nomem(err);
    if (n > 0)
        memcpy(text, block, cap);
    len = cap;
    while (n > 0 && len == cap && len >= sizeof block) {
        char *bigger = realloc(text, cap * 2 + 1);
        if (bigger == NULL)
            return pgc_fail_nomem(err);
        text = bigger;
        n = read_fully(fd, text + len, cap);
        cap *= 2;
        len += n < 0 ? 0 : (size_t)n;
    }
    if (n < 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot read '%s'", path);
    text[len] = '\0';
    *out = text;
    *out_len = len;
    text = NULL;
    return PGC_OK;
}

static enum pgc_code scan(struct pgc_folder *folder, int parent_fd, const char *entry, const char *path,
                          const char *prefix, int depth, struct pgc_error *err);

/* `type` as readdir tells it saves a look at each file. */
static enum pgc_code scan_entry(struct pgc_folder *folder, int fd, const char *base, unsigned char type,
                                const char *dir_path, const char *prefix, int depth, struct pgc_error *err) {
    PGC_AUTO_FREE char *path = join(dir_path, base);
    PGC_AUTO_FREE char *name = join(prefix, base);
    struct stat st = { .st_mode = type == DT_REG ? S_IFREG : 0 };
    if (path == NULL || name == NULL)
        return pgc_fail_nomem(err);
    if (type != DT_REG && fstatat(fd, base, &st, 0) != 0) {
        /* A dangling link or a file that has just gone is no migration; naming it is enough for who looks for it. */
        if (errno == ENOENT)
            return PGC_OK;
        return pgc_fail_errno(err, PGC_E_IO, "cannot look at '%s'", path);
    }
    if (S_ISDIR(st.st_mode))
        return depth >= DEPTH_MAX ? PGC_OK : scan(folder, fd, base, path, name, depth + 1, err);
    if (!S_ISREG(st.st_mode))
        return PGC_OK;
    char *text = NULL;
    size_t len = 0;
    if (wants_text(base)) {
        enum pgc_code code = read_text(fd, base, path, &text, &len, err);
        if (code != PGC_OK)
            return code;
    }
    enum pgc_code code = append(folder, path, name, text, len, err);
    path = name = NULL;
    return code;
}

static void close_dir(DIR **dir) {
    if (*dir != NULL)
        closedir(*dir);
}

static enum pgc_code scan(struct pgc_folder *folder, int parent_fd, const char *entry, const char *path,
                          const char *prefix, int depth, struct pgc_error *err) {
    int fd = openat(parent_fd, entry, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    PGC_CLEANUP(close_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        enum pgc_code code = pgc_fail_errno(err, PGC_E_IO, "cannot open the migrations folder '%s'", path);
        if (fd >= 0)
            close(fd);
        return code;
    }
    enum pgc_code code = PGC_OK;
    while (code == PGC_OK) {
        errno = 0;
        const struct dirent *e = readdir(dir);
        if (e == NULL) {
            if (errno != 0)
                code = pgc_fail_errno(err, PGC_E_IO, "cannot read the folder '%s'", path);
            break;
        }
        if (e->d_name[0] != '.')
            code = scan_entry(folder, fd, e->d_name, e->d_type, path, prefix, depth, err);
    }
    return code;
}

enum pgc_code pgc_folder_read(struct pgc_folder *folder, const char *dir, struct pgc_error *err) {
    enum pgc_code code = scan(folder, AT_FDCWD, dir, dir, "", 0, err);
    if (code == PGC_OK && folder->count > 0)
        qsort(folder->files, folder->count, sizeof *folder->files, compare);
    return code;
}

const struct pgc_folder_file *pgc_folder_find(const struct pgc_folder *folder, const char *name) {
    size_t low = 0, high = folder->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(folder->files[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < folder->count && strcmp(folder->files[low].name, name) == 0 ? &folder->files[low] : NULL;
}

const char *pgc_folder_base(const struct pgc_folder_file *file) {
    const char *slash = strrchr(file->name, '/');
    return slash == NULL ? file->name : slash + 1;
}

bool pgc_folder_is_top(const struct pgc_folder_file *file) {
    return strchr(file->name, '/') == NULL;
}
