#include "testdb/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Where a copy stands; the path is only for messages. */
struct owner {
    uid_t uid;
    gid_t gid;
    const char *path;
};

static void close_folder(DIR **folder) {
    if (*folder != NULL)
        closedir(*folder);
}

static bool is_dot(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static DIR *open_folder(int at, const char *name) {
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    DIR *folder = fdopendir(fd);
    if (folder == NULL)
        close(fd);
    return folder;
}

static enum pgc_code copy_bytes(int in, int out, const struct owner *owner, struct pgc_error *err) {
    for (;;) {
        ssize_t n = copy_file_range(in, NULL, out, NULL, (size_t)1 << 30, 0);
        if (n == 0)
            return PGC_OK;
        if (n < 0 && (errno == EXDEV || errno == ENOSYS || errno == EINVAL || errno == EOPNOTSUPP))
            break;
        if (n < 0)
            return pgc_fail_errno(err, PGC_E_IO, "cannot copy into '%s'", owner->path);
    }
    char block[65536];
    for (;;) {
        ssize_t n = read(in, block, sizeof block);
        if (n == 0)
            return PGC_OK;
        if (n < 0 || write(out, block, (size_t)n) != n)
            return pgc_fail_errno(err, PGC_E_IO, "cannot copy into '%s'", owner->path);
    }
}

static enum pgc_code copy_file(int from, int to, const char *name, const struct stat *st, const struct owner *owner,
                               struct pgc_error *err) {
    PGC_AUTO_CLOSE int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (in < 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot open '%s'", name);
    PGC_AUTO_CLOSE int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, st->st_mode & 07777);
    if (out < 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot create '%s' in '%s'", name, owner->path);
    if (owner->uid != (uid_t)-1 && fchown(out, owner->uid, owner->gid) != 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot change the owner of '%s'", name);
    return copy_bytes(in, out, owner, err);
}

static enum pgc_code copy_link(int from, int to, const char *name, const struct owner *owner, struct pgc_error *err) {
    char target[4096];
    ssize_t n = readlinkat(from, name, target, sizeof target - 1);
    if (n < 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot read the link '%s'", name);
    target[n] = '\0';
    if (symlinkat(target, to, name) != 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot create '%s' in '%s'", name, owner->path);
    return PGC_OK;
}

static enum pgc_code copy_folder(int from, const char *from_name, int to, const char *to_name,
                                 const struct owner *owner, struct pgc_error *err) {
    PGC_CLEANUP(close_folder) DIR *in = open_folder(from, from_name);
    struct stat st;
    if (in == NULL || fstat(dirfd(in), &st) != 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot open the folder '%s'", from_name);
    if (mkdirat(to, to_name, st.st_mode & 07777) != 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot create the folder '%s'", to_name);
    PGC_CLEANUP(close_folder) DIR *out = open_folder(to, to_name);
    if (out == NULL || (owner->uid != (uid_t)-1 && fchown(dirfd(out), owner->uid, owner->gid) != 0))
        return pgc_fail_errno(err, PGC_E_IO, "cannot change the owner of '%s'", to_name);
    for (struct dirent *entry; (entry = readdir(in)) != NULL;) {
        if (is_dot(entry->d_name))
            continue;
        if (fstatat(dirfd(in), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            return pgc_fail_errno(err, PGC_E_IO, "cannot look at '%s'", entry->d_name);
        enum pgc_code code = PGC_OK;
        if (S_ISDIR(st.st_mode))
            code = copy_folder(dirfd(in), entry->d_name, dirfd(out), entry->d_name, owner, err);
        else if (S_ISREG(st.st_mode))
            code = copy_file(dirfd(in), dirfd(out), entry->d_name, &st, owner, err);
        else if (S_ISLNK(st.st_mode))
            code = copy_link(dirfd(in), dirfd(out), entry->d_name, owner, err);
        if (code != PGC_OK)
            return code;
    }
    return PGC_OK;
}

enum pgc_code pgc_tree_copy(const char *from, const char *to, uid_t uid, gid_t gid, struct pgc_error *err) {
    struct owner owner = { uid, gid, to };
    return copy_folder(AT_FDCWD, from, AT_FDCWD, to, &owner, err);
}

static enum pgc_code chown_entry(int at, const char *name, uid_t uid, gid_t gid, struct pgc_error *err) {
    if (fchownat(at, name, uid, gid, AT_SYMLINK_NOFOLLOW) != 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot change the owner of '%s'", name);
    PGC_CLEANUP(close_folder) DIR *folder = open_folder(at, name);
    if (folder == NULL)
        return PGC_OK;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (is_dot(entry->d_name))
            continue;
        enum pgc_code code = chown_entry(dirfd(folder), entry->d_name, uid, gid, err);
        if (code != PGC_OK)
            return code;
    }
    return PGC_OK;
}

enum pgc_code pgc_tree_chown(const char *path, uid_t uid, gid_t gid, struct pgc_error *err) {
    return chown_entry(AT_FDCWD, path, uid, gid, err);
}

static bool remove_entry(int at, const char *name) {
    if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
        return true;
    PGC_CLEANUP(close_folder) DIR *folder = open_folder(at, name);
    bool whole = folder != NULL;
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        if (!is_dot(entry->d_name))
            whole &= remove_entry(dirfd(folder), entry->d_name);
    return whole && unlinkat(at, name, AT_REMOVEDIR) == 0;
}

bool pgc_tree_remove(const char *path) {
    return remove_entry(AT_FDCWD, path);
}
