/* Meta-commands that need the server, files or output. The display settings are in runner_display.c. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "script/runner_internal.h"

static enum pgc_engine_status status_of(bool ok) {
    return ok ? PGC_ENGINE_SKIP : PGC_ENGINE_ERROR;
}

static enum pgc_engine_status missing(struct pgc_engine *e, const char *name) {
    pgc_engine_error(e, "\\%s: missing required argument", name);
    return PGC_ENGINE_ERROR;
}

/* --- \connect ------------------------------------------------------------------------------------------ */

/* NULL for an absent argument, an empty one and a bare dash. */
static char *connect_argument(struct pgc_engine *e) {
    char quote;
    const char *text = pgc_engine_argument(e, PGC_ARG_IDENT_KEEP, true, &quote);
    if (text == NULL || (quote == '\0' && (text[0] == '\0' || strcmp(text, "-") == 0)))
        return NULL;
    return strdup(text);
}

static bool changed(const char *before, const char *after) {
    return strcmp(before, after) != 0;
}

static void tell_connection(struct pgc_script *script, bool new_place) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    const struct pgc_conn *conn = script->conn;
    pgc_buf_putf(&text, "You are now connected to database \"%s\" as user \"%s\"", pgc_conn_dbname(conn),
                 pgc_conn_user(conn));
    const char *host = pgc_conn_host(conn);
    if (new_place)
        pgc_buf_putf(&text, " %s \"%s\" at port \"%s\"", host[0] == '/' ? "via socket in" : "on host", host,
                     pgc_conn_port(conn));
    pgc_buf_puts(&text, ".\n");
    pgc__script_put(script, text.data, text.len);
}

static void adopt(struct pgc_script *script, struct pgc_conn *conn) {
    bool new_place = script->conn != NULL && conn != NULL &&
                     (changed(pgc_conn_host(script->conn), pgc_conn_host(conn)) ||
                      changed(pgc_conn_port(script->conn), pgc_conn_port(conn)));
    struct pgc_conn *old = script->conn;
    bool owned = script->owns_conn;
    script->conn = conn;
    script->owns_conn = true;
    pgc__script_sync(script);
    if (conn != NULL && !pgc__script_quiet(script))
        tell_connection(script, new_place);
    if (old != NULL && owned)
        pgc_conn_free(old);
    else if (old != NULL)
        pgc_conn_on_notice(old, NULL, NULL);
}

static void on_notice(void *arg, const char *severity, const char *sqlstate, const char *message, const char *whole) {
    (void)severity;
    (void)sqlstate;
    (void)message;
    pgc__script_message(arg, PGC_ENGINE_PLAIN, whole);
}

static bool reconnect(struct pgc_script *script, const struct pgc_raw_target *target) {
    struct pgc_conn *conn = NULL;
    struct pgc_error err;
    if (!pgc__script_pipeline_drain(script))
        return false;
    if (pgc_raw_reopen(script->conn, target, script->rt, &conn, &err) == PGC_OK) {
        pgc_conn_on_notice(conn, on_notice, script);
        adopt(script, conn);
        return true;
    }
    if (err.code == PGC_E_CANCELLED) {
        script->fatal = true;
        script->err = err;
    }
    pgc__script_error(script, "\\connect: %s", err.message);
    /* going on in the database before would run the script where it does not belong */
    if (err.code != PGC_E_USAGE)
        adopt(script, NULL);
    return false;
}

static enum pgc_engine_status run_connect(struct pgc_engine *e, const char *name) {
    static const char prefix[] = "-reuse-previous=";
    struct pgc_raw_target target = { 0 };
    PGC_AUTO_FREE char *first = connect_argument(e);
    PGC_AUTO_FREE char *after_prefix = NULL;
    char *dbname = first;
    if (first != NULL && strncmp(first, prefix, sizeof prefix - 1) == 0) {
        bool on;
        if (!pgc_vars_parse_bool(first + sizeof prefix - 1, &on)) {
            pgc_engine_error(e, "unrecognized value \"%s\" for \"-reuse-previous\": Boolean expected",
                             first + sizeof prefix - 1);
            return PGC_ENGINE_ERROR;
        }
        target.reuse = on ? PGC_REUSE_ON : PGC_REUSE_OFF;
        dbname = after_prefix = connect_argument(e);
    }
    PGC_AUTO_FREE char *user = connect_argument(e);
    PGC_AUTO_FREE char *host = connect_argument(e);
    PGC_AUTO_FREE char *port = connect_argument(e);
    (void)name;
    target.dbname = dbname;
    target.user = user;
    target.host = host;
    target.port = port;
    return status_of(reconnect(pgc__script_of(e), &target));
}

/* --- \i and \ir ------------------------------------------------------------------------------------------ */

/* Beside the including file, when that one has a folder. */
static char *beside(const char *file, const char *path) {
    const char *slash = file != NULL ? strrchr(file, '/') : NULL;
    char *joined = NULL;
    if (path[0] == '/' || slash == NULL)
        return strdup(path);
    return asprintf(&joined, "%.*s%s", (int)(slash - file + 1), file, path) < 0 ? NULL : joined;
}

static char *home_expanded(const char *path) {
    char *joined = NULL;
    const char *home = getenv("HOME");
    if (path[0] != '~' || (path[1] != '/' && path[1] != '\0') || home == NULL)
        return strdup(path);
    return asprintf(&joined, "%s%s", home, path + 1) < 0 ? NULL : joined;
}

/* Without ./ in front, as messages show it. */
static const char *canonical(const char *path) {
    while (path[0] == '.' && path[1] == '/')
        for (path += 2; *path == '/'; path++)
            continue;
    return path;
}

static enum pgc_engine_status run_include(struct pgc_engine *e, const char *name) {
    const char *argument = pgc_engine_argument(e, PGC_ARG_NORMAL, true, NULL);
    if (argument == NULL)
        return missing(e, name);
    bool relative = strcmp(name, "ir") == 0 || strcmp(name, "include_relative") == 0;
    PGC_AUTO_FREE char *path = home_expanded(argument);
    PGC_AUTO_FREE char *place = path != NULL ? beside(relative ? e->file : NULL, canonical(path)) : NULL;
    if (place == NULL)
        return PGC_ENGINE_ERROR;
    struct pgc_script *script = pgc__script_of(e);
    int status = pgc__script_run_file(script, place, true);
    if (script->fatal) {
        e->failure = script->err.code;
        e->err = script->err;
    }
    return status_of(status == PGC_SCRIPT_DONE);
}

/* --- output ---------------------------------------------------------------------------------------------- */

static enum pgc_engine_status run_echo(struct pgc_engine *e, const char *name) {
    struct pgc_script *script = pgc__script_of(e);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    bool newline = true, first = true;
    const char *word;
    char quote;
    while ((word = pgc_engine_argument(e, PGC_ARG_NORMAL, false, &quote)) != NULL) {
        if (first && newline && quote == '\0' && strcmp(word, "-n") == 0) {
            newline = false;
            continue;
        }
        pgc_buf_puts(&text, first ? "" : " ");
        pgc_buf_puts(&text, word);
        first = false;
    }
    if (newline)
        pgc_buf_putc(&text, '\n');
    if (strcmp(name, "warn") == 0) {
        if (script->options.message != NULL)
            script->options.message(script->options.message_arg, text.data);
        return PGC_ENGINE_SKIP;
    }
    FILE *redirect = script->redirect;
    if (strcmp(name, "echo") == 0)
        script->redirect = NULL;
    pgc__script_put(script, text.data, text.len);
    script->redirect = redirect;
    return PGC_ENGINE_SKIP;
}

static enum pgc_engine_status run_output(struct pgc_engine *e, const char *name) {
    (void)name;
    struct pgc_script *script = pgc__script_of(e);
    const char *target = pgc_engine_argument(e, PGC_ARG_FILE, true, NULL);
    PGC_AUTO_FREE char *path = target != NULL ? home_expanded(target) : NULL;
    pgc__script_end_redirect(script);
    return status_of(path == NULL || pgc__script_redirect(script, path));
}

static enum pgc_engine_status run_reset(struct pgc_engine *e, const char *name) {
    (void)name;
    pgc_buf_clear(&e->query);
    pgc_lexer_reset(&e->lexer);
    if (!pgc__script_quiet(pgc__script_of(e)))
        pgc__script_puts(pgc__script_of(e), "Query buffer reset (cleared).\n");
    return PGC_ENGINE_SKIP;
}

static enum pgc_engine_status run_print(struct pgc_engine *e, const char *name) {
    (void)name;
    struct pgc_script *script = pgc__script_of(e);
    const struct pgc_buf *text = e->query.len > 0 ? &e->query : &e->previous;
    if (text->len > 0)
        pgc__script_puts(script, text->data), pgc__script_puts(script, "\n");
    else if (!pgc__script_quiet(script))
        pgc__script_puts(script, "Query buffer is empty.\n");
    return PGC_ENGINE_SKIP;
}

/* --- the rest -------------------------------------------------------------------------------------------- */

static enum pgc_engine_status run_copy(struct pgc_engine *e, const char *name) {
    (void)name;
    const char *text = pgc_engine_argument(e, PGC_ARG_LINE, false, NULL);
    PGC_AUTO_FREE char *copy = text != NULL ? strdup(text) : NULL;
    return status_of(pgc__script_slash_copy(pgc__script_of(e), copy));
}

static enum pgc_engine_status run_encoding(struct pgc_engine *e, const char *name) {
    (void)name;
    struct pgc_script *script = pgc__script_of(e);
    if (script->conn == NULL || !pgc__script_pipeline_drain(script))
        return PGC_ENGINE_ERROR;
    const char *encoding = pgc_engine_argument(e, PGC_ARG_NORMAL, false, NULL);
    if (encoding == NULL) {
        pgc__script_puts(script, pgc_raw_encoding(script->conn));
        pgc__script_puts(script, "\n");
        return PGC_ENGINE_SKIP;
    }
    if (!pgc_raw_set_encoding(script->conn, encoding)) {
        pgc_engine_error(e, "%s: invalid encoding name or conversion procedure not found", encoding);
        return PGC_ENGINE_SKIP;
    }
    pgc__script_set_now(script, "ENCODING", pgc_raw_encoding(script->conn));
    return PGC_ENGINE_SKIP;
}

static enum pgc_engine_status run_shell(struct pgc_engine *e, const char *name) {
    (void)name;
    struct pgc_script *script = pgc__script_of(e);
    const char *command = pgc_engine_argument(e, PGC_ARG_LINE, false, NULL);
    if (!script->options.allow_shell) {
        pgc_engine_error(e, "\\!: no shell is run here (--allow-shell)");
        return PGC_ENGINE_ERROR;
    }
    pgc__script_flush(script);
    int status = command != NULL ? system(command) : 0;
    if (status == -1 || (WIFEXITED(status) && WEXITSTATUS(status) == 127)) {
        pgc_engine_error(e, "\\!: failed");
        return PGC_ENGINE_ERROR;
    }
    return PGC_ENGINE_SKIP;
}

static enum pgc_engine_status run_cd(struct pgc_engine *e, const char *name) {
    const char *folder = pgc_engine_argument(e, PGC_ARG_NORMAL, true, NULL);
    folder = folder != NULL ? folder : getenv("HOME");
    if (folder != NULL && chdir(folder) == 0)
        return PGC_ENGINE_SKIP;
    pgc_engine_error(e, "\\%s: could not change directory to \"%s\": %m", name, folder != NULL ? folder : "");
    return PGC_ENGINE_ERROR;
}

static enum pgc_engine_status run_setenv(struct pgc_engine *e, const char *name) {
    PGC_AUTO_FREE char *variable = pgc_engine_argument_copy(e, PGC_ARG_NORMAL, false);
    if (variable == NULL)
        return missing(e, name);
    if (strchr(variable, '=') != NULL) {
        pgc_engine_error(e, "\\%s: environment variable name must not contain \"=\"", name);
        return PGC_ENGINE_ERROR;
    }
    const char *value = pgc_engine_argument(e, PGC_ARG_NORMAL, false, NULL);
    return status_of((value != NULL ? setenv(variable, value, 1) : unsetenv(variable)) == 0);
}

/* Reads a line of standard input into a variable. */
static enum pgc_engine_status run_prompt(struct pgc_engine *e, const char *name) {
    struct pgc_script *script = pgc__script_of(e);
    PGC_AUTO_FREE char *first = pgc_engine_argument_copy(e, PGC_ARG_NORMAL, false);
    PGC_AUTO_FREE char *second = pgc_engine_argument_copy(e, PGC_ARG_NORMAL, false);
    if (first == NULL)
        return missing(e, name);
    if (second != NULL)
        pgc__script_puts(script, first);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf line = PGC_BUF_INIT;
    struct pgc_error err;
    char c;
    size_t n = 1;
    while (script->options.in != NULL && pgc_source_get(script->options.in, &c, 1, &n, &err) == PGC_OK && n == 1 &&
           c != '\n')
        pgc_buf_putc(&line, c);
    return status_of(pgc_engine_set(e, second != NULL ? second : first, line.data));
}

static enum pgc_engine_status run_conninfo(struct pgc_engine *e, const char *name) {
    (void)name;
    struct pgc_script *script = pgc__script_of(e);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    if (script->conn == NULL) {
        pgc__script_puts(script, "You are currently not connected to a database.\n");
        return PGC_ENGINE_SKIP;
    }
    const char *host = pgc_conn_host(script->conn);
    pgc_buf_putf(&text, "You are connected to database \"%s\" as user \"%s\" %s \"%s\" at port \"%s\".\n",
                 pgc_conn_dbname(script->conn), pgc_conn_user(script->conn),
                 host[0] == '/' ? "via socket in" : "on host", host, pgc_conn_port(script->conn));
    pgc__script_put(script, text.data, text.len);
    return PGC_ENGINE_SKIP;
}

static enum pgc_engine_status run_refused(struct pgc_engine *e, const char *name) {
    pgc_engine_error(e, "\\%s is not served here: it needs a person at a terminal", name);
    return PGC_ENGINE_ERROR;
}

/* Commands without effect on a script. */
static enum pgc_engine_status run_nothing(struct pgc_engine *e, const char *name) {
    (void)name;
    while (pgc_engine_argument(e, PGC_ARG_NORMAL, false, NULL) != NULL)
        continue;
    return PGC_ENGINE_SKIP;
}

const struct pgc_engine_command pgc__script_commands[] = {
    { "c", PGC_IGNORE_ARGS, run_connect },
    { "connect", PGC_IGNORE_ARGS, run_connect },
    { "i", PGC_IGNORE_ARGS, run_include },
    { "include", PGC_IGNORE_ARGS, run_include },
    { "ir", PGC_IGNORE_ARGS, run_include },
    { "include_relative", PGC_IGNORE_ARGS, run_include },
    { "copy", PGC_IGNORE_LINE, run_copy },
    { "echo", PGC_IGNORE_ARGS, run_echo },
    { "qecho", PGC_IGNORE_ARGS, run_echo },
    { "warn", PGC_IGNORE_ARGS, run_echo },
    { "o", PGC_IGNORE_FILE, run_output },
    { "out", PGC_IGNORE_FILE, run_output },
    { "p", PGC_IGNORE_ARGS, run_print },
    { "print", PGC_IGNORE_ARGS, run_print },
    { "r", PGC_IGNORE_ARGS, run_reset },
    { "reset", PGC_IGNORE_ARGS, run_reset },
    { "encoding", PGC_IGNORE_ARGS, run_encoding },
    { "!", PGC_IGNORE_LINE, run_shell },
    { "cd", PGC_IGNORE_ARGS, run_cd },
    { "setenv", PGC_IGNORE_ARGS, run_setenv },
    { "prompt", PGC_IGNORE_ARGS, run_prompt },
    { "conninfo", PGC_IGNORE_ARGS, run_conninfo },
    { "password", PGC_IGNORE_ARGS, run_refused },
    { "e", PGC_IGNORE_ARGS, run_refused },
    { "edit", PGC_IGNORE_ARGS, run_refused },
    { "ef", PGC_IGNORE_LINE, run_refused },
    { "ev", PGC_IGNORE_LINE, run_refused },
    { "watch", PGC_IGNORE_ARGS, run_refused },
    { "crosstabview", PGC_IGNORE_ARGS, run_refused },
    { "errverbose", PGC_IGNORE_ARGS, run_nothing },
    { "s", PGC_IGNORE_ARGS, run_nothing },
    { "h", PGC_IGNORE_LINE, run_nothing },
    { "help", PGC_IGNORE_LINE, run_nothing },
    { "?", PGC_IGNORE_ARGS, run_nothing },
    { "timing", PGC_IGNORE_ARGS, pgc__script_display },
    { "pset", PGC_IGNORE_ARGS, pgc__script_display },
    { "x", PGC_IGNORE_ARGS, pgc__script_display },
    { "a", PGC_IGNORE_ARGS, pgc__script_display },
    { "t", PGC_IGNORE_ARGS, pgc__script_display },
    { "f", PGC_IGNORE_ARGS, pgc__script_display },
    { "C", PGC_IGNORE_ARGS, pgc__script_display },
    { "H", PGC_IGNORE_ARGS, pgc__script_display },
    { "html", PGC_IGNORE_ARGS, pgc__script_display },
    { "T", PGC_IGNORE_ARGS, pgc__script_display },
    { NULL, PGC_IGNORE_ARGS, NULL },
};
