/* The server that a restore writes to: is the database there, is it empty, does the server have what the backup needs. Nothing
 * is changed here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/restore_internal.h"
#include "sql_embedded.h"

enum pgc_code pgc__restore_connect(struct pgc__restore *r, const char *database, struct pgc_conn **out,
                                   struct pgc_error *err) {
    struct pgc_conn_options options = r->o->server;
    if (options.conninfo == NULL)
        options.conninfo = "postgres"; /* libpq looks for a connection string in the first dbname only */
    if (database != NULL)
        options.dbname = database;
    options.application_name = "pgc-restore";
    return pgc_conn_open(&options, r->rt, out, err);
}

/* Another database than the one that is restored: that one may have to be renamed. */
static enum pgc_code connect_maintenance(struct pgc__restore *r, struct pgc_error *err) {
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
    enum pgc_code code = pgc__restore_connect(r, NULL, &conn, err);
    if (code == PGC_E_NOT_FOUND)
        code = pgc__restore_connect(r, strcmp(r->o->into, "postgres") == 0 ? "template1" : "postgres", &conn, err);
    if (code == PGC_OK && strcmp(pgc_conn_dbname(conn), r->o->into) == 0) {
        pgc_conn_free(conn);
        conn = NULL;
        code = pgc__restore_connect(r, strcmp(r->o->into, "postgres") == 0 ? "template1" : "postgres", &conn, err);
    }
    if (code != PGC_OK)
        return code;
    r->conn = conn;
    conn = NULL;
    return pgc_conn_exec(r->conn, "set search_path = ''; set client_min_messages = warning", err);
}

static enum pgc_code database_exists(struct pgc__restore *r, const char *name, bool *out, struct pgc_error *err) {
    const char *params[] = { name };
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code =
        pgc_conn_query(r->conn, "select from pg_catalog.pg_database where datname = $1", params, 1, &rows, err);
    *out = code == PGC_OK && pgc_rows_count(rows) > 0;
    return code;
}

static enum pgc_code check_empty(struct pgc__restore *r, struct pgc_error *err) {
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc__restore_connect(r, r->o->into, &conn, err);
    if (code == PGC_OK)
        code = pgc_conn_query(conn, pgc_sql_restore_count_objects, NULL, 0, &rows, err);
    if (code != PGC_OK || pgc_rows_int(rows, 0, 0) == 0)
        return code;
    return pgc_fail(err, PGC_E_EXISTS,
                    "database '%s' is not empty: use --replace (it is kept under another name) or --clean", r->o->into);
}

/* What would keep the old database from being renamed is better known before hours of work. */
static enum pgc_code check_renameable(struct pgc__restore *r, struct pgc_error *err) {
    const char *params[] = { r->o->into };
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc_conn_query(
        r->conn, "select count(*) from pg_catalog.pg_prepared_xacts where database = $1", params, 1, &rows, err);
    if (code != PGC_OK || pgc_rows_int(rows, 0, 0) == 0)
        return code;
    return pgc_fail(err, PGC_E_EXISTS,
                    "database '%s' has %lld prepared transactions and cannot be replaced: end them first", r->o->into,
                    (long long)pgc_rows_int(rows, 0, 0));
}

enum pgc_code pgc__restore_check_target(struct pgc__restore *r, struct pgc_error *err) {
    const struct pgc_restore_options *o = r->o;
    enum pgc_code code = connect_maintenance(r, err);
    if (code == PGC_OK)
        code = database_exists(r, o->into, &r->exists, err);
    if (code != PGC_OK)
        return code;
    snprintf(r->name, sizeof r->name, "%s", o->into);
    r->makes = !r->exists || o->replace || o->scratch;
    if (!r->exists && !o->create && !o->replace)
        return pgc_fail(err, PGC_E_NOT_FOUND, "database '%s' does not exist: use --create", o->into);
    /* Single tables and data into a schema that stands are restored in one transaction: what is in the way stops it. */
    bool selective = o->data_only || (o->tables != NULL && o->tables->count > 0);
    if (!r->makes && !o->clean && !selective)
        return check_empty(r, err);
    return r->exists && o->replace ? check_renameable(r, err) : PGC_OK;
}

/* --- what the backup needs of the server --------------------------------------------------------------------- */

static bool is_partial(const struct pgc__restore *r) {
    return r->o->data_only || (r->o->tables != NULL && r->o->tables->count > 0);
}

/* Names of `wanted` that `sql` gives no row for, quoted and each once. */
static enum pgc_code find_missing(struct pgc__restore *r, const struct pgc_strings *wanted, const char *sql,
                                  struct pgc_strings *out, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < wanted->count; i++) {
        const char *params[] = { wanted->items[i] };
        PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
        if (pgc_strings_contain(out, params[0]))
            continue;
        code = pgc_conn_query(r->conn, sql, params, 1, &rows, err);
        if (code == PGC_OK && pgc_rows_count(rows) == 0)
            code = pgc_strings_add(out, params[0], err);
    }
    return code;
}

static void put_names(struct pgc_buf *out, const struct pgc_strings *names) {
    for (size_t i = 0; i < names->count; i++)
        pgc_buf_putf(out, "%s'%s'", i == 0 ? "" : ", ", names->items[i]);
}

static enum pgc_code missing_roles(struct pgc__restore *r, struct pgc_strings *out, struct pgc_error *err) {
    static const char sql[] = "select from pg_catalog.pg_roles where rolname = $1";
    enum pgc_code code = find_missing(r, &r->manifest->roles, sql, out, err);
    if (code == PGC_OK && r->makes && !r->o->no_properties && !is_partial(r))
        code = find_missing(r, &r->manifest->database_roles, sql, out, err);
    return code;
}

enum pgc_code pgc__restore_check_roles(struct pgc__restore *r, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings missing = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    enum pgc_code code = r->o->data_only ? PGC_OK : missing_roles(r, &missing, err);
    if (code != PGC_OK || missing.count == 0)
        return code;
    put_names(&text, &missing);
    r->roles_missing = true;
    if (!r->without_owner)
        return pgc_fail(
            err, PGC_E_CONFIG,
            "the server has no role %s, which the backup needs: use --globals, create it, or use --no-owner",
            text.data);
    if (r->without_privileges)
        return PGC_OK;
    r->without_privileges = true;
    return pgc_strings_addf(&r->result->warnings, err, "grants are left out: the server has no role %s", text.data);
}

enum pgc_code pgc__restore_check_extensions(struct pgc__restore *r, struct pgc_error *err) {
    static const char sql[] = "select from pg_catalog.pg_available_extensions where name = $1";
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings missing = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    enum pgc_code code = is_partial(r) ? PGC_OK : find_missing(r, &r->manifest->extensions, sql, &missing, err);
    if (code != PGC_OK || missing.count == 0)
        return code;
    put_names(&text, &missing);
    return pgc_fail(err, PGC_E_CONFIG, "the server has no extension %s, which the backup needs: install it there first",
                    text.data);
}

enum pgc_code pgc__restore_check_tablespaces(struct pgc__restore *r, struct pgc_error *err) {
    static const char sql[] = "select from pg_catalog.pg_tablespace where spcname = $1";
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings missing = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    bool needed = !r->o->no_tablespaces && !is_partial(r);
    enum pgc_code code = needed ? find_missing(r, &r->manifest->tablespaces, sql, &missing, err) : PGC_OK;
    if (code != PGC_OK || missing.count == 0)
        return code;
    put_names(&text, &missing);
    return pgc_fail(err, PGC_E_CONFIG,
                    "the server has no tablespace %s, which the backup needs: use --globals, create it, or use "
                    "--no-tablespaces",
                    text.data);
}

/* All or nothing where we did not make the database ourselves, unless that needs more locks than the server has. */
enum pgc_code pgc__restore_check_locks(struct pgc__restore *r, struct pgc_error *err) {
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    if (r->makes)
        return PGC_OK;
    if (r->o->jobs > 1)
        return pgc_strings_add(
            &r->result->warnings,
            "several jobs cannot share a transaction: what a failure leaves has to be removed by hand", err);
    enum pgc_code code = pgc_conn_query(r->conn, pgc_sql_restore_count_locks, NULL, 0, &rows, err);
    if (code != PGC_OK)
        return code;
    /* Half of them, as others hold some too; what is dropped first is locked as well. */
    int64_t wanted = pgc_toc_locks(&r->toc) * (r->o->clean ? 2 : 1), all = pgc_rows_int(rows, 0, 0);
    r->one_transaction = wanted <= all / 2;
    if (r->one_transaction)
        return PGC_OK;
    return pgc_strings_addf(&r->result->warnings, err,
                            "not in one transaction: that would take about %lld locks, the server has %lld "
                            "(max_locks_per_transaction); what a failure leaves has to be removed by hand",
                            (long long)wanted, (long long)all);
}
