#include "lint/server.h"

#include <stdlib.h>
#include <string.h>

#include "sql_embedded.h"

struct pgc_lint_server {
    int version;
    struct pgc_rows *tables;      /* schema, table, visible, rows, bytes */
    struct pgc_rows *columns;     /* schema, table, column, visible, type */
    struct pgc_rows *constraints; /* schema, table, constraint, visible, kind */
};

void pgc_lint_server_free(struct pgc_lint_server *server) {
    if (server == NULL)
        return;
    pgc_rows_free(server->tables);
    pgc_rows_free(server->columns);
    pgc_rows_free(server->constraints);
    free(server);
}

enum pgc_code pgc_lint_server_read(struct pgc_conn *conn, struct pgc_lint_server **out, struct pgc_error *err) {
    PGC_AUTO(pgc_lint_server_free) struct pgc_lint_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return pgc_fail_nomem(err);
    server->version = pgc_conn_server_version(conn) / 10000;
    enum pgc_code code = pgc_conn_query(conn, pgc_sql_lint_list_tables, NULL, 0, &server->tables, err);
    if (code == PGC_OK)
        code = pgc_conn_query(conn, pgc_sql_lint_list_columns, NULL, 0, &server->columns, err);
    if (code == PGC_OK)
        code = pgc_conn_query(conn, pgc_sql_lint_list_constraints, NULL, 0, &server->constraints, err);
    if (code != PGC_OK)
        return pgc_wrap(err, "cannot read the catalogs");
    *out = server;
    server = NULL;
    return PGC_OK;
}

/* The rows are sorted by table and member (NULL: none), in byte order: finds the first that may be meant. With a schema it
 * must be that one, without it the table must be visible. Returns the row count when there is none. */
static size_t find(const struct pgc_rows *rows, const char *schema, const char *table, const char *member) {
    size_t low = 0, count = pgc_rows_count(rows), high = count, visible = member == NULL ? 2 : 3;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(pgc_rows_text(rows, middle, 1), table);
        if (order == 0 && member != NULL)
            order = strcmp(pgc_rows_text(rows, middle, 2), member);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < count && strcmp(pgc_rows_text(rows, low, 1), table) == 0 &&
           (member == NULL || strcmp(pgc_rows_text(rows, low, 2), member) == 0);
         low++)
        if (schema != NULL ? strcmp(pgc_rows_text(rows, low, 0), schema) == 0 : pgc_rows_bool(rows, low, visible))
            return low;
    return count;
}

static struct pgc_lint_table table(void *arg, const char *schema, const char *name) {
    const struct pgc_lint_server *server = arg;
    size_t row = find(server->tables, schema, name, NULL);
    if (row == pgc_rows_count(server->tables))
        return (struct pgc_lint_table) { .exists = false, .rows = -1 };
    return (struct pgc_lint_table) { true, pgc_rows_int(server->tables, row, 3), pgc_rows_int(server->tables, row, 4) };
}

static const char *column_type(void *arg, const char *schema, const char *name, const char *column) {
    const struct pgc_lint_server *server = arg;
    size_t row = find(server->columns, schema, name, column);
    return row == pgc_rows_count(server->columns) ? NULL : pgc_rows_text(server->columns, row, 4);
}

static char constraint_kind(void *arg, const char *schema, const char *name, const char *constraint) {
    const struct pgc_lint_server *server = arg;
    size_t row = find(server->constraints, schema, name, constraint);
    return row == pgc_rows_count(server->constraints) ? '\0' : pgc_rows_text(server->constraints, row, 4)[0];
}

struct pgc_lint_catalog pgc_lint_server_catalog(struct pgc_lint_server *server) {
    return (struct pgc_lint_catalog) { server, table, column_type, constraint_kind };
}

int pgc_lint_server_version(const struct pgc_lint_server *server) {
    return server->version;
}
