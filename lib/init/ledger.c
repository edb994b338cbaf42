#include "init/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql_embedded.h"

static const char *const status_names[] = { "started", "done", "failed" };

const char *pgc_init_status_name(enum pgc_init_status status) {
    return status_names[status];
}

static enum pgc_init_status status_of(const char *text) {
    for (size_t i = 0; i < 3; i++)
        if (strcmp(text, status_names[i]) == 0)
            return (enum pgc_init_status)i;
    return PGC_INIT_STARTED;
}

static void release_row(struct pgc_init_row *row) {
    free(row->name);
    free(row->sha256);
    free(row->how);
    free(row->started_at);
    free(row->finished_at);
    free(row->error);
}

void pgc_init_ledger_release(struct pgc_init_ledger *ledger) {
    for (size_t i = 0; i < ledger->count; i++)
        release_row(&ledger->rows[i]);
    free(ledger->rows);
    *ledger = (struct pgc_init_ledger)PGC_INIT_LEDGER_INIT;
}

static enum pgc_code add_row(struct pgc_init_ledger *ledger, const struct pgc_rows *rows, size_t r,
                             struct pgc_error *err) {
    if (!pgc_array_grow(&ledger->rows, &ledger->cap, ledger->count + 1, sizeof *ledger->rows))
        return pgc_fail_nomem(err);
    struct pgc_init_row *row = &ledger->rows[ledger->count++];
    *row = (struct pgc_init_row) {
        .name = strdup(pgc_rows_text(rows, r, 0)),
        .sha256 = strdup(pgc_rows_text(rows, r, 1)),
        .status = status_of(pgc_rows_text(rows, r, 2)),
        .how = strdup(pgc_rows_text(rows, r, 3)),
        .started_at = strdup(pgc_rows_text(rows, r, 4)),
        .finished_at = strdup(pgc_rows_text(rows, r, 5)),
        .duration_ms = pgc_rows_int(rows, r, 6),
        .error = strdup(pgc_rows_text(rows, r, 7)),
    };
    bool whole = row->name != NULL && row->sha256 != NULL && row->how != NULL && row->started_at != NULL &&
                 row->finished_at != NULL && row->error != NULL;
    return whole ? PGC_OK : pgc_fail_nomem(err);
}

enum pgc_code pgc_init_ledger_read(struct pgc_conn *conn, struct pgc_init_ledger *ledger, struct pgc_error *err) {
    pgc_init_ledger_release(ledger);
    PGC_AUTO(pgc_rows_free) struct pgc_rows *found = NULL;
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc_conn_query(conn, pgc_sql_init_find_ledger, NULL, 0, &found, err);
    if (code != PGC_OK || !pgc_rows_bool(found, 0, 0))
        return code;
    code = pgc_conn_query(conn, pgc_sql_init_list_rows, NULL, 0, &rows, err);
    for (size_t r = 0; code == PGC_OK && r < pgc_rows_count(rows); r++)
        code = add_row(ledger, rows, r, err);
    return code;
}

const struct pgc_init_row *pgc_init_ledger_find(const struct pgc_init_ledger *ledger, const char *name) {
    for (size_t i = 0; i < ledger->count; i++)
        if (strcmp(ledger->rows[i].name, name) == 0)
            return &ledger->rows[i];
    return NULL;
}

enum pgc_code pgc_init_ledger_create(struct pgc_conn *conn, struct pgc_error *err) {
    /* One statement set, one implicit transaction: the table is there with its comment or not at all. The notices
     * "already exists, skipping" are nobody's news. */
    enum pgc_code code = pgc_conn_exec(conn, "set client_min_messages = warning", err);
    if (code == PGC_OK)
        code = pgc_conn_exec(conn, pgc_sql_init_create_ledger, err);
    return code == PGC_OK ? PGC_OK : pgc_wrap(err, "cannot create the ledger pgc.init");
}

enum pgc_code pgc_init_ledger_start(struct pgc_conn *conn, const struct pgc_init_step *step, struct pgc_error *err) {
    const char *params[] = { step->name, step->sha256, pgc_init_kind_how(step->kind), PGC_VERSION };
    enum pgc_code code = pgc_conn_query(conn, pgc_sql_init_start_row, params, 4, NULL, err);
    return code == PGC_OK ? PGC_OK : pgc_wrap(err, "cannot write the ledger pgc.init");
}

enum pgc_code pgc_init_ledger_finish(struct pgc_conn *conn, const struct pgc_init_step *step, int64_t duration_ms,
                                     const char *error, struct pgc_error *err) {
    char ms[24];
    snprintf(ms, sizeof ms, "%" PRId64, duration_ms);
    const char *params[] = { step->name, status_names[error == NULL ? PGC_INIT_DONE : PGC_INIT_FAILED], ms, error };
    pgc_conn_shield(conn, true);
    enum pgc_code code = pgc_conn_query(conn, pgc_sql_init_finish_row, params, 4, NULL, err);
    pgc_conn_shield(conn, false);
    return code == PGC_OK ? PGC_OK : pgc_wrap(err, "cannot write the ledger pgc.init");
}
