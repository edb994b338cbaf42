#include "init/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "io/fd.h"
#include "os/spawn.h"

#define ENV_MAX ((size_t)4 << 20)

/* The exit trap writes the environment to the descriptor given as $2 and keeps the status. */
static const char prelude_sh[] =
    "docker_process_sql() { set -- -v ON_ERROR_STOP=1 --username \"$POSTGRES_USER\" --no-password --no-psqlrc "
    "${POSTGRES_DB:+--dbname} ${POSTGRES_DB:+\"$POSTGRES_DB\"} \"$@\"; psql \"$@\"; }\n"
    "pgc_dump_env() { pgc_rc=$?; trap - EXIT; env -0 > /proc/self/fd/\"$pgc_env_fd\" 2>/dev/null; exit \"$pgc_rc\"; }\n"
    "pgc_script=$1 pgc_env_fd=$2\n"
    "trap pgc_dump_env EXIT\n"
    "shift 2\n";
static const char tail_bash[] = "psql=(psql -v ON_ERROR_STOP=1 --username \"$POSTGRES_USER\" --no-password "
                                "${POSTGRES_DB:+--dbname \"$POSTGRES_DB\"})\n"
                                "set -Eeo pipefail\n"
                                ". \"$pgc_script\"\n";
static const char tail_sh[] = "set -e\n. \"$pgc_script\"\n";

/* --- environment lists ------------------------------------------------------------------------------ */

static size_t find(const struct pgc_strings *env, const char *name, size_t len) {
    size_t i = 0;
    while (i < env->count && (strncmp(env->items[i], name, len) != 0 || env->items[i][len] != '='))
        i++;
    return i;
}

static void wipe_at(struct pgc_strings *env, size_t at) {
    explicit_bzero(env->items[at], strlen(env->items[at]));
    free(env->items[at]);
}

enum pgc_code pgc_init_env_set(struct pgc_strings *env, const char *name, const char *value, struct pgc_error *err) {
    size_t at = find(env, name, strlen(name));
    if (at < env->count) {
        wipe_at(env, at);
        env->items[at] = env->items[--env->count];
        env->items[env->count] = NULL;
    }
    return value == NULL ? PGC_OK : pgc_strings_addf(env, err, "%s=%s", name, value);
}

const char *pgc_init_env_get(const struct pgc_strings *env, const char *name) {
    size_t at = find(env, name, strlen(name));
    return at < env->count ? strchr(env->items[at], '=') + 1 : NULL;
}

enum pgc_code pgc_init_env_find(const struct pgc_strings *env, const char *name, char **out, struct pgc_error *err) {
    const char *path = pgc_init_env_get(env, "PATH");
    *out = NULL;
    for (const char *p = path; p != NULL && *p != '\0';) {
        size_t len = strcspn(p, ":");
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf file = PGC_BUF_INIT;
        pgc_buf_putf(&file, "%.*s/%s", (int)len, p, name);
        if (len > 0 && access(file.data, X_OK) == 0) {
            *out = pgc_buf_detach(&file);
            return *out != NULL ? PGC_OK : pgc_fail_nomem(err);
        }
        p += len + (p[len] == ':');
    }
    return PGC_OK;
}

/* --- running ---------------------------------------------------------------------------------------- */

static enum pgc_code run_argv(const struct pgc_init_shell *shell, char *const *argv, const struct pgc_runtime *rt,
                              int *status, struct pgc_error *err) {
    struct pgc_spawn spec = {
        .argv = argv, .env = shell->env.items, .stdin_from = PGC_SPAWN_NULL, .stderr_inherit = true
    };
    PGC_AUTO(pgc_child_free) struct pgc_child *child = NULL;
    enum pgc_code code = pgc_child_start(&spec, rt, &child, err);
    if (code != PGC_OK) {
        *status = 127;
        return code;
    }
    code = pgc_child_wait(child, err);
    *status = pgc_child_status(child);
    return code;
}

static char *unconst(const char *text) {
    return (char *)(size_t)text; /* execve's argv is not const, though nobody writes to it */
}

static enum pgc_code run_executed(struct pgc_init_shell *shell, const struct pgc_init_step *step,
                                  const struct pgc_runtime *rt, int *status, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf path = PGC_BUF_INIT;
    pgc_buf_putf(&path, "%s%s", strchr(step->path, '/') != NULL ? "" : "./", step->path);
    char *argv[] = { path.data, NULL };
    enum pgc_code code = run_argv(shell, argv, rt, status, err);
    if (code == PGC_E_NOT_FOUND)
        return pgc_fail(err, PGC_E_CONFIG,
                        "cannot run '%s': the interpreter named in its first line is not in this image", step->path);
    return code;
}

static enum pgc_code take_env(struct pgc_init_shell *shell, int fd, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_wipe) struct pgc_buf text = PGC_BUF_INIT;
    text.max = ENV_MAX;
    lseek(fd, 0, SEEK_SET);
    for (size_t n = 1; n > 0;) {
        char *room = pgc_buf_reserve(&text, 65536);
        if (room == NULL)
            return pgc_buf_check(&text, err);
        enum pgc_code code = pgc_fd_read_some(fd, room, 65536, &n, "environment", err);
        if (code != PGC_OK)
            return code;
        pgc_buf_grown(&text, n);
    }
    if (text.len == 0)
        return PGC_OK; /* the script replaced our trap or ended by exec: nothing to take over */
    for (size_t i = 0; i < shell->env.count; i++)
        wipe_at(&shell->env, i);
    shell->env.count = 0;
    for (size_t at = 0; at < text.len; at += strlen(text.data + at) + 1) {
        const char *item = text.data + at;
        bool ours =
            pgc_text_starts(item, "_=") || pgc_text_starts(item, "SHLVL=") || pgc_text_starts(item, "BASH_FUNC_");
        enum pgc_code code = ours ? PGC_OK : pgc_strings_add(&shell->env, item, err);
        if (code != PGC_OK)
            return code;
    }
    return PGC_OK;
}

static enum pgc_code run_sourced(struct pgc_init_shell *shell, const struct pgc_init_step *step,
                                 const struct pgc_runtime *rt, int *status, struct pgc_error *err) {
    PGC_AUTO_FREE char *interpreter = NULL;
    enum pgc_code code = pgc_init_env_find(&shell->env, "bash", &interpreter, err);
    bool bash = interpreter != NULL;
    if (code == PGC_OK && !bash)
        code = pgc_init_env_find(&shell->env, "sh", &interpreter, err);
    if (code != PGC_OK)
        return code;
    *status = 127;
    if (interpreter == NULL)
        return pgc_fail(
            err, PGC_E_CONFIG,
            "cannot source '%s': there is no shell in this image; turn it into .sql or take an image with a shell",
            step->path);
    /* Inherited on purpose: the trap writes to it by number. */
    PGC_AUTO_CLOSE int fd = memfd_create("pgc-init-env", 0);
    if (fd < 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot make a memory file");
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT, path = PGC_BUF_INIT;
    char number[16];
    snprintf(number, sizeof number, "%d", fd);
    pgc_buf_putf(&text, "%s%s", prelude_sh, bash ? tail_bash : tail_sh);
    pgc_buf_putf(&path, "%s%s", strchr(step->path, '/') != NULL ? "" : "./", step->path);
    static char option[] = "-c";
    char *argv[] = { interpreter, option, text.data, unconst(step->path), path.data, number, NULL };
    code = run_argv(shell, argv, rt, status, err);
    struct pgc_error late;
    enum pgc_code took = take_env(shell, fd, code == PGC_OK ? err : &late);
    return code != PGC_OK ? code : took;
}

enum pgc_code pgc_init_shell_run(struct pgc_init_shell *shell, const struct pgc_init_step *step,
                                 const struct pgc_runtime *rt, int *status, struct pgc_error *err) {
    *status = 0;
    return step->kind == PGC_INIT_SH_EXECUTED ? run_executed(shell, step, rt, status, err)
                                              : run_sourced(shell, step, rt, status, err);
}
