#include "testdb/place.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "testdb/tree.h"

enum pgc_code pgc_testdb_user(struct pgc_testdb_user *out, struct pgc_error *err) {
    *out = (struct pgc_testdb_user) { .uid = geteuid(), .gid = getegid() };
    if (out->uid != 0)
        return PGC_OK;
    const struct passwd *entry = getpwnam("postgres");
    if (entry == NULL)
        entry = getpwnam("nobody");
    if (entry == NULL || entry->pw_uid == 0)
        return pgc_fail(err, PGC_E_CONFIG,
                        "PostgreSQL does not run as root, and neither 'postgres' nor 'nobody' is a user here");
    *out = (struct pgc_testdb_user) { .drop = true, .uid = entry->pw_uid, .gid = entry->pw_gid };
    snprintf(out->name, sizeof out->name, "%s", entry->pw_name);
    return PGC_OK;
}

const char *pgc_testdb_tmpdir(void) {
    const char *dir = getenv("TMPDIR");
    return dir != NULL && dir[0] == '/' ? dir : "/tmp";
}

static bool is_empty(const char *path) {
    DIR *folder = opendir(path);
    if (folder == NULL)
        return false;
    size_t entries = 0;
    while (readdir(folder) != NULL)
        entries++;
    closedir(folder);
    return entries <= 2; /* "." and ".." */
}

/* The user must be able to walk to the folder; initdb's own message does not say which part is closed. */
static enum pgc_code check_way(const char *path, const struct pgc_testdb_user *user, struct pgc_error *err) {
    PGC_AUTO_FREE char *part = strdup(path);
    if (part == NULL)
        return pgc_fail_nomem(err);
    for (char *slash; (slash = strrchr(part, '/')) != NULL && slash != part;) {
        *slash = '\0';
        struct stat st;
        if (stat(part, &st) != 0)
            return pgc_fail_errno(err, PGC_E_IO, "cannot look at '%s'", part);
        mode_t bit = st.st_uid == user->uid ? S_IXUSR : st.st_gid == user->gid ? S_IXGRP : S_IXOTH;
        if ((st.st_mode & bit) == 0)
            return pgc_fail(err, PGC_E_AUTH,
                            "the user '%s', who runs the server, cannot enter '%s': set TMPDIR or --dir", user->name,
                            part);
    }
    return PGC_OK;
}

enum pgc_code pgc_testdb_make_dir(const char *wanted, const struct pgc_testdb_user *user, char **out,
                                  struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf path = PGC_BUF_INIT;
    *out = NULL;
    if (wanted == NULL) {
        pgc_buf_putf(&path, "%s/pgc-testdb.XXXXXX", pgc_testdb_tmpdir());
        if (path.failed)
            return pgc_fail_nomem(err);
        if (mkdtemp(path.data) == NULL)
            return pgc_fail_errno(err, PGC_E_IO, "cannot create a folder in '%s'", pgc_testdb_tmpdir());
    } else {
        if (mkdir(wanted, 0700) != 0 && errno != EEXIST)
            return pgc_fail_errno(err, PGC_E_IO, "cannot create the folder '%s'", wanted);
        if (!is_empty(wanted))
            return pgc_fail(err, PGC_E_EXISTS, "'%s' is not an empty folder", wanted);
        PGC_AUTO_FREE char *absolute = realpath(wanted, NULL);
        if (absolute == NULL)
            return pgc_fail_errno(err, PGC_E_IO, "cannot resolve '%s'", wanted);
        pgc_buf_puts(&path, absolute);
    }
    enum pgc_code code = user->drop ? check_way(path.data, user, err) : PGC_OK;
    if (code == PGC_OK && user->drop && chown(path.data, user->uid, user->gid) != 0)
        code = pgc_fail_errno(err, PGC_E_IO, "cannot change the owner of '%s'", path.data);
    if (code == PGC_OK && chmod(path.data, 0700) != 0)
        code = pgc_fail_errno(err, PGC_E_IO, "cannot change the mode of '%s'", path.data);
    if (code != PGC_OK) {
        rmdir(path.data);
        return code;
    }
    *out = pgc_buf_detach(&path);
    return *out != NULL ? PGC_OK : pgc_fail_nomem(err);
}

/* --- files ------------------------------------------------------------------------------------------ */

static int open_in(const char *dir, const char *name, int flags) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf path = PGC_BUF_INIT;
    pgc_buf_putf(&path, "%s/%s", dir, name);
    return path.failed ? -1 : open(path.data, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
}

enum pgc_code pgc_testdb_write(const char *dir, const char *name, const struct pgc_buf *text, int flag,
                               const struct pgc_testdb_user *user, struct pgc_error *err) {
    enum pgc_code code = pgc_buf_check(text, err);
    if (code != PGC_OK)
        return code;
    PGC_AUTO_CLOSE int fd = open_in(dir, name, O_WRONLY | O_CREAT | flag);
    if (fd < 0 || write(fd, text->data, text->len) != (ssize_t)text->len)
        return pgc_fail_errno(err, PGC_E_IO, "cannot write '%s/%s'", dir, name);
    if (user->drop && fchown(fd, user->uid, user->gid) != 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot change the owner of '%s/%s'", dir, name);
    return PGC_OK;
}

void pgc_testdb_tail(const char *dir, const char *name, size_t most, struct pgc_buf *out) {
    PGC_AUTO_CLOSE int fd = open_in(dir, name, O_RDONLY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return;
    if ((size_t)st.st_size > most)
        lseek(fd, st.st_size - (off_t)most, SEEK_SET);
    char *room = pgc_buf_reserve(out, most);
    ssize_t n = room != NULL ? read(fd, room, most) : -1;
    pgc_buf_grown(out, n > 0 ? (size_t)n : 0);
}

/* --- the process ------------------------------------------------------------------------------------ */

static bool exists_in(const char *dir, const char *name, struct stat *st) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf path = PGC_BUF_INIT;
    pgc_buf_putf(&path, "%s/%s", dir, name);
    return !path.failed && lstat(path.data, st) == 0;
}

bool pgc_testdb_is_state(const char *dir) {
    struct stat st;
    if (!exists_in(dir, "data/PG_VERSION", &st) || !exists_in(dir, "url", &st))
        return false;
    return geteuid() == 0 || st.st_uid == geteuid();
}

long pgc_testdb_postmaster(const char *dir) {
    PGC_AUTO_CLOSE int fd = open_in(dir, "data/postmaster.pid", O_RDONLY);
    char text[32] = "";
    if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
        return 0;
    long pid = strtol(text, NULL, 10);
    if (pid <= 1)
        return 0;
    char link[64], at[4096], real[4200];
    snprintf(link, sizeof link, "/proc/%ld/cwd", pid);
    ssize_t n = readlink(link, at, sizeof at - 1);
    if (n < 0)
        return 0;
    at[n] = '\0';
    snprintf(real, sizeof real, "%s/data", dir);
    PGC_AUTO_FREE char *data = realpath(real, NULL);
    return data != NULL && strcmp(data, at) == 0 ? pid : 0;
}

bool pgc_testdb_kill(const char *dir, const struct pgc_runtime *rt, int64_t most_ms) {
    int64_t end = pgc_mono_ms(rt) + most_ms;
    for (bool asked = false;; asked = true) {
        long pid = pgc_testdb_postmaster(dir);
        if (pid == 0)
            return true;
        if (!asked)
            kill((pid_t)pid, SIGQUIT); /* PostgreSQL's immediate shutdown */
        if (pgc_mono_ms(rt) > end)
            return false;
        nanosleep(&(struct timespec) { .tv_nsec = 2000000 }, NULL);
    }
}

int pgc_testdb_free_port(void) {
    PGC_AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof address;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    return ntohs(address.sin_port);
}

/* --- the cached cluster ----------------------------------------------------------------------------- */

static void put_slug(struct pgc_buf *out, const char *text) {
    for (; *text != '\0'; text++)
        pgc_buf_putc(out, *text == '/' ? '_' : *text);
}

char *pgc_testdb_cache_path(const char *base, const char *bindir, const char *locale) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf path = PGC_BUF_INIT;
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (base != NULL)
        pgc_buf_puts(&path, base);
    else if (xdg != NULL && xdg[0] == '/')
        pgc_buf_putf(&path, "%s/pgc", xdg);
    else if (home != NULL && home[0] == '/')
        pgc_buf_putf(&path, "%s/.cache/pgc", home);
    else
        return NULL;
    struct stat st;
    if (!exists_in(bindir, "postgres", &st))
        return NULL;
    pgc_buf_puts(&path, "/testdb/");
    put_slug(&path, bindir);
    pgc_buf_putc(&path, '-');
    put_slug(&path, locale);
    pgc_buf_putf(&path, "-%llx-%llx", (unsigned long long)st.st_mtime, (unsigned long long)st.st_size);
    return pgc_buf_detach(&path);
}

static bool make_parents(const char *path) {
    PGC_AUTO_FREE char *part = strdup(path);
    for (char *slash = part; part != NULL && (slash = strchr(slash + 1, '/')) != NULL; *slash = '/') {
        *slash = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return false;
    }
    return part != NULL;
}

void pgc_testdb_cache_keep(const char *data, const char *path) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf temporary = PGC_BUF_INIT;
    pgc_buf_putf(&temporary, "%s.%ld", path, (long)getpid());
    struct pgc_error ignored;
    if (temporary.failed || !make_parents(path))
        return;
    /* rename onto a folder that somebody else finished meanwhile fails: theirs stays. */
    if (pgc_tree_copy(data, temporary.data, (uid_t)-1, 0, &ignored) != PGC_OK || rename(temporary.data, path) != 0)
        pgc_tree_remove(temporary.data);
}
