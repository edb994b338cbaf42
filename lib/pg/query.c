#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "pg/internal.h"

static bool is_failure(const PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
}

/* Reads all results of a command; keeps the last in *keep (NULL: none is kept), the first error in err. */
static enum pgc_code read_results(struct pgc_conn *conn, PGresult **keep, struct pgc_error *err) {
    struct pgc__wait wait = { conn, false };
    enum pgc_code verdict = PGC_OK;
    conn->finished = conn->position = 0;
    for (;;) {
        PGresult *result;
        struct pgc_error late;
        enum pgc_code code = pgc__next_result(&wait, &result, verdict == PGC_OK ? err : &late);
        if (code != PGC_OK)
            return verdict == PGC_OK ? code : verdict;
        if (result == NULL)
            return verdict;
        if (is_failure(result) && verdict == PGC_OK) {
            const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
            conn->position = position == NULL ? 0 : strtoul(position, NULL, 10);
            verdict = pgc__fail_result(&wait, result, err);
        } else if (verdict == PGC_OK) {
            conn->finished++;
        }
        if (PQresultStatus(result) == PGRES_COPY_IN)
            PQputCopyEnd(conn->pg, "COPY FROM STDIN has no data here");
        if (PQresultStatus(result) == PGRES_COPY_OUT) {
            char *row;
            while (PQgetCopyData(conn->pg, &row, 0) > 0)
                PQfreemem(row);
        }
        if (keep != NULL && !is_failure(result)) {
            PQclear(*keep);
            *keep = result;
        } else {
            PQclear(result);
        }
    }
}

enum pgc_code pgc_conn_exec(struct pgc_conn *conn, const char *sql, struct pgc_error *err) {
    enum pgc_code code = pgc__begin_command(conn, err);
    if (code != PGC_OK)
        return code;
    if (!PQsendQuery(conn->pg, sql))
        return pgc__fail_conn(conn, "cannot send to the server", err);
    return read_results(conn, NULL, err);
}

void pgc_conn_last_fault(const struct pgc_conn *conn, size_t *finished, size_t *position) {
    *finished = conn->finished;
    *position = conn->position;
}

void pgc_conn_shield(struct pgc_conn *conn, bool on) {
    conn->shielded = on;
}

enum pgc_code pgc_conn_execf(struct pgc_conn *conn, struct pgc_error *err, const char *format, ...) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    va_list args;
    va_start(args, format);
    pgc_buf_vputf(&sql, format, args);
    va_end(args);
    enum pgc_code code = pgc_buf_check(&sql, err);
    return code != PGC_OK ? code : pgc_conn_exec(conn, sql.data, err);
}

enum pgc_code pgc_conn_query(struct pgc_conn *conn, const char *sql, const char *const *params, size_t param_count,
                             struct pgc_rows **rows, struct pgc_error *err) {
    enum pgc_code code = pgc__begin_command(conn, err);
    if (code != PGC_OK)
        return code;
    if (!PQsendQueryParams(conn->pg, sql, (int)param_count, NULL, params, NULL, NULL, 0))
        return pgc__fail_conn(conn, "cannot send to the server", err);
    PGresult *result = NULL;
    code = read_results(conn, &result, err);
    if (code != PGC_OK || rows == NULL) {
        PQclear(result);
        return code;
    }
    return pgc__wrap_rows(result, rows, err);
}

enum pgc_code pgc_conn_query_text(struct pgc_conn *conn, const char *sql, const char *const *params, size_t param_count,
                                  char **out, struct pgc_error *err) {
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    *out = NULL;
    enum pgc_code code = pgc_conn_query(conn, sql, params, param_count, &rows, err);
    if (code != PGC_OK || pgc_rows_count(rows) == 0 || pgc_rows_null(rows, 0, 0))
        return code;
    *out = strdup(pgc_rows_text(rows, 0, 0));
    return *out != NULL ? PGC_OK : pgc_fail_nomem(err);
}

enum pgc_code pgc_conn_set_password(struct pgc_conn *conn, const char *role, const char *password,
                                    struct pgc_error *err) {
    char *verifier = PQencryptPasswordConn(conn->pg, password, role, NULL);
    if (verifier == NULL)
        return pgc__fail_conn(conn, "cannot make a password verifier", err);
    PGC_AUTO_FREE char *ident = pgc_conn_quote_ident(conn, role);
    PGC_AUTO_FREE char *literal = pgc_conn_quote_literal(conn, verifier);
    PQfreemem(verifier);
    if (ident == NULL || literal == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = pgc_conn_execf(conn, err, "alter role %s password %s", ident, literal);
    return code == PGC_OK ? PGC_OK : pgc_wrap(err, "cannot set the password of '%s'", role);
}

/* --- pipeline --------------------------------------------------------------------------------------- */

/* Reads until the sync point. The first failure wins; the statements after it come back as aborted. */
static enum pgc_code read_pipeline(struct pgc_conn *conn, struct pgc_statement *statements, size_t count,
                                   size_t *failed, struct pgc_error *err) {
    struct pgc__wait wait = { conn, false };
    enum pgc_code verdict = PGC_OK;
    size_t at = 0;
    for (;;) {
        PGresult *result;
        struct pgc_error late;
        enum pgc_code code = pgc__next_result(&wait, &result, verdict == PGC_OK ? err : &late);
        if (code != PGC_OK)
            return verdict == PGC_OK ? code : verdict;
        if (result == NULL) { /* end of one statement */
            at++;
            continue;
        }
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            return verdict;
        }
        if (is_failure(result) && verdict == PGC_OK) {
            verdict = pgc__fail_result(&wait, result, err);
            *failed = at < count ? at : count - 1;
        }
        if (at >= count || is_failure(result) || status == PGRES_PIPELINE_ABORTED || statements[at].rows != NULL) {
            PQclear(result);
        } else {
            code = pgc__wrap_rows(result, &statements[at].rows, verdict == PGC_OK ? err : &late);
            verdict = verdict == PGC_OK ? code : verdict;
        }
    }
}

enum pgc_code pgc_conn_pipeline(struct pgc_conn *conn, struct pgc_statement *statements, size_t count, size_t *failed,
                                struct pgc_error *err) {
    *failed = 0;
    for (size_t i = 0; i < count; i++)
        statements[i].rows = NULL;
    enum pgc_code code = pgc__begin_command(conn, err);
    if (code != PGC_OK)
        return code;
    /* Non-blocking while sending: with both directions full, two blocking writers would wait for each other. */
    bool sent = PQenterPipelineMode(conn->pg) && PQsetnonblocking(conn->pg, 1) == 0;
    for (size_t i = 0; sent && i < count; i++)
        sent = PQsendQueryParams(conn->pg, statements[i].sql, (int)statements[i].param_count, NULL,
                                 statements[i].params, NULL, NULL, 0);
    sent = sent && PQpipelineSync(conn->pg);
    code = sent ? read_pipeline(conn, statements, count, failed, err)
                : pgc__fail_conn(conn, "cannot send to the server", err);
    PQsetnonblocking(conn->pg, 0);
    if (PQstatus(conn->pg) == CONNECTION_OK)
        PQexitPipelineMode(conn->pg);
    for (size_t i = 0; code != PGC_OK && i < count; i++) {
        pgc_rows_free(statements[i].rows);
        statements[i].rows = NULL;
    }
    return code;
}

/* --- rows ------------------------------------------------------------------------------------------- */

size_t pgc_rows_count(const struct pgc_rows *rows) {
    return rows == NULL ? 0 : (size_t)PQntuples(rows->result);
}

size_t pgc_rows_columns(const struct pgc_rows *rows) {
    return (size_t)PQnfields(rows->result);
}

const char *pgc_rows_column_name(const struct pgc_rows *rows, size_t column) {
    return PQfname(rows->result, (int)column);
}

const char *pgc_rows_text(const struct pgc_rows *rows, size_t row, size_t column) {
    return PQgetvalue(rows->result, (int)row, (int)column);
}

bool pgc_rows_null(const struct pgc_rows *rows, size_t row, size_t column) {
    return PQgetisnull(rows->result, (int)row, (int)column);
}

int64_t pgc_rows_int(const struct pgc_rows *rows, size_t row, size_t column) {
    return strtoll(pgc_rows_text(rows, row, column), NULL, 10);
}

bool pgc_rows_bool(const struct pgc_rows *rows, size_t row, size_t column) {
    return pgc_rows_text(rows, row, column)[0] == 't';
}

size_t pgc_rows_affected(const struct pgc_rows *rows) {
    return strtoull(PQcmdTuples(rows->result), NULL, 10);
}

void pgc_rows_free(struct pgc_rows *rows) {
    if (rows == NULL)
        return;
    PQclear(rows->result);
    free(rows);
}

/* --- transaction ------------------------------------------------------------------------------------ */

enum pgc_code pgc_tx_begin(struct pgc_tx *tx, struct pgc_conn *conn, struct pgc_error *err) {
    enum pgc_code code = pgc_conn_exec(conn, "begin", err);
    tx->conn = code == PGC_OK ? conn : NULL;
    return code;
}

enum pgc_code pgc_tx_commit(struct pgc_tx *tx, struct pgc_error *err) {
    if (pgc_conn_tx_status(tx->conn) == 'E')
        return pgc_fail(err, PGC_E_SQL, "the transaction has failed before and cannot be committed");
    enum pgc_code code = pgc_conn_exec(tx->conn, "commit", err);
    if (code == PGC_OK)
        tx->conn = NULL;
    return code;
}

void pgc_tx_rollback(struct pgc_tx *tx) {
    struct pgc_error ignored;
    if (tx->conn == NULL || pgc_conn_is_broken(tx->conn))
        return;
    bool shielded = tx->conn->shielded;
    tx->conn->shielded = true;
    enum pgc_code code = pgc_conn_exec(tx->conn, "rollback", &ignored);
    (void)code; /* a rollback that cannot be sent happens when the connection ends */
    tx->conn->shielded = shielded;
    tx->conn = NULL;
}
