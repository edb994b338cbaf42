#include "backup/client.h"

#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "os/spawn.h"

static const char *const usual_places[] = {
    "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",     "/usr/libexec/postgresql*",
    "/usr/local/pgsql*/bin",     "/opt/postgresql*/bin", "/usr/lib/postgresql*/bin",
};

void pgc_client_release(struct pgc_client *client) {
    free(client->folder);
    free(client->version);
    *client = (struct pgc_client)PGC_CLIENT_INIT;
}

int pgc_client_major_of_num(int version_num) {
    return version_num >= 100000 ? version_num / 10000 : version_num / 100;
}

int pgc_client_major_of_text(const char *version) {
    const char *at = strstr(version, "(PostgreSQL) ");
    if (at == NULL)
        return 0;
    char *rest = NULL;
    long first = strtol(at + strlen("(PostgreSQL) "), &rest, 10);
    if (first >= 10 && first < 1000)
        return (int)first;
    long second = rest != NULL && *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
    return first > 0 && first < 10 && second >= 0 && second < 100 ? (int)(first * 100 + second) : 0;
}

/* --- where to look ------------------------------------------------------------------------------------ */

static enum pgc_code add_path(struct pgc_strings *folders, struct pgc_error *err) {
    const char *path = getenv("PATH");
    for (const char *p = path == NULL ? "" : path; *p != '\0';) {
        size_t n = strcspn(p, ":");
        if (n > 0 && p[0] == '/') {
            enum pgc_code code = pgc_strings_addf(folders, err, "%.*s", (int)n, p);
            if (code != PGC_OK)
                return code;
        }
        p += n + (p[n] == ':');
    }
    return PGC_OK;
}

static enum pgc_code add_usual_places(struct pgc_strings *folders, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < sizeof usual_places / sizeof usual_places[0]; i++) {
        glob_t found;
        if (glob(usual_places[i], 0, NULL, &found) == 0)
            for (size_t k = 0; code == PGC_OK && k < found.gl_pathc; k++)
                code = pgc_strings_add(folders, found.gl_pathv[k], err);
        globfree(&found);
    }
    return code;
}

/* /usr/bin/pg_dump of Debian is a link to this script. */
static bool is_wrapper(const char *path) {
    char target[PATH_MAX];
    return realpath(path, target) != NULL && pgc_text_ends(target, "/pg_wrapper");
}

/* *major is 0 when there is no such program in the folder, or it does not say a version. */
static enum pgc_code ask_version(const char *folder, const char *tool, const struct pgc_runtime *rt,
                                 struct pgc_client *out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf path = PGC_BUF_INIT, answer = PGC_BUF_INIT;
    pgc_buf_putf(&path, "%s/%s", folder, tool);
    if (access(path.data, X_OK) != 0 || is_wrapper(path.data))
        return PGC_OK;
    char option[] = "--version";
    char *argv[] = { path.data, option, NULL };
    struct pgc_spawn spec = { .argv = argv, .stdin_from = PGC_SPAWN_NULL };
    answer.max = 4096;
    enum pgc_code code = pgc_spawn_capture(&spec, rt, &answer, err);
    if (code != PGC_OK)
        return code == PGC_E_CANCELLED ? code : PGC_OK;
    while (answer.len > 0 && answer.data[answer.len - 1] == '\n')
        pgc_buf_truncate(&answer, answer.len - 1);
    out->major = pgc_client_major_of_text(answer.data);
    out->folder = strdup(folder);
    out->version = pgc_buf_detach(&answer);
    return out->folder == NULL || out->version == NULL ? pgc_fail_nomem(err) : PGC_OK;
}

static void put_major(struct pgc_buf *out, int major) {
    if (major >= 100)
        pgc_buf_putf(out, "%d.%d", major / 100, major % 100);
    else
        pgc_buf_putf(out, "%d", major);
}

static enum pgc_code none_fits(const char *tool, int major, const struct pgc_buf *seen, bool newer_exists,
                               struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf wanted = PGC_BUF_INIT;
    put_major(&wanted, major);
    return pgc_fail(err, PGC_E_VERSION,
                    "the server is PostgreSQL %s, but %s %s is not installed (found: %s); use the image "
                    "'pgc-backup:pg%s' or install postgresql-client-%s%s",
                    wanted.data, tool, wanted.data, seen->len == 0 ? "none" : seen->data, wanted.data, wanted.data,
                    newer_exists ? ", or accept the newer one with --allow-newer-client" : "");
}

enum pgc_code pgc_client_find(const char *tool, int major, bool allow_newer, const struct pgc_strings *folders,
                              const struct pgc_runtime *rt, struct pgc_client *out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings own = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_client_release) struct pgc_client best = PGC_CLIENT_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf seen = PGC_BUF_INIT;
    enum pgc_code code = PGC_OK;
    if (folders == NULL || folders->count == 0) {
        code = add_path(&own, err);
        if (code == PGC_OK)
            code = add_usual_places(&own, err);
        folders = &own;
    }
    for (size_t i = 0; code == PGC_OK && i < folders->count; i++) {
        PGC_CLEANUP(pgc_client_release) struct pgc_client one = PGC_CLIENT_INIT;
        code = ask_version(folders->items[i], tool, rt, &one, err);
        if (code != PGC_OK || one.major == 0)
            continue;
        pgc_buf_puts(&seen, seen.len == 0 ? "" : ", ");
        put_major(&seen, one.major);
        pgc_buf_putf(&seen, " in %s", one.folder);
        bool closer = one.major >= major && (best.major == 0 || one.major < best.major);
        if (closer) {
            struct pgc_client swap = best;
            best = one;
            one = swap;
        }
        if (best.major == major)
            break;
    }
    if (code != PGC_OK)
        return code;
    if (best.major == 0 || (best.major != major && !allow_newer))
        return none_fits(tool, major, &seen, best.major != 0, err);
    *out = best;
    best = (struct pgc_client)PGC_CLIENT_INIT;
    return PGC_OK;
}
