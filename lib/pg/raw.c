#include "pg/raw.h"

#include <stdlib.h>
#include <string.h>

#include "pg/internal.h"

/* A PGresult under another name: nothing is wrapped, nothing can fail. */
static PGresult *unwrap(const struct pgc_raw_result *result) {
    return (PGresult *)(uintptr_t)result;
}

enum pgc_code pgc_raw_send(struct pgc_conn *conn, const char *sql, struct pgc_error *err) {
    enum pgc_code code = pgc__begin_command(conn, err);
    if (code == PGC_OK && !PQsendQuery(conn->pg, sql))
        code = pgc__fail_conn(conn, "cannot send to the server", err);
    return code;
}

enum pgc_code pgc_raw_next(struct pgc_conn *conn, struct pgc_raw_result **result, struct pgc_error *err) {
    struct pgc__wait wait = { conn, false };
    PGresult *next = NULL;
    pgc_raw_result_free(*result);
    *result = NULL;
    enum pgc_code code = pgc__next_result(&wait, &next, err);
    *result = (struct pgc_raw_result *)next;
    return code;
}

void pgc_raw_result_free(struct pgc_raw_result *result) {
    PQclear(unwrap(result));
}

enum pgc_raw_kind pgc_raw_kind(const struct pgc_raw_result *result) {
    switch (PQresultStatus(unwrap(result))) {
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
        return PGC_RAW_ROWS;
    case PGRES_COMMAND_OK:
        return PGC_RAW_COMMAND;
    case PGRES_EMPTY_QUERY:
        return PGC_RAW_EMPTY;
    case PGRES_COPY_IN:
        return PGC_RAW_COPY_IN;
    case PGRES_COPY_OUT:
        return PGC_RAW_COPY_OUT;
    case PGRES_PIPELINE_ABORTED:
        return PGC_RAW_ABORTED;
    case PGRES_PIPELINE_SYNC:
        return PGC_RAW_SYNC;
    default:
        return PGC_RAW_FAILED;
    }
}

size_t pgc_raw_rows(const struct pgc_raw_result *result) {
    return (size_t)PQntuples(unwrap(result));
}

size_t pgc_raw_columns(const struct pgc_raw_result *result) {
    return (size_t)PQnfields(unwrap(result));
}

const char *pgc_raw_column(const struct pgc_raw_result *result, size_t column) {
    const char *name = PQfname(unwrap(result), (int)column);
    return name != NULL ? name : "";
}

unsigned pgc_raw_column_type(const struct pgc_raw_result *result, size_t column) {
    return PQftype(unwrap(result), (int)column);
}

const char *pgc_raw_value(const struct pgc_raw_result *result, size_t row, size_t column) {
    return PQgetvalue(unwrap(result), (int)row, (int)column);
}

bool pgc_raw_null(const struct pgc_raw_result *result, size_t row, size_t column) {
    return PQgetisnull(unwrap(result), (int)row, (int)column) != 0;
}

bool pgc_raw_binary(const struct pgc_raw_result *result) {
    return PQbinaryTuples(unwrap(result)) != 0;
}

const char *pgc_raw_tag(const struct pgc_raw_result *result) {
    return PQcmdStatus(unwrap(result));
}

const char *pgc_raw_affected(const struct pgc_raw_result *result) {
    return PQcmdTuples(unwrap(result));
}

unsigned pgc_raw_oid(const struct pgc_raw_result *result) {
    return PQoidValue(unwrap(result));
}

static const char *field(const struct pgc_raw_result *result, int which) {
    const char *text = PQresultErrorField(unwrap(result), which);
    return text != NULL ? text : "";
}

const char *pgc_raw_message(const struct pgc_raw_result *result) {
    return PQresultErrorMessage(unwrap(result));
}

const char *pgc_raw_primary(const struct pgc_raw_result *result) {
    const char *primary = field(result, PG_DIAG_MESSAGE_PRIMARY);
    return primary[0] != '\0' ? primary : PQresultErrorMessage(unwrap(result));
}

const char *pgc_raw_sqlstate(const struct pgc_raw_result *result) {
    return field(result, PG_DIAG_SQLSTATE);
}

const char *pgc_raw_connection_message(const struct pgc_conn *conn) {
    return PQerrorMessage(conn->pg);
}

/* --- COPY ------------------------------------------------------------------------------------------- */

enum pgc_code pgc_raw_copy_put(struct pgc_conn *conn, const void *data, size_t len, struct pgc_error *err) {
    enum pgc_code code = pgc__begin_command(conn, err);
    struct pgc__wait wait = { conn, false };
    if (code != PGC_OK)
        return code;
    /* libpq's own blocking mode would not see a signal; its non-blocking mode queues without bound unless flushed */
    PQsetnonblocking(conn->pg, 1);
    int state = PQputCopyData(conn->pg, data, (int)len);
    code = state < 0 ? pgc__fail_conn(conn, "connection to the server lost", err) : pgc__flush(&wait, err);
    PQsetnonblocking(conn->pg, 0);
    return code;
}

enum pgc_code pgc_raw_copy_end(struct pgc_conn *conn, const char *reason, struct pgc_error *err) {
    return PQputCopyEnd(conn->pg, reason) < 0 ? pgc__fail_conn(conn, "cannot end the copy", err) : PGC_OK;
}

enum pgc_code pgc_raw_copy_get(struct pgc_conn *conn, char **data, size_t *len, struct pgc_error *err) {
    struct pgc__wait wait = { conn, false };
    PQfreemem(*data);
    *data = NULL;
    *len = 0;
    for (;;) {
        int n = PQgetCopyData(conn->pg, data, 1);
        if (n > 0)
            *len = (size_t)n;
        if (n != 0)
            return PGC_OK;
        enum pgc_code code = pgc__wait_socket(&wait, false, err);
        if (code != PGC_OK)
            return code;
        if (!PQconsumeInput(conn->pg))
            return pgc__fail_conn(conn, "connection to the server lost", err);
    }
}

/* --- pipeline --------------------------------------------------------------------------------------- */

enum pgc_code pgc_raw_pipeline_begin(struct pgc_conn *conn, struct pgc_error *err) {
    if (!PQenterPipelineMode(conn->pg))
        return pgc__fail_conn(conn, "cannot enter pipeline mode", err);
    PQsetnonblocking(conn->pg, 1);
    return PGC_OK;
}

enum pgc_code pgc_raw_pipeline_send(struct pgc_conn *conn, const char *sql, struct pgc_error *err) {
    enum pgc_code code = pgc__begin_command(conn, err);
    if (code == PGC_OK && !PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 0))
        code = pgc__fail_conn(conn, "cannot send to the server", err);
    return code;
}

enum pgc_code pgc_raw_pipeline_sync(struct pgc_conn *conn, struct pgc_error *err) {
    struct pgc__wait wait = { conn, false };
    if (!PQpipelineSync(conn->pg))
        return pgc__fail_conn(conn, "cannot send to the server", err);
    return pgc__flush(&wait, err);
}

enum pgc_code pgc_raw_pipeline_end(struct pgc_conn *conn, struct pgc_error *err) {
    PQsetnonblocking(conn->pg, 0);
    return PQexitPipelineMode(conn->pg) ? PGC_OK : pgc__fail_conn(conn, "cannot leave pipeline mode", err);
}

/* --- settings --------------------------------------------------------------------------------------- */

void pgc_raw_set_verbosity(struct pgc_conn *conn, const char *verbosity, const char *context) {
    static const struct {
        const char *name;
        int value;
    } verbosities[] = { { "terse", PQERRORS_TERSE },
                        { "verbose", PQERRORS_VERBOSE },
                        { "sqlstate", PQERRORS_SQLSTATE },
                        { "default", PQERRORS_DEFAULT } };
    for (size_t i = 0; i < sizeof verbosities / sizeof verbosities[0]; i++)
        if (strcmp(verbosity, verbosities[i].name) == 0)
            PQsetErrorVerbosity(conn->pg, (PGVerbosity)verbosities[i].value);
    PQsetErrorContextVisibility(conn->pg, strcmp(context, "never") == 0    ? PQSHOW_CONTEXT_NEVER
                                          : strcmp(context, "always") == 0 ? PQSHOW_CONTEXT_ALWAYS
                                                                           : PQSHOW_CONTEXT_ERRORS);
}

const char *pgc_raw_encoding(const struct pgc_conn *conn) {
    return pg_encoding_to_char(PQclientEncoding(conn->pg));
}

bool pgc_raw_set_encoding(struct pgc_conn *conn, const char *name) {
    return PQsetClientEncoding(conn->pg, name) == 0;
}

int pgc_raw_char_width(const struct pgc_conn *conn, const char *text, size_t *bytes) {
    int encoding = PQclientEncoding(conn->pg);
    int n = PQmblen(text, encoding);
    *bytes = n > 0 ? strnlen(text, (size_t)n) : 1;
    int width = PQdsplen(text, encoding);
    return width > 0 ? width : 0;
}
