/* The dump through pg_restore: by a pipe, or by a temporary file when it is to work in parallel. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/artefact.h"
#include "backup/restore_internal.h"
#include "io/fd.h"
#include "os/spawn.h"
#include "pg/environ.h"

#define BLOCK_BYTES ((size_t)128 * 1024)
#define PIPE_BYTES  (1 << 20)

/* --- arguments ---------------------------------------------------------------------------------------------- */

/* "schema.table" or "table", as pg_restore wants it. */
static enum pgc_code add_table(struct pgc_strings *argv, const char *name, struct pgc_error *err) {
    const char *dot = strchr(name, '.');
    enum pgc_code code = PGC_OK;
    if (dot != NULL)
        code = pgc_strings_addf(argv, err, "--schema=%.*s", (int)(dot - name), name);
    return code == PGC_OK ? pgc_strings_addf(argv, err, "--table=%s", dot == NULL ? name : dot + 1) : code;
}

/* All or nothing where we did not make the database ourselves, unless that needs more locks than a server has. */
static bool one_transaction(const struct pgc__restore *r) {
    return r->o->jobs == 1 && !r->made && r->manifest->table_count <= PGC_RESTORE_ONE_TX_TABLES;
}

static enum pgc_code build_argv(const struct pgc__restore *r, struct pgc_strings *argv, struct pgc_error *err) {
    const struct pgc_restore_options *o = r->o;
    const struct {
        bool wanted;
        const char *text;
    } flags[] = {
        { true, "--exit-on-error" },
        { true, "--no-password" },
        { one_transaction(r), "--single-transaction" },
        { o->clean, "--clean" },
        { o->clean, "--if-exists" },
        { o->schema_only, "--schema-only" },
        { o->data_only, "--data-only" },
        { r->without_owner, "--no-owner" },
        { r->without_privileges, "--no-privileges" },
    };
    enum pgc_code code = pgc_strings_addf(argv, err, "%s/pg_restore", r->client.folder);
    for (size_t i = 0; code == PGC_OK && i < sizeof flags / sizeof flags[0]; i++)
        if (flags[i].wanted)
            code = pgc_strings_add(argv, flags[i].text, err);
    if (code == PGC_OK && o->role != NULL)
        code = pgc_strings_addf(argv, err, "--role=%s", o->role);
    if (code == PGC_OK && o->jobs > 1)
        code = pgc_strings_addf(argv, err, "--jobs=%lld", (long long)o->jobs);
    for (size_t i = 0; code == PGC_OK && o->tables != NULL && i < o->tables->count; i++)
        code = add_table(argv, o->tables->items[i], err);
    if (code == PGC_OK)
        code = pgc_strings_add(argv, "-d", err);
    return code == PGC_OK ? pgc_strings_take(argv, pgc_conninfo_of_dbname(r->name), err) : code;
}

/* --- by a pipe ------------------------------------------------------------------------------------------------ */

/* *closed: pg_restore wants no more (it needs only the beginning for a schema, or it has failed: its status tells). */
static enum pgc_code feed(struct pgc__restore *r, int fd, const char *data, size_t len, bool *closed,
                          struct pgc_error *err) {
    while (len > 0) {
        enum pgc_code code = pgc_check_cancelled(r->rt, err);
        if (code != PGC_OK)
            return code;
        struct pollfd fds[] = { { .fd = fd, .events = POLLOUT }, { .fd = pgc_cancel_fd(r->rt), .events = POLLIN } };
        if (poll(fds, 2, -1) <= 0 || fds[0].revents == 0)
            continue;
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EPIPE) {
            *closed = true;
            return PGC_OK;
        }
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return pgc_fail_errno(err, PGC_E_IO, "cannot write to pg_restore");
        if (n > 0)
            data += n, len -= (size_t)n;
    }
    return PGC_OK;
}

static enum pgc_code pump(struct pgc__restore *r, struct pgc_source *source, int fd, struct pgc_error *err) {
    PGC_AUTO_FREE char *block = malloc(BLOCK_BYTES);
    if (block == NULL)
        return pgc_fail_nomem(err);
    uint64_t total = 0;
    bool closed = false;
    for (;;) {
        size_t len = 0;
        enum pgc_code code = pgc_source_get(source, block, BLOCK_BYTES, &len, err);
        if (code != PGC_OK)
            return code;
        if (len == 0)
            return pgc_source_verify(source, err);
        code = feed(r, fd, block, len, &closed, err);
        if (code != PGC_OK || closed)
            return code;
        total += len;
        pgc__restore_progress(r, "restore", total, r->dump->stages[0].bytes);
    }
}

static enum pgc_code by_pipe(struct pgc__restore *r, struct pgc_source *source, const struct pgc_strings *argv,
                             const struct pgc_strings *env, struct pgc_error *err) {
    PGC_AUTO(pgc_child_free) struct pgc_child *child = NULL;
    struct pgc_spawn spec = {
        .argv = argv->items, .env = env->items, .stdin_from = PGC_SPAWN_PIPE, .stdout_to = PGC_SPAWN_NULL
    };
    enum pgc_code code = pgc_child_start(&spec, r->rt, &child, err);
    if (code != PGC_OK)
        return code;
    int fd = pgc_child_stdin(child);
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    (void)fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
    code = pump(r, source, fd, err);
    if (code != PGC_OK) {
        /* It must not take our stopping for the end of the archive and commit what it has. */
        pgc_child_signal(child, SIGTERM);
        return code;
    }
    pgc_child_close_stdin(child);
    return pgc_child_wait(child, err);
}

/* --- by a file ------------------------------------------------------------------------------------------------ */

static void remove_file(char **path) {
    if (*path != NULL)
        unlink(*path);
    free(*path);
}

static enum pgc_code by_file(struct pgc__restore *r, struct pgc_source *source, struct pgc_strings *argv,
                             const struct pgc_strings *env, struct pgc_error *err) {
    PGC_CLEANUP(remove_file) char *path = NULL;
    const char *folder = r->o->spool_folder != NULL ? r->o->spool_folder : getenv("TMPDIR");
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    if (asprintf(&path, "%s/pgc-restore-XXXXXX", folder != NULL && folder[0] != '\0' ? folder : "/tmp") < 0) {
        path = NULL;
        return pgc_fail_nomem(err);
    }
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot create '%s'", path);
    enum pgc_code code = pgc_fd_sink(fd, PGC_FD_OWNED, path, &sink, err);
    if (code == PGC_OK)
        code = pgc_copy(source, sink, NULL, err);
    if (code == PGC_OK)
        code = pgc_strings_add(argv, path, err);
    PGC_AUTO(pgc_child_free) struct pgc_child *child = NULL;
    struct pgc_spawn spec = {
        .argv = argv->items, .env = env->items, .stdin_from = PGC_SPAWN_NULL, .stdout_to = PGC_SPAWN_NULL
    };
    if (code == PGC_OK)
        code = pgc_child_start(&spec, r->rt, &child, err);
    return code == PGC_OK ? pgc_child_wait(child, err) : code;
}

enum pgc_code pgc__restore_data(struct pgc__restore *r, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings argv = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_environ_release) struct pgc_strings env = PGC_STRINGS_INIT;
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    enum pgc_code code = build_argv(r, &argv, err);
    if (code == PGC_OK)
        code = pgc_conn_environ(r->conn, "pgc-restore", &env, err);
    if (code == PGC_OK)
        code = pgc_artefact_source(r->o->store, r->o->entry->folder, r->dump, r->o->identities, &source, err);
    if (code != PGC_OK)
        return code;
    return r->o->jobs > 1 ? by_file(r, source, &argv, &env, err) : by_pipe(r, source, &argv, &env, err);
}
