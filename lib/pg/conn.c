#include "pg/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "pg/internal.h"

#define DEFAULT_DEADLINE_MS 15000
#define KEYWORDS_MAX        16

/* --- opening ---------------------------------------------------------------------------------------- */

struct keywords {
    const char *names[KEYWORDS_MAX + 1];
    const char *values[KEYWORDS_MAX + 1];
    size_t count;
};

static void put(struct keywords *k, const char *name, const char *value) {
    if (value == NULL)
        return;
    k->names[k->count] = name;
    k->values[k->count++] = value;
}

/* libpq expands only the first dbname (URI or key=value list); what comes after it overrides. */
static void keywords_of(struct keywords *k, const struct pgc_conn_options *options) {
    *k = (struct keywords) { .count = 0 };
    /* A line that died, or a firewall that forgot us during a long statement, is noticed in minutes and not in hours. What the
     * conninfo says comes later and wins. */
    put(k, "keepalives_idle", "60");
    put(k, "keepalives_interval", "15");
    put(k, "keepalives_count", "4");
    put(k, "dbname", options->conninfo);
    put(k, "dbname", options->dbname);
    put(k, "user", options->user);
    put(k, "host", options->host);
    put(k, "port", options->port);
    put(k, "password", options->password);
    put(k, "fallback_application_name", options->application_name != NULL ? options->application_name : "pgc");
    if (!options->client_encoding_as_given)
        put(k, "client_encoding", "UTF8");
}

/* Verbose messages of a failed start carry ":  SQLSTATE: " behind the severity; libpq has no other way to ask for it. */
static const char *find_sqlstate(const char *message, char sqlstate[6]) {
    const char *found = NULL;
    for (const char *p = strstr(message, ":  "); p != NULL; p = strstr(p + 3, ":  ")) {
        const char *s = p + 3;
        if (strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == 5 && s[5] == ':' && s[6] == ' ')
            found = s;
    }
    if (found == NULL)
        return NULL;
    memcpy(sqlstate, found, 5);
    sqlstate[5] = '\0';
    return found;
}

static void tidy_message(struct pgc_buf *out, const char *message, const char *sqlstate_at) {
    const char *line = message;
    while (*line != '\0') {
        size_t len = strcspn(line, "\n");
        if (strncmp(line, "LOCATION:  ", 11) != 0 && len > 0) {
            if (out->len > 0)
                pgc_buf_puts(out, "; ");
            bool here = sqlstate_at != NULL && sqlstate_at >= line && sqlstate_at < line + len;
            pgc_buf_put(out, line, here ? (size_t)(sqlstate_at - line) : len);
            if (here)
                pgc_buf_put(out, sqlstate_at + 7, len - (size_t)(sqlstate_at + 7 - line));
        }
        line += len + (line[len] == '\n');
    }
}

static enum pgc_code code_of_failed_start(const char *message, const char *sqlstate) {
    if (sqlstate[0] != '\0') {
        enum pgc_code code = pgc__code_of_sqlstate(sqlstate);
        return strcmp(sqlstate, "3D000") == 0 ? PGC_E_NOT_FOUND : code == PGC_E_SQL ? PGC_E_UNAVAILABLE : code;
    }
    if (strstr(message, "password") != NULL && strstr(message, "supplied") != NULL)
        return PGC_E_AUTH;
    if (strstr(message, "SSL") != NULL || strstr(message, "certificate") != NULL)
        return PGC_E_TLS;
    return PGC_E_UNAVAILABLE;
}

static enum pgc_code fail_start(PGconn *pg, struct pgc_error *err) {
    char sqlstate[6] = "";
    const char *message = PQerrorMessage(pg);
    const char *at = find_sqlstate(message, sqlstate);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    tidy_message(&text, message, at);
    enum pgc_code code = pgc_fail(err, code_of_failed_start(message, sqlstate), "%s",
                                  text.len > 0 ? text.data : "cannot connect to the server");
    memcpy(err->sqlstate, sqlstate, sizeof sqlstate);
    return code;
}

static enum pgc_code poll_until_open(PGconn *pg, const struct pgc_runtime *rt, int64_t end_ms, struct pgc_error *err) {
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED)
            return fail_start(pg, err);
        int64_t left = end_ms < 0 ? 60000 : end_ms - pgc_mono_ms(rt);
        if (left <= 0)
            return pgc_fail(err, PGC_E_UNAVAILABLE,
                            "cannot connect to the server at '%s', port %s: no answer before the deadline",
                            PQhost(pg) != NULL ? PQhost(pg) : "", PQport(pg));
        struct pollfd fds[] = { { .fd = PQsocket(pg), .events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT },
                                { .fd = pgc_cancel_fd(rt), .events = POLLIN } };
        int n = poll(fds, 2, left > 60000 ? 60000 : (int)left);
        enum pgc_code code = pgc_check_cancelled(rt, err);
        if (code != PGC_OK)
            return code;
        if (n > 0 && fds[0].revents != 0)
            state = PQconnectPoll(pg);
    }
    return PGC_OK;
}

static void receive_notice(void *arg, const PGresult *result) {
    struct pgc_conn *conn = arg;
    if (conn->notice == NULL)
        return;
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    conn->notice(conn->notice_arg, severity != NULL ? severity : "NOTICE", sqlstate != NULL ? sqlstate : "",
                 message != NULL ? message : "", PQresultErrorMessage(result));
}

enum pgc_code pgc__conn_open_keywords(const char *const *names, const char *const *values, bool expand_dbname,
                                      int64_t limit_ms, const struct pgc_runtime *rt, struct pgc_conn **out,
                                      struct pgc_error *err) {
    int64_t end = limit_ms < 0 ? -1 : pgc_mono_ms(rt) + limit_ms;
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL)
        return pgc_fail_nomem(err);
    conn->rt = rt;
    conn->pg = PQconnectStartParams(names, values, expand_dbname);
    if (conn->pg == NULL)
        return pgc_fail_nomem(err);
    PQsetErrorVerbosity(conn->pg, PQERRORS_VERBOSE);
    PQsetNoticeReceiver(conn->pg, receive_notice, conn);
    if (PQstatus(conn->pg) == CONNECTION_BAD)
        return fail_start(conn->pg, err);
    enum pgc_code code = poll_until_open(conn->pg, rt, end, err);
    if (code != PGC_OK)
        return code;
    PQsetErrorVerbosity(conn->pg, PQERRORS_DEFAULT);
    *out = conn;
    conn = NULL;
    return PGC_OK;
}

enum pgc_code pgc_conn_open(const struct pgc_conn_options *options, const struct pgc_runtime *rt, struct pgc_conn **out,
                            struct pgc_error *err) {
    struct keywords k;
    keywords_of(&k, options);
    int64_t limit = options->deadline_ms == 0 ? DEFAULT_DEADLINE_MS : options->deadline_ms;
    return pgc__conn_open_keywords(k.names, k.values, true, limit, rt, out, err);
}

void pgc_conn_free(struct pgc_conn *conn) {
    if (conn == NULL)
        return;
    PQfinish(conn->pg);
    free(conn);
}

/* --- what it is ------------------------------------------------------------------------------------- */

static const char *or_empty(const char *text) {
    return text != NULL ? text : "";
}

const char *pgc_conn_dbname(const struct pgc_conn *conn) {
    return or_empty(PQdb(conn->pg));
}

const char *pgc_conn_user(const struct pgc_conn *conn) {
    return or_empty(PQuser(conn->pg));
}

const char *pgc_conn_host(const struct pgc_conn *conn) {
    return or_empty(PQhost(conn->pg));
}

const char *pgc_conn_port(const struct pgc_conn *conn) {
    return or_empty(PQport(conn->pg));
}

int pgc_conn_server_version(const struct pgc_conn *conn) {
    return PQserverVersion(conn->pg);
}

const char *pgc_conn_parameter(const struct pgc_conn *conn, const char *name) {
    return PQparameterStatus(conn->pg, name);
}

int pgc_conn_backend_pid(const struct pgc_conn *conn) {
    return PQbackendPID(conn->pg);
}

bool pgc_conn_is_broken(const struct pgc_conn *conn) {
    return PQstatus(conn->pg) != CONNECTION_OK;
}

char pgc_conn_tx_status(const struct pgc_conn *conn) {
    switch (PQtransactionStatus(conn->pg)) {
    case PQTRANS_IDLE:
        return 'I';
    case PQTRANS_ACTIVE:
        return 'A';
    case PQTRANS_INTRANS:
        return 'T';
    case PQTRANS_INERROR:
        return 'E';
    default:
        return '?';
    }
}

void pgc_conn_on_notice(struct pgc_conn *conn, pgc_notice_fn *fn, void *arg) {
    conn->notice = fn;
    conn->notice_arg = arg;
}

void pgc_conn_on_delay(struct pgc_conn *conn, int64_t every_ms, pgc_delay_fn *fn, void *arg) {
    conn->delay = every_ms > 0 ? fn : NULL;
    conn->delay_arg = arg;
    conn->delay_ms = every_ms;
}

static char *quoted(char *text) {
    char *copy = text != NULL ? strdup(text) : NULL;
    PQfreemem(text);
    return copy;
}

char *pgc_conn_quote_ident(struct pgc_conn *conn, const char *name) {
    return quoted(PQescapeIdentifier(conn->pg, name, strlen(name)));
}

char *pgc_conn_quote_literal(struct pgc_conn *conn, const char *text) {
    return quoted(PQescapeLiteral(conn->pg, text, strlen(text)));
}
