/* Waiting for the server, and errors as the server tells them. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "pg/internal.h"

#define CANCEL_PATIENCE_MS 10000

enum pgc_code pgc__code_of_sqlstate(const char *sqlstate) {
    static const struct {
        const char *prefix;
        enum pgc_code code;
    } rows[] = { { "28", PGC_E_AUTH },         { "42501", PGC_E_AUTH },     { "55P03", PGC_E_LOCKED },
                 { "57P0", PGC_E_TEMPORARY },  { "08", PGC_E_TEMPORARY },   { "53300", PGC_E_TEMPORARY },
                 { "40001", PGC_E_TEMPORARY }, { "40P01", PGC_E_TEMPORARY } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strncmp(sqlstate, rows[i].prefix, strlen(rows[i].prefix)) == 0)
            return rows[i].code;
    return PGC_E_SQL;
}

static void ask_to_cancel(struct pgc_conn *conn) {
    char reason[256];
    PGcancel *cancel = PQgetCancel(conn->pg);
    if (cancel != NULL)
        PQcancel(cancel, reason, sizeof reason);
    PQfreeCancel(cancel);
}

static int poll_time(const struct pgc__wait *wait) {
    if (wait->cancel_sent)
        return CANCEL_PATIENCE_MS;
    return wait->conn->delay != NULL && !wait->conn->shielded ? (int)wait->conn->delay_ms : -1;
}

enum pgc_code pgc__wait_socket(struct pgc__wait *wait, bool writable, struct pgc_error *err) {
    struct pgc_conn *conn = wait->conn;
    for (;;) {
        if (!wait->cancel_sent && !conn->shielded && pgc_cancelled(conn->rt) != 0) {
            ask_to_cancel(conn);
            wait->cancel_sent = true;
        }
        struct pollfd fds[] = { { .fd = PQsocket(conn->pg), .events = (short)(POLLIN | (writable ? POLLOUT : 0)) },
                                { .fd = wait->cancel_sent || conn->shielded ? -1 : pgc_cancel_fd(conn->rt),
                                  .events = POLLIN } };
        int n = poll(fds, 2, poll_time(wait));
        if (n < 0 && errno != EINTR)
            return pgc_fail_errno(err, PGC_E_IO, "cannot wait for the server");
        if (n == 0 && !wait->cancel_sent)
            conn->delay(conn->delay_arg);
        else if (n == 0)
            return pgc_fail(err, PGC_E_CANCELLED, "interrupted; the server did not confirm the cancellation");
        if (n > 0 && fds[0].revents != 0)
            return PGC_OK;
    }
}

enum pgc_code pgc__flush(struct pgc__wait *wait, struct pgc_error *err) {
    for (;;) {
        int state = PQflush(wait->conn->pg);
        if (state == 0)
            return PGC_OK;
        if (state < 0)
            return pgc__fail_conn(wait->conn, "cannot send to the server", err);
        enum pgc_code code = pgc__wait_socket(wait, true, err);
        if (code != PGC_OK)
            return code;
        if (!PQconsumeInput(wait->conn->pg))
            return pgc__fail_conn(wait->conn, "connection to the server lost", err);
    }
}

enum pgc_code pgc__next_result(struct pgc__wait *wait, PGresult **result, struct pgc_error *err) {
    PGconn *pg = wait->conn->pg;
    *result = NULL;
    enum pgc_code code = pgc__flush(wait, err);
    while (code == PGC_OK && PQisBusy(pg)) {
        code = pgc__wait_socket(wait, false, err);
        if (code == PGC_OK && !PQconsumeInput(pg))
            return pgc__fail_conn(wait->conn, "connection to the server lost", err);
    }
    if (code == PGC_OK)
        *result = PQgetResult(pg);
    return code;
}

enum pgc_code pgc__fail_conn(struct pgc_conn *conn, const char *what, struct pgc_error *err) {
    const char *message = PQerrorMessage(conn->pg);
    size_t len = strcspn(message, "\n");
    enum pgc_code code = pgc_fail(err, PGC_E_TEMPORARY, "%s: %.*s", what, (int)len, message);
    if (pgc_cancelled(conn->rt) != 0 && !conn->shielded)
        code = err->code = PGC_E_CANCELLED;
    return code;
}

static void put_field(struct pgc_buf *text, const PGresult *result, int field, const char *label) {
    const char *value = PQresultErrorField(result, field);
    if (value != NULL)
        pgc_buf_putf(text, "; %s: %s", label, value);
}

enum pgc_code pgc__fail_result(struct pgc__wait *wait, const PGresult *result, struct pgc_error *err) {
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (sqlstate == NULL || primary == NULL) {
        const char *message = PQresultErrorMessage(result);
        return pgc_fail(err, PGC_E_TEMPORARY, "%.*s", (int)strcspn(message, "\n"),
                        message[0] != '\0' ? message : "connection to the server lost");
    }
    if (wait != NULL && wait->cancel_sent && strcmp(sqlstate, "57014") == 0)
        return pgc_check_cancelled(wait->conn->rt, err);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    pgc_buf_puts(&text, primary);
    put_field(&text, result, PG_DIAG_MESSAGE_DETAIL, "detail");
    put_field(&text, result, PG_DIAG_MESSAGE_HINT, "hint");
    enum pgc_code code = pgc_fail(err, pgc__code_of_sqlstate(sqlstate), "%s", text.data);
    memcpy(err->sqlstate, sqlstate, 5);
    err->sqlstate[5] = '\0';
    return code;
}

void pgc__drain(struct pgc_conn *conn) {
    PGresult *result;
    while ((result = PQgetResult(conn->pg)) != NULL) {
        ExecStatusType status = PQresultStatus(result);
        PQclear(result);
        if (status == PGRES_COPY_IN)
            PQputCopyEnd(conn->pg, "not wanted here");
        if (PQstatus(conn->pg) != CONNECTION_OK)
            return;
    }
}

enum pgc_code pgc__begin_command(struct pgc_conn *conn, struct pgc_error *err) {
    return conn->shielded ? PGC_OK : pgc_check_cancelled(conn->rt, err);
}

enum pgc_code pgc__wrap_rows(PGresult *result, struct pgc_rows **rows, struct pgc_error *err) {
    *rows = malloc(sizeof **rows);
    if (*rows == NULL) {
        PQclear(result);
        return pgc_fail_nomem(err);
    }
    (*rows)->result = result;
    return PGC_OK;
}
