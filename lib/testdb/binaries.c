#include "testdb/binaries.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

static bool has_programs(const char *folder) {
    static const char *const names[] = { "initdb", "pg_ctl", "postgres" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf path = PGC_BUF_INIT;
        pgc_buf_putf(&path, "%s/%s", folder, names[i]);
        if (path.failed || access(path.data, X_OK) != 0)
            return false;
    }
    return true;
}

/* The number in ".../15/bin" or "/usr/pgsql-15/bin"; 0 when there is none. */
static int major_of(const char *folder) {
    const char *digits = strpbrk(folder, "0123456789");
    return digits != NULL ? atoi(digits) : 0;
}

/* The folder of the pattern with the highest major version (or exactly `major`). */
static char *newest(const char *pattern, int major) {
    glob_t found;
    char *best = NULL;
    int best_major = -1;
    if (glob(pattern, 0, NULL, &found) != 0)
        return NULL;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        int n = major_of(found.gl_pathv[i]);
        if (n <= best_major || (major > 0 && n != major) || !has_programs(found.gl_pathv[i]))
            continue;
        free(best);
        best = strdup(found.gl_pathv[i]);
        best_major = n;
    }
    globfree(&found);
    return best;
}

static char *from_path(void) {
    const char *path = getenv("PATH");
    PGC_AUTO_FREE char *folders = path != NULL ? strdup(path) : NULL;
    char *rest = folders;
    for (char *folder; rest != NULL && (folder = strsep(&rest, ":")) != NULL;)
        if (folder[0] == '/' && has_programs(folder))
            return strdup(folder);
    return NULL;
}

enum pgc_code pgc_testdb_binaries(const char *given, int major, char **out, struct pgc_error *err) {
    static const char *const patterns[] = { "/usr/lib/postgresql/[0-9]*/bin", "/usr/pgsql-[0-9]*/bin",
                                            "/usr/local/pgsql/bin" };
    *out = NULL;
    if (given == NULL)
        given = getenv("PGBIN");
    if (given != NULL && given[0] != '\0') {
        if (!has_programs(given))
            return pgc_fail(err, PGC_E_NOT_FOUND, "no initdb, pg_ctl and postgres in '%s'", given);
        *out = strdup(given);
        return *out != NULL ? PGC_OK : pgc_fail_nomem(err);
    }
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0] && *out == NULL; i++)
        *out = newest(patterns[i], major);
    if (*out == NULL && major <= 0)
        *out = from_path();
    if (*out != NULL)
        return PGC_OK;
    if (major > 0)
        return pgc_fail(err, PGC_E_NOT_FOUND, "no server programs of PostgreSQL %d found; install postgresql-%d", major,
                        major);
    return pgc_fail(err, PGC_E_NOT_FOUND,
                    "no PostgreSQL server programs (initdb, pg_ctl, postgres) found; install the package postgresql "
                    "or name their folder with --bindir");
}
