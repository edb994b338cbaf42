/* The dump through pg_restore: by a pipe, or by a temporary file when it is to work in parallel. What it reads and writes
 * beside that has no name in any folder: it gets open descriptors, as /proc/self/fd/N, so that nothing stays behind. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backup/artefact.h"
#include "backup/restore_internal.h"
#include "io/fd.h"
#include "os/spawn.h"
#include "pg/environ.h"

#define BLOCK_BYTES ((size_t)128 * 1024)
#define PIPE_BYTES  (1 << 20)

/* --- arguments ---------------------------------------------------------------------------------------------- */

static enum pgc_code add_fd(struct pgc_strings *argv, const char *option, int fd, struct pgc_error *err) {
    return pgc_strings_addf(argv, err, "%s/proc/self/fd/%d", option, fd);
}

static enum pgc_code build_argv(const struct pgc__restore *r, int list_fd, struct pgc_strings *argv,
                                struct pgc_error *err) {
    const struct pgc_restore_options *o = r->o;
    const struct {
        bool wanted;
        const char *text;
    } flags[] = {
        { true, "--exit-on-error" },
        { true, "--no-password" },
        { r->one_transaction, "--single-transaction" },
        { o->clean, "--clean" },
        { o->clean, "--if-exists" },
        { o->schema_only, "--schema-only" },
        { o->data_only, "--data-only" },
        { r->without_owner, "--no-owner" },
        { r->without_privileges, "--no-privileges" },
        { o->no_tablespaces, "--no-tablespaces" },
        { o->disable_triggers, "--disable-triggers" },
        { o->scratch, "--no-subscriptions" }, /* they would keep the database from being dropped */
    };
    enum pgc_code code = pgc_strings_addf(argv, err, "%s/pg_restore", r->client.folder);
    for (size_t i = 0; code == PGC_OK && i < sizeof flags / sizeof flags[0]; i++)
        if (flags[i].wanted)
            code = pgc_strings_add(argv, flags[i].text, err);
    if (code == PGC_OK && o->role != NULL)
        code = pgc_strings_addf(argv, err, "--role=%s", o->role);
    if (code == PGC_OK && o->jobs > 1)
        code = pgc_strings_addf(argv, err, "--jobs=%lld", (long long)o->jobs);
    if (code == PGC_OK && list_fd >= 0)
        code = add_fd(argv, "--use-list=", list_fd, err);
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

static enum pgc_code pump(struct pgc__restore *r, struct pgc_source *source, int fd, bool quiet,
                          struct pgc_error *err) {
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
        if (!quiet)
            pgc__restore_progress(r, "restore", total, r->dump->stages[0].bytes);
    }
}

/* env NULL: ours. quiet: nothing is restored, it only looks. */
static enum pgc_code by_pipe(struct pgc__restore *r, struct pgc_source *source, const struct pgc_strings *argv,
                             const struct pgc_strings *env, bool quiet, struct pgc_error *err) {
    PGC_AUTO(pgc_child_free) struct pgc_child *child = NULL;
    struct pgc_spawn spec = { .argv = argv->items,
                              .env = env == NULL ? NULL : env->items,
                              .stdin_from = PGC_SPAWN_PIPE,
                              .stdout_to = PGC_SPAWN_NULL };
    enum pgc_code code = pgc_child_start(&spec, r->rt, &child, err);
    if (code != PGC_OK)
        return code;
    int fd = pgc_child_stdin(child);
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    (void)fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
    code = pump(r, source, fd, quiet, err);
    if (code != PGC_OK) {
        /* It must not take our stopping for the end of the archive and commit what it has. */
        pgc_child_signal(child, SIGTERM);
        return code;
    }
    pgc_child_close_stdin(child);
    return pgc_child_wait(child, err);
}

/* --- by a file ------------------------------------------------------------------------------------------------ */

static enum pgc_code spool_tick(void *arg, uint64_t bytes, struct pgc_error *err) {
    struct pgc__restore *r = arg;
    pgc__restore_progress(r, "spool", bytes, r->dump->stages[0].bytes);
    return pgc_check_cancelled(r->rt, err);
}

/* A file that the child inherits, and that is gone when both have closed it, however they end. */
static enum pgc_code open_spool(const struct pgc__restore *r, int *out, struct pgc_error *err) {
    const char *folder = r->o->spool_folder != NULL ? r->o->spool_folder : getenv("TMPDIR");
    PGC_AUTO_FREE char *path = NULL;
    if (asprintf(&path, "%s/pgc-restore-XXXXXX", folder == NULL || folder[0] == '\0' ? "/tmp" : folder) < 0) {
        path = NULL;
        return pgc_fail_nomem(err);
    }
    *out = mkstemp(path);
    if (*out < 0 || unlink(path) != 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot create '%s'", path);
    return PGC_OK;
}

static enum pgc_code by_file(struct pgc__restore *r, struct pgc_source *source, struct pgc_strings *argv,
                             const struct pgc_strings *env, struct pgc_error *err) {
    PGC_AUTO_CLOSE int fd = -1;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    struct pgc_copy_watch watch = { spool_tick, r };
    enum pgc_code code = open_spool(r, &fd, err);
    if (code == PGC_OK)
        code = pgc_fd_sink(fd, PGC_FD_BORROWED, "the spool file", &sink, err);
    if (code == PGC_OK)
        code = pgc_copy(source, sink, &watch, err);
    if (code == PGC_OK)
        code = add_fd(argv, "", fd, err);
    PGC_AUTO(pgc_child_free) struct pgc_child *child = NULL;
    struct pgc_spawn spec = {
        .argv = argv->items, .env = env->items, .stdin_from = PGC_SPAWN_NULL, .stdout_to = PGC_SPAWN_NULL
    };
    if (code == PGC_OK)
        code = pgc_child_start(&spec, r->rt, &child, err);
    return code == PGC_OK ? pgc_child_wait(child, err) : code;
}

/* --- the two uses ----------------------------------------------------------------------------------------------- */

/* A text as an open descriptor that children inherit. */
static enum pgc_code open_text(const struct pgc_buf *text, int *out, struct pgc_error *err) {
    *out = memfd_create("pgc-restore", 0);
    if (*out < 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot create a file in memory");
    return text == NULL ? PGC_OK : pgc_fd_write_all(*out, text->data, text->len, "a file in memory", err);
}

static enum pgc_code read_text(int fd, struct pgc_buf *out, struct pgc_error *err) {
    char block[16384];
    if (lseek(fd, 0, SEEK_SET) != 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot read what pg_restore printed");
    for (;;) {
        size_t len = 0;
        enum pgc_code code = pgc_fd_read_some(fd, block, sizeof block, &len, "what pg_restore printed", err);
        if (code != PGC_OK || len == 0)
            return code == PGC_OK ? pgc_buf_check(out, err) : code;
        pgc_buf_put(out, block, len);
    }
}

static enum pgc_code open_dump(struct pgc__restore *r, struct pgc_source **out, struct pgc_error *err) {
    return pgc_artefact_source(r->o->store, r->o->entry->folder, r->dump, r->o->identities, out, err);
}

enum pgc_code pgc__restore_print(struct pgc__restore *r, const char *const *flags, size_t flag_count,
                                 const struct pgc_buf *list, struct pgc_buf *out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings argv = PGC_STRINGS_INIT;
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    PGC_AUTO_CLOSE int list_fd = -1, text_fd = -1;
    enum pgc_code code = open_text(NULL, &text_fd, err);
    if (code == PGC_OK && list != NULL)
        code = open_text(list, &list_fd, err);
    if (code == PGC_OK)
        code = pgc_strings_addf(&argv, err, "%s/pg_restore", r->client.folder);
    for (size_t i = 0; code == PGC_OK && i < flag_count; i++)
        code = pgc_strings_add(&argv, flags[i], err);
    if (code == PGC_OK && list != NULL)
        code = add_fd(&argv, "--use-list=", list_fd, err);
    if (code == PGC_OK)
        code = add_fd(&argv, "--file=", text_fd, err);
    if (code == PGC_OK)
        code = open_dump(r, &source, err);
    if (code == PGC_OK)
        code = by_pipe(r, source, &argv, NULL, true, err);
    return code == PGC_OK ? read_text(text_fd, out, err) : code;
}

/* A database that is read-only by its own setting is written all the same. */
static enum pgc_code allow_writing(const struct pgc__restore *r, struct pgc_strings *env, struct pgc_error *err) {
    static const char name[] = "PGOPTIONS=", off[] = "-c default_transaction_read_only=off";
    bool wanted = false;
    for (size_t i = 0; i < r->properties.early.count; i++)
        wanted |= strstr(r->properties.early.items[i], "default_transaction_read_only") != NULL;
    for (size_t i = 0; wanted && i < env->count; i++) {
        if (strncmp(env->items[i], name, sizeof name - 1) != 0)
            continue;
        PGC_AUTO_FREE char *before = env->items[i];
        env->items[i] = NULL;
        return asprintf(&env->items[i], "%s %s", before, off) < 0 ? pgc_fail_nomem(err) : PGC_OK;
    }
    return wanted ? pgc_strings_addf(env, err, "%s%s", name, off) : PGC_OK;
}

enum pgc_code pgc__restore_data(struct pgc__restore *r, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings argv = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_environ_release) struct pgc_strings env = PGC_STRINGS_INIT;
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    PGC_AUTO_CLOSE int list_fd = -1;
    enum pgc_code code = r->list.len == 0 ? PGC_OK : open_text(&r->list, &list_fd, err);
    if (code == PGC_OK)
        code = build_argv(r, list_fd, &argv, err);
    if (code == PGC_OK)
        code = pgc_conn_environ(r->conn, "pgc-restore", &env, err);
    if (code == PGC_OK)
        code = allow_writing(r, &env, err);
    if (code == PGC_OK)
        code = open_dump(r, &source, err);
    if (code != PGC_OK)
        return code;
    code = r->o->jobs > 1 ? by_file(r, source, &argv, &env, err) : by_pipe(r, source, &argv, &env, false, err);
    if (code != PGC_OK && !r->made && !r->one_transaction)
        return pgc_wrap(err, "a part of the backup is in '%s' now", r->name);
    return code;
}
