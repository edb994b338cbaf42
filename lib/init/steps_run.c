#include "init/steps_run.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/csv.h"
#include "base/text.h"
#include "init/open.h"
#include "init/preflight.h"
#include "io/fd.h"
#include "io/file.h"
#include "os/spawn.h"
#include "pg/environ.h"
#include "script/runner.h"

#define HEADER_MAX ((size_t)1 << 20)

/* --- SQL -------------------------------------------------------------------------------------------- */

static void to_stderr(void *arg, const char *text) {
    (void)arg;
    struct pgc_error ignored;
    enum pgc_code code = pgc_fd_write_all(STDERR_FILENO, text, strlen(text), "standard error", &ignored);
    (void)code; /* nobody is left to tell */
}

/* Plain files go by their path, so that \ir is relative to them; compressed ones come as standard input, as the official image
 * pipes them. */
static enum pgc_code run_script(struct pgc_script *script, const struct pgc_init_step *step, struct pgc_error *err) {
    if (step->kind == PGC_INIT_SQL)
        return pgc_script_run_file(script, step->path, err);
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    enum pgc_code code = pgc_init_open_sql(step, &source, err);
    if (code == PGC_OK)
        code = pgc_script_run_source(script, source, NULL, err);
    return code == PGC_OK ? pgc_source_verify(source, err) : code;
}

static enum pgc_code run_sql(const struct pgc_init_run_options *options, const struct pgc_init_step *step,
                             const struct pgc_runtime *rt, int *status, struct pgc_error *err) {
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *out = NULL;
    PGC_AUTO(pgc_script_free) struct pgc_script *script = NULL;
    bool single = false;
    enum pgc_code code = options->transaction ? pgc_init_fits_transaction(step, &single, err) : PGC_OK;
    if (code == PGC_OK)
        code = pgc_fd_sink(STDOUT_FILENO, PGC_FD_BORROWED, "standard output", &out, err);
    struct pgc_script_options script_options = {
        .connect = options->conn,
        .on_error_stop = true,
        .single_transaction = single,
        .allow_shell = options->allow_shell,
        .out = out,
        .message = to_stderr,
    };
    if (code == PGC_OK)
        code = pgc_script_open(&script_options, rt, &script, err);
    if (code != PGC_OK)
        return code;
    code = pgc_script_begin(script, err);
    if (code == PGC_OK)
        code = run_script(script, step, err);
    struct pgc_error late;
    enum pgc_code ended = pgc_script_end(script, code == PGC_OK, code == PGC_OK ? err : &late);
    code = code == PGC_OK ? ended : code;
    *status = pgc_script_exit_status(script);
    if (code != PGC_OK && *status == 0)
        *status = pgc_code_exit_status(code);
    return code;
}

/* --- shell ------------------------------------------------------------------------------------------ */

static enum pgc_code set_connection(struct pgc_init_shell *shell, struct pgc_conn *conn, struct pgc_error *err) {
    PGC_CLEANUP(pgc_environ_release) struct pgc_strings settings = PGC_STRINGS_INIT;
    enum pgc_code code = pgc_conn_environ(conn, "pgc-init", &settings, err);
    for (size_t i = 0; code == PGC_OK && i < settings.count; i++) {
        const char *item = settings.items[i];
        const char *equals = strchr(item, '=');
        /* psql without --dbname goes to the database named like the user, as in the official image. */
        if (equals == NULL || strncmp(item, "PG", 2) != 0 || pgc_text_starts(item, "PGDATABASE="))
            continue;
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
        pgc_buf_put(&name, item, (size_t)(equals - item));
        code = pgc_init_env_set(&shell->env, name.data, equals + 1, err);
    }
    if (code == PGC_OK)
        code = pgc_init_env_set(&shell->env, "POSTGRES_USER", pgc_conn_user(conn), err);
    if (code == PGC_OK)
        code = pgc_init_env_set(&shell->env, "POSTGRES_DB", pgc_conn_dbname(conn), err);
    return code;
}

static enum pgc_code run_shell(const struct pgc_init_run_options *options, const struct pgc_init_step *step,
                               struct pgc_conn *conn, const struct pgc_runtime *rt, int *status,
                               struct pgc_error *err) {
    enum pgc_code code = set_connection(options->shell, conn, err);
    return code == PGC_OK ? pgc_init_shell_run(options->shell, step, rt, status, err) : code;
}

/* --- archives --------------------------------------------------------------------------------------- */

static char *unconst(const char *text) {
    return (char *)(size_t)text; /* execve's argv is not const, though nobody writes to it */
}

static enum pgc_code run_archive(const struct pgc_init_step *step, struct pgc_conn *conn, const struct pgc_runtime *rt,
                                 int *status, struct pgc_error *err) {
    PGC_CLEANUP(pgc_environ_release) struct pgc_strings env = PGC_STRINGS_INIT;
    PGC_AUTO_FREE char *dbname = pgc_conninfo_of_dbname(pgc_conn_dbname(conn));
    PGC_AUTO(pgc_child_free) struct pgc_child *child = NULL;
    enum pgc_code code = dbname == NULL ? pgc_fail_nomem(err) : pgc_conn_environ(conn, "pgc-init", &env, err);
    if (code != PGC_OK)
        return code;
    char *argv[] = { unconst("pg_restore"),
                     unconst("--exit-on-error"),
                     unconst("--no-password"),
                     unconst("-d"),
                     dbname,
                     unconst("--"),
                     step->path,
                     NULL };
    struct pgc_spawn spec = { .argv = argv, .env = env.items, .stdin_from = PGC_SPAWN_NULL };
    code = pgc_child_start(&spec, rt, &child, err);
    if (code == PGC_E_NOT_FOUND)
        return pgc_fail(err, PGC_E_CONFIG, "cannot restore '%s': pg_restore is not in PATH", step->path);
    if (code == PGC_OK)
        code = pgc_child_wait(child, err);
    *status = child != NULL ? pgc_child_status(child) : 1;
    return code;
}

/* --- csv -------------------------------------------------------------------------------------------- */

static enum pgc_code put_ident(struct pgc_conn *conn, const char *name, struct pgc_buf *sql, struct pgc_error *err) {
    PGC_AUTO_FREE char *ident = pgc_conn_quote_ident(conn, name);
    if (ident == NULL)
        return pgc_fail_nomem(err);
    pgc_buf_puts(sql, ident);
    return PGC_OK;
}

/* "dir/20_shop.orders.csv" is shop.orders. */
static enum pgc_code put_table(struct pgc_conn *conn, const char *name, struct pgc_buf *sql, struct pgc_error *err) {
    const char *slash = strrchr(name, '/');
    const char *base = slash != NULL ? slash + 1 : name;
    size_t number = strspn(base, "0123456789");
    base += number > 0 && (base[number] == '_' || base[number] == '-') ? number + 1 : 0;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf table = PGC_BUF_INIT;
    pgc_buf_put(&table, base, strlen(base) - strlen(".csv"));
    char *dot = strchr(table.data, '.');
    if (dot != NULL) {
        *dot = '\0';
        enum pgc_code code = put_ident(conn, table.data, sql, err);
        if (code != PGC_OK)
            return code;
        pgc_buf_putc(sql, '.');
    }
    return put_ident(conn, dot != NULL ? dot + 1 : table.data, sql, err);
}

static enum pgc_code csv_statement(struct pgc_conn *conn, const struct pgc_init_step *step, struct pgc_buf *sql,
                                   struct pgc_error *err) {
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings columns = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf head = PGC_BUF_INIT;
    enum pgc_code code = pgc_file_source(step->path, &source, err);
    size_t len = 0;
    char *room = pgc_buf_reserve(&head, HEADER_MAX);
    if (code == PGC_OK && room == NULL)
        code = pgc_fail_nomem(err);
    if (code == PGC_OK)
        code = pgc_source_fill(source, room, HEADER_MAX, &len, err);
    if (code == PGC_OK)
        code = pgc_csv_header(room, len, len < HEADER_MAX, ',', &columns, err);
    pgc_buf_puts(sql, "copy ");
    if (code == PGC_OK)
        code = put_table(conn, step->name, sql, err);
    for (size_t i = 0; code == PGC_OK && i < columns.count; i++) {
        pgc_buf_puts(sql, i == 0 ? " (" : ", ");
        code = put_ident(conn, columns.items[i], sql, err);
    }
    pgc_buf_puts(sql, ") from stdin (format csv, header true)");
    return code == PGC_OK ? pgc_buf_check(sql, err) : code;
}

static enum pgc_code run_csv(const struct pgc_init_run_options *options, const struct pgc_init_step *step,
                             const struct pgc_runtime *rt, int *status, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    *status = 1;
    enum pgc_code code = pgc_conn_open(&options->conn, rt, &conn, err);
    if (code == PGC_OK)
        code = csv_statement(conn, step, &sql, err);
    if (code == PGC_OK)
        code = pgc_file_source(step->path, &source, err);
    if (code == PGC_OK)
        code = pgc_conn_copy_in(conn, sql.data, &sink, err);
    if (code == PGC_OK)
        code = pgc_copy(source, sink, NULL, err);
    if (code == PGC_OK)
        *status = 0;
    return code;
}

/* --- together --------------------------------------------------------------------------------------- */

enum pgc_code pgc__init_run_step(const struct pgc_init_run_options *options, const struct pgc_init_step *step,
                                 struct pgc_conn *ledger, const struct pgc_runtime *rt, int *status,
                                 struct pgc_error *err) {
    switch (step->kind) {
    case PGC_INIT_SH_EXECUTED:
    case PGC_INIT_SH_SOURCED:
        return run_shell(options, step, ledger, rt, status, err);
    case PGC_INIT_ARCHIVE:
        return run_archive(step, ledger, rt, status, err);
    case PGC_INIT_CSV:
        return run_csv(options, step, rt, status, err);
    case PGC_INIT_IGNORED:
        return PGC_OK;
    default:
        return run_sql(options, step, rt, status, err);
    }
}
