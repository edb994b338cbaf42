/* COPY as a sink and as a source. */
#include <stdlib.h>
#include <string.h>

#include "pg/internal.h"

/* Sends the COPY command and waits for its first answer, which must be `wanted`. */
static enum pgc_code start_copy(struct pgc_conn *conn, const char *sql, ExecStatusType wanted, struct pgc_error *err) {
    enum pgc_code code = pgc__begin_command(conn, err);
    if (code != PGC_OK)
        return code;
    if (!PQsendQuery(conn->pg, sql))
        return pgc__fail_conn(conn, "cannot send to the server", err);
    struct pgc__wait wait = { conn, false };
    PGresult *result;
    code = pgc__next_result(&wait, &result, err);
    if (code != PGC_OK)
        return code;
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_FATAL_ERROR)
        code = pgc__fail_result(&wait, result, err);
    else if (status != wanted)
        code = pgc_fail(err, PGC_E_FAILED, "the statement is not the COPY that was expected");
    PQclear(result);
    if (code != PGC_OK) {
        if (status == PGRES_COPY_IN)
            PQputCopyEnd(conn->pg, "not wanted here");
        pgc__drain(conn);
    }
    return code;
}

/* Reads the final status of the COPY. */
static enum pgc_code end_copy(struct pgc_conn *conn, struct pgc_error *err) {
    struct pgc__wait wait = { conn, false };
    enum pgc_code verdict = PGC_OK;
    for (;;) {
        PGresult *result;
        struct pgc_error late;
        enum pgc_code code = pgc__next_result(&wait, &result, verdict == PGC_OK ? err : &late);
        if (code != PGC_OK)
            return verdict == PGC_OK ? code : verdict;
        if (result == NULL)
            return verdict;
        if (PQresultStatus(result) == PGRES_FATAL_ERROR && verdict == PGC_OK)
            verdict = pgc__fail_result(&wait, result, err);
        else
            conn->last_copy_rows = strtoull(PQcmdTuples(result), NULL, 10);
        PQclear(result);
    }
}

/* --- in --------------------------------------------------------------------------------------------- */

struct copy_in {
    struct pgc_sink base;
    struct pgc_conn *conn;
    struct pgc__wait wait;
    bool ended;
};

static enum pgc_code fail_in(struct copy_in *in, struct pgc_error *err) {
    in->ended = true;
    PQsetnonblocking(in->conn->pg, 0);
    enum pgc_code code = end_copy(in->conn, err);
    return code != PGC_OK ? code : pgc_fail(err, PGC_E_FAILED, "the server ended the copy early");
}

static enum pgc_code in_put(struct pgc_sink *sink, const void *data, size_t len, struct pgc_error *err) {
    struct copy_in *in = (struct copy_in *)sink;
    const char *p = data;
    while (len > 0) {
        size_t part = len < 65536 ? len : 65536;
        if (PQputCopyData(in->conn->pg, p, (int)part) < 0)
            return fail_in(in, err);
        p += part;
        len -= part;
        /* non-blocking libpq queues without bound: what is queued must be sent before more is read */
        enum pgc_code code = pgc__flush(&in->wait, err);
        if (code != PGC_OK)
            return code;
        if (in->wait.cancel_sent)
            return fail_in(in, err);
    }
    return PGC_OK;
}

static enum pgc_code in_commit(struct pgc_sink *sink, struct pgc_error *err) {
    struct copy_in *in = (struct copy_in *)sink;
    in->ended = true;
    PQsetnonblocking(in->conn->pg, 0);
    if (PQputCopyEnd(in->conn->pg, NULL) < 0)
        return pgc__fail_conn(in->conn, "cannot end the copy", err);
    return end_copy(in->conn, err);
}

static void in_drop(struct pgc_sink *sink) {
    struct copy_in *in = (struct copy_in *)sink;
    if (!in->ended && PQstatus(in->conn->pg) == CONNECTION_OK) {
        PQsetnonblocking(in->conn->pg, 0);
        PQputCopyEnd(in->conn->pg, "the client gave up");
        pgc__drain(in->conn);
    }
    free(in);
}

enum pgc_code pgc_conn_copy_in(struct pgc_conn *conn, const char *sql, struct pgc_sink **out, struct pgc_error *err) {
    static const struct pgc_sink_ops ops = { in_put, in_commit, in_drop };
    enum pgc_code code = start_copy(conn, sql, PGRES_COPY_IN, err);
    if (code != PGC_OK)
        return code;
    struct copy_in *in = calloc(1, sizeof *in);
    if (in == NULL) {
        PQputCopyEnd(conn->pg, "out of memory");
        pgc__drain(conn);
        return pgc_fail_nomem(err);
    }
    *in = (struct copy_in) { { &ops }, conn, { conn, false }, false };
    PQsetnonblocking(conn->pg, 1);
    *out = &in->base;
    return PGC_OK;
}

/* --- out -------------------------------------------------------------------------------------------- */

struct copy_out {
    struct pgc_source base;
    struct pgc_conn *conn;
    struct pgc__wait wait;
    char *row; /* libpq's memory, from `at` on not yet delivered */
    size_t at, len;
    bool ended;
};

static enum pgc_code next_row(struct copy_out *out, struct pgc_error *err) {
    PQfreemem(out->row);
    out->row = NULL;
    out->at = out->len = 0;
    for (;;) {
        int n = PQgetCopyData(out->conn->pg, &out->row, 1);
        if (n > 0) {
            out->len = (size_t)n;
            return PGC_OK;
        }
        if (n < 0) {
            out->ended = true;
            return end_copy(out->conn, err);
        }
        enum pgc_code code = pgc__wait_socket(&out->wait, false, err);
        if (code != PGC_OK)
            return code;
        if (!PQconsumeInput(out->conn->pg))
            return pgc__fail_conn(out->conn, "connection to the server lost", err);
    }
}

static enum pgc_code out_get(struct pgc_source *source, void *buf, size_t cap, size_t *len, struct pgc_error *err) {
    struct copy_out *out = (struct copy_out *)source;
    if (out->at == out->len && !out->ended) {
        enum pgc_code code = next_row(out, err);
        if (code != PGC_OK)
            return code;
    }
    size_t n = out->len - out->at < cap ? out->len - out->at : cap;
    if (n > 0)
        memcpy(buf, out->row + out->at, n);
    out->at += n;
    *len = n;
    return PGC_OK;
}

static void out_drop(struct pgc_source *source) {
    struct copy_out *out = (struct copy_out *)source;
    PQfreemem(out->row);
    if (!out->ended && PQstatus(out->conn->pg) == CONNECTION_OK) {
        PGcancel *cancel = PQgetCancel(out->conn->pg);
        char reason[256];
        if (cancel != NULL)
            PQcancel(cancel, reason, sizeof reason);
        PQfreeCancel(cancel);
        char *row;
        while (PQgetCopyData(out->conn->pg, &row, 0) > 0)
            PQfreemem(row);
        pgc__drain(out->conn);
    }
    free(out);
}

enum pgc_code pgc_conn_copy_out(struct pgc_conn *conn, const char *sql, struct pgc_source **out,
                                struct pgc_error *err) {
    static const struct pgc_source_ops ops = { out_get, NULL, out_drop };
    enum pgc_code code = start_copy(conn, sql, PGRES_COPY_OUT, err);
    if (code != PGC_OK)
        return code;
    struct copy_out *copy = calloc(1, sizeof *copy);
    if (copy == NULL)
        return pgc_fail_nomem(err);
    *copy = (struct copy_out) { .base = { &ops }, .conn = conn, .wait = { conn, false } };
    *out = &copy->base;
    return PGC_OK;
}

size_t pgc_conn_last_copy_rows(const struct pgc_conn *conn) {
    return conn->last_copy_rows;
}
