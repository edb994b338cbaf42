#include "backup/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pg/environ.h"

#define PIPE_BYTES (1 << 20) /* fewer switches between pg_dump and us; the kernel may give less */

struct dump_source {
    struct pgc_source base;
    const struct pgc_runtime *rt;
    struct pgc_child *child;
    int64_t idle_ms;
    char *name;
};

static enum pgc_code wait_for_bytes(struct dump_source *dump, struct pgc_error *err) {
    int64_t end = pgc_mono_ms(dump->rt) + dump->idle_ms;
    for (;;) {
        enum pgc_code code = pgc_check_cancelled(dump->rt, err);
        if (code != PGC_OK)
            return code;
        int64_t left = dump->idle_ms > 0 ? end - pgc_mono_ms(dump->rt) : 60000;
        if (left <= 0)
            return pgc_fail(err, PGC_E_TIMEOUT, "'%s' sent nothing for %lld s (--idle-timeout): given up", dump->name,
                            (long long)(dump->idle_ms / 1000));
        struct pollfd fds[] = { { .fd = pgc_child_stdout(dump->child), .events = POLLIN },
                                { .fd = pgc_cancel_fd(dump->rt), .events = POLLIN } };
        if (poll(fds, 2, left > 60000 ? 60000 : (int)left) > 0 && fds[0].revents != 0)
            return PGC_OK;
    }
}

static enum pgc_code dump_get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct dump_source *dump = (struct dump_source *)source;
    for (;;) {
        enum pgc_code code = wait_for_bytes(dump, err);
        if (code != PGC_OK)
            return code;
        ssize_t n = read(pgc_child_stdout(dump->child), buf, cap);
        if (n >= 0) {
            *len = (size_t)n;
            return PGC_OK;
        }
        if (errno != EINTR && errno != EAGAIN)
            return pgc_fail_errno(err, PGC_E_IO, "cannot read the output of '%s'", dump->name);
    }
}

static enum pgc_code dump_verify(struct pgc_source *source, struct pgc_error *err) {
    struct dump_source *dump = (struct dump_source *)source;
    pgc_child_close_stdout(dump->child);
    return pgc_child_wait(dump->child, err);
}

static void dump_drop(struct pgc_source *source) {
    struct dump_source *dump = (struct dump_source *)source;
    pgc_child_free(dump->child);
    free(dump->name);
    free(dump);
}

enum pgc_code pgc_dump_source(char *const *argv, char *const *env, int64_t idle_ms, const struct pgc_runtime *rt,
                              struct pgc_source **out, struct pgc_error *err) {
    static const struct pgc_source_ops ops = { dump_get, dump_verify, dump_drop };
    struct pgc_spawn spec = { .argv = argv, .env = env, .stdin_from = PGC_SPAWN_NULL, .stdout_to = PGC_SPAWN_PIPE };
    struct dump_source *dump = calloc(1, sizeof *dump);
    if (dump == NULL)
        return pgc_fail_nomem(err);
    *dump = (struct dump_source) { .base = { &ops }, .rt = rt, .idle_ms = idle_ms, .name = strdup(argv[0]) };
    PGC_AUTO(pgc_source_drop) struct pgc_source *owner = &dump->base;
    if (dump->name == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = pgc_child_start(&spec, rt, &dump->child, err);
    if (code != PGC_OK)
        return code;
    (void)fcntl(pgc_child_stdout(dump->child), F_SETPIPE_SZ, PIPE_BYTES);
    *out = owner;
    owner = NULL;
    return PGC_OK;
}

const char *pgc_dump_words(struct pgc_source *source) {
    return pgc_child_stderr_tail(((struct dump_source *)source)->child);
}

/* --- argument vectors --------------------------------------------------------------------------------- */

/* As our own connections: a line that died is noticed in minutes and not in hours. */
static enum pgc_code add_dbname(struct pgc_strings *out, const char *database, struct pgc_error *err) {
    PGC_AUTO_FREE char *conninfo = pgc_conninfo_of_dbname(database);
    enum pgc_code code = conninfo == NULL ? pgc_fail_nomem(err) : pgc_strings_add(out, "-d", err);
    return code == PGC_OK
               ? pgc_strings_addf(out, err, "%s keepalives_idle=60 keepalives_interval=15 keepalives_count=4", conninfo)
               : code;
}

enum pgc_code pgc_dump_argv(const struct pgc_client *client, const char *database, const char *snapshot,
                            int64_t lock_wait_ms, struct pgc_strings *out, struct pgc_error *err) {
    static const char *const fixed[] = { "--format=custom", "--compress=0", "--no-password" };
    enum pgc_code code = pgc_strings_addf(out, err, "%s/pg_dump", client->folder);
    for (size_t i = 0; code == PGC_OK && i < sizeof fixed / sizeof fixed[0]; i++)
        code = pgc_strings_add(out, fixed[i], err);
    if (code == PGC_OK && lock_wait_ms > 0)
        code = pgc_strings_addf(out, err, "--lock-wait-timeout=%lldms", (long long)lock_wait_ms);
    if (code == PGC_OK && snapshot != NULL)
        code = pgc_strings_addf(out, err, "--snapshot=%s", snapshot);
    return code == PGC_OK ? add_dbname(out, database, err) : code;
}

enum pgc_code pgc_dump_globals_argv(const struct pgc_client *client, const char *database, bool with_passwords,
                                    struct pgc_strings *out, struct pgc_error *err) {
    enum pgc_code code = pgc_strings_addf(out, err, "%s/pg_dumpall", client->folder);
    if (code == PGC_OK)
        code = pgc_strings_add(out, "--globals-only", err);
    if (code == PGC_OK)
        code = pgc_strings_add(out, "--no-password", err);
    if (code == PGC_OK && !with_passwords)
        code = pgc_strings_add(out, "--no-role-passwords", err);
    return code == PGC_OK ? add_dbname(out, database, err) : code;
}
