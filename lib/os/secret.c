#include "os/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

#define SECRET_MAX ((size_t)1 << 20)

static enum pgc_code cannot_read(const char *path, struct pgc_error *err) {
    int number = errno;
    struct stat st;
    if (number == EACCES && stat(path, &st) == 0)
        return pgc_fail(
            err, PGC_E_CONFIG,
            "cannot read '%s': permission denied (owner is uid %u, we are uid %u: change the mode or run as that user)",
            path, (unsigned)st.st_uid, (unsigned)geteuid());
    errno = number;
    pgc_fail_errno(err, PGC_E_CONFIG, "cannot read '%s'", path);
    return err->code;
}

static enum pgc_code read_all(int fd, const char *path, struct pgc_buf *out, struct pgc_error *err) {
    for (;;) {
        char *room = pgc_buf_reserve(out, 4096);
        if (room == NULL)
            return pgc_fail(err, PGC_E_CONFIG, "'%s' is longer than %zu bytes", path, SECRET_MAX);
        ssize_t n = read(fd, room, 4096);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cannot_read(path, err);
        if (n == 0)
            return PGC_OK;
        pgc_buf_grown(out, (size_t)n);
    }
}

enum pgc_code pgc_secret_file(const char *path, char **out, struct pgc_error *err) {
    PGC_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cannot_read(path, err);
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf text = PGC_BUF_INIT;
    text.max = SECRET_MAX;
    enum pgc_code code = read_all(fd, path, &text, err);
    if (code != PGC_OK)
        return code;
    while (text.len > 0 && strchr("\r\n", text.data[text.len - 1]) != NULL)
        pgc_buf_truncate(&text, text.len - 1);
    if (text.len == 0)
        return pgc_fail(err, PGC_E_CONFIG, "'%s' is empty", path);
    if (strlen(text.data) != text.len)
        return pgc_fail(err, PGC_E_CONFIG, "'%s' holds a NUL byte", path);
    *out = strdup(text.data);
    return *out != NULL ? PGC_OK : pgc_fail_nomem(err);
}

static const char *set_value(const char *name) {
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

enum pgc_code pgc_env_value(const char *name, char **out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf file_name = PGC_BUF_INIT;
    pgc_buf_putf(&file_name, "%s_FILE", name);
    const char *value = set_value(name), *file = set_value(file_name.data);
    *out = NULL;
    if (value != NULL && file != NULL)
        return pgc_fail(err, PGC_E_USAGE, "both %s and %s are set (but are exclusive)", name, file_name.data);
    if (file != NULL)
        return pgc_secret_file(file, out, err);
    if (value == NULL)
        return PGC_OK;
    *out = strdup(value);
    return *out != NULL ? PGC_OK : pgc_fail_nomem(err);
}

void pgc_secret_free(char *secret) {
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}
