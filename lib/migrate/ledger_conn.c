#include "migrate/ledger_conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "migrate/dialect_ledger.h"
#include "sql_embedded.h"

static char *copy_text(const struct pgc_rows *rows, size_t row, size_t column) {
    return pgc_rows_null(rows, row, column) ? NULL : strdup(pgc_rows_text(rows, row, column));
}

/* Columns as in sql/migrate_read_ledger.sql. */
static enum pgc_code take_row(const struct pgc_rows *rows, size_t i, struct pgc_ledger *out, struct pgc_error *err) {
    struct pgc_ledger_row *row = pgc_ledger_add(out);
    if (row == NULL)
        return pgc_fail_nomem(err);
    row->version = copy_text(rows, i, 0);
    row->name = copy_text(rows, i, 1);
    row->file = copy_text(rows, i, 2);
    row->checksum = copy_text(rows, i, 3);
    if (!pgc_ledger_state_parse(pgc_rows_text(rows, i, 4), &row->state))
        return pgc_fail(err, PGC_E_VERSION, "the ledger has a row in state '%s', which this version does not know",
                        pgc_rows_text(rows, i, 4));
    row->applied_at = copy_text(rows, i, 5);
    row->who = copy_text(rows, i, 6);
    row->duration_ms = pgc_rows_null(rows, i, 7) ? -1 : pgc_rows_int(rows, i, 7);
    if (pgc_rows_columns(rows) < 15)
        return PGC_OK;
    row->done = (size_t)pgc_rows_int(rows, i, 8);
    row->done_checksum = copy_text(rows, i, 9);
    row->in_flight = pgc_rows_bool(rows, i, 10);
    row->tool = copy_text(rows, i, 11);
    row->started_at = copy_text(rows, i, 12);
    row->error = copy_text(rows, i, 13);
    out->backend_pid = (int)pgc_rows_int(rows, i, 14);
    return PGC_OK;
}

static enum pgc_code take_rows(const struct pgc_rows *rows, struct pgc_ledger *out, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    out->exists = true;
    for (size_t i = 0; code == PGC_OK && i < pgc_rows_count(rows); i++)
        code = take_row(rows, i, out, err);
    return code;
}

static bool is_missing(const struct pgc_error *err) {
    return strcmp(err->sqlstate, "42P01") == 0 || strcmp(err->sqlstate, "3F000") == 0;
}

enum pgc_code pgc_ledger_read(struct pgc_conn *conn, const struct pgc_ledger_native *native, bool times,
                              struct pgc_ledger *out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    pgc_ledger_sql(&sql, native, times ? pgc_sql_migrate_read_ledger : pgc_sql_migrate_read_keys);
    enum pgc_code code = pgc_buf_check(&sql, err);
    if (code == PGC_OK)
        code = pgc_conn_query(conn, sql.data, NULL, 0, &rows, err);
    if (code == PGC_E_SQL && is_missing(err))
        return PGC_OK;
    if (code != PGC_OK)
        return pgc_wrap(err, "cannot read the ledger in schema '%s'", native->schema);
    return take_rows(rows, out, err);
}

/* Errors that mean: somebody else has just created it. */
static bool is_there(const struct pgc_error *err) {
    static const char *const states[] = { "42P06", "42P07", "23505", "42710" };
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (strcmp(err->sqlstate, states[i]) == 0)
            return true;
    }
    return false;
}

static enum pgc_code create(struct pgc_conn *conn, const struct pgc_ledger_native *native, const char *embedded,
                            struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    const char *params[] = { native->schema };
    PGC_AUTO_FREE char *schema = NULL;
    enum pgc_code code = pgc_conn_query_text(conn, "select oid::text from pg_catalog.pg_namespace where nspname = $1",
                                             params, 1, &schema, err);
    if (code != PGC_OK)
        return code;
    pgc_buf_puts(&sql, "set client_min_messages = warning;");
    /* "if not exists" asks for the right to create schemas even where it is there. */
    if (schema == NULL) {
        pgc_buf_puts(&sql, "create schema if not exists ");
        pgc_sql_ident(&sql, native->schema);
        pgc_buf_putc(&sql, ';');
    }
    pgc_ledger_sql(&sql, native, embedded);
    pgc_buf_puts(&sql, ";reset client_min_messages");
    code = pgc_buf_check(&sql, err);
    if (code == PGC_OK)
        code = pgc_conn_exec(conn, sql.data, err);
    return code;
}

static enum pgc_code create_again(struct pgc_conn *conn, const struct pgc_ledger_native *native, const char *embedded,
                                  struct pgc_error *err) {
    enum pgc_code code = create(conn, native, embedded, err);
    for (int i = 0; i < 5 && code == PGC_E_SQL && is_there(err); i++)
        code = create(conn, native, embedded, err);
    return code == PGC_OK ? code : pgc_wrap(err, "cannot create the ledger in schema '%s'", native->schema);
}

enum pgc_code pgc_ledger_create(struct pgc_conn *conn, const struct pgc_ledger_native *native, struct pgc_error *err) {
    return create_again(conn, native, pgc_sql_migrate_create_ledger, err);
}

enum pgc_code pgc_ledger_create_lease(struct pgc_conn *conn, const struct pgc_ledger_native *native,
                                      struct pgc_error *err) {
    return create_again(conn, native, pgc_sql_migrate_create_lease, err);
}

/* --- foreign ones ------------------------------------------------------------------------------------------ */

void pgc_ledger_found_release(struct pgc_ledger_found *found) {
    free(found->schema);
    free(found->table);
    free(found->qualified);
    free(found->database);
    free(found->columns);
    *found = (struct pgc_ledger_found)PGC_LEDGER_FOUND_INIT;
}

static enum pgc_code fill_place(struct pgc_ledger_found *out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf qualified = PGC_BUF_INIT;
    if (out->schema == NULL || out->table == NULL || out->database == NULL || out->columns == NULL)
        return pgc_fail_nomem(err);
    pgc_sql_ident(&qualified, out->schema);
    pgc_buf_putc(&qualified, '.');
    pgc_sql_ident(&qualified, out->table);
    out->qualified = pgc_buf_detach(&qualified);
    if (out->qualified == NULL)
        return pgc_fail_nomem(err);
    out->place = (struct pgc_ledger_place) { .schema = out->schema,
                                             .table = out->table,
                                             .qualified = out->qualified,
                                             .database = out->database,
                                             .columns = out->columns,
                                             .schema_exists = out->schema_exists };
    return PGC_OK;
}

enum pgc_code pgc_ledger_find(struct pgc_conn *conn, const struct pgc_dialect_ledger *dialect, const char *table,
                              struct pgc_ledger_found *out, struct pgc_error *err) {
    const char *dot = table == NULL ? NULL : strchr(table, '.');
    PGC_AUTO_FREE char *schema = dot != NULL ? strndup(table, (size_t)(dot - table)) : NULL;
    const char *name = dot != NULL ? dot + 1 : table != NULL ? table : dialect->table;
    const char *params[] = { name, schema != NULL ? schema : dialect->schema };
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc_conn_query(conn, pgc_sql_migrate_find_ledger, params, 2, &rows, err);
    if (code != PGC_OK)
        return pgc_wrap(err, "cannot look for the ledger '%s'", name);
    out->schema = strdup(pgc_rows_text(rows, 0, 0));
    out->database = strdup(pgc_rows_text(rows, 0, 1));
    out->columns = strdup(pgc_rows_text(rows, 0, 2));
    out->table = strdup(name);
    out->exists = !pgc_rows_null(rows, 0, 2);
    out->schema_exists = pgc_rows_bool(rows, 0, 3);
    code = fill_place(out, err);
    if (code == PGC_OK && out->exists && !dialect->recognise(out->columns))
        return pgc_fail(err, PGC_E_DATA, "the table %s is not a ledger of this format: its columns are %s",
                        out->qualified, out->columns);
    return code;
}

enum pgc_code pgc_ledger_read_foreign(struct pgc_conn *conn, const struct pgc_dialect_ledger *dialect,
                                      const struct pgc_ledger_found *found, struct pgc_ledger *out,
                                      struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    if (!found->exists)
        return PGC_OK;
    pgc_ledger_foreign_read(&sql, dialect, &found->place);
    enum pgc_code code = pgc_buf_check(&sql, err);
    if (code == PGC_OK)
        code = pgc_conn_query(conn, sql.data, NULL, 0, &rows, err);
    if (code != PGC_OK)
        return pgc_wrap(err, "cannot read the ledger %s", found->qualified);
    return take_rows(rows, out, err);
}

/* A table of the right name and columns: has it rows that count? */
static enum pgc_code try_candidate(struct pgc_conn *conn, const struct pgc_dialect *dialect,
                                   const struct pgc_rows *rows, size_t i, struct pgc_ledger_found *found, bool *counts,
                                   struct pgc_error *err) {
    struct pgc_ledger ledger = PGC_LEDGER_INIT;
    found->schema = strdup(pgc_rows_text(rows, i, 0));
    found->table = strdup(pgc_rows_text(rows, i, 1));
    found->columns = strdup(pgc_rows_text(rows, i, 2));
    found->database = strdup(pgc_conn_dbname(conn));
    found->exists = found->schema_exists = true;
    enum pgc_code code = fill_place(found, err);
    if (code == PGC_OK)
        code = pgc_ledger_read_foreign(conn, dialect->ledger, found, &ledger, err);
    *counts = code == PGC_OK && pgc_ledger_counts(&ledger);
    pgc_ledger_release(&ledger);
    return code;
}

enum pgc_code pgc_ledger_look_for_foreign(struct pgc_conn *conn, struct pgc_ledger_found *found,
                                          const struct pgc_dialect **dialect, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf tables = PGC_BUF_INIT;
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    *dialect = NULL;
    for (const struct pgc_dialect *const *d = pgc_dialects(); *d != NULL; d++) {
        if ((*d)->ledger != NULL)
            pgc_buf_putf(&tables, "%s%s", tables.len > 0 ? "," : "", (*d)->ledger->table);
    }
    const char *params[] = { tables.data };
    enum pgc_code code = pgc_buf_check(&tables, err);
    if (code == PGC_OK)
        code = pgc_conn_query(conn, pgc_sql_migrate_find_candidates, params, 1, &rows, err);
    for (size_t i = 0; code == PGC_OK && i < pgc_rows_count(rows); i++) {
        for (const struct pgc_dialect *const *d = pgc_dialects(); *d != NULL && code == PGC_OK; d++) {
            const struct pgc_dialect_ledger *ledger = (*d)->ledger;
            bool counts = false;
            if (ledger == NULL || strcmp(ledger->table, pgc_rows_text(rows, i, 1)) != 0 ||
                !ledger->recognise(pgc_rows_text(rows, i, 2)))
                continue;
            pgc_ledger_found_release(found);
            code = try_candidate(conn, *d, rows, i, found, &counts, err);
            if (counts) {
                *dialect = *d;
                return code;
            }
        }
    }
    return code;
}
