#include "pg/probe.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "pg/libpq_lazy.h"
#include "pg/probe_endpoints.h"
#include "pg/wire.h"

/* A session of our own or one of libpq's. */
struct pgc_probe {
    struct pgc__wire *wire; /* NULL: pg */
    struct pgc__libpq pq;   /* loaded when wire is NULL */
    PGconn *pg;
    PGresult *rows;
};

void pgc_probe_free(struct pgc_probe *probe) {
    if (probe == NULL)
        return;
    pgc__wire_free(probe->wire);
    if (probe->pg != NULL) {
        probe->pq.PQclear(probe->rows);
        probe->pq.PQfinish(probe->pg);
    }
    free(probe);
}

/* Waits for `events` on fd. PGC_E_TIMEOUT, PGC_E_CANCELLED or PGC_OK. */
static enum pgc_code wait_fd(int fd, short events, int64_t deadline, const struct pgc_runtime *rt,
                             struct pgc_error *err) {
    for (;;) {
        enum pgc_code code = pgc_check_cancelled(rt, err);
        if (code != PGC_OK)
            return code;
        int64_t left = deadline == PGC_PROBE_NO_DEADLINE ? 60000 : deadline - pgc_mono_ms(rt);
        if (left <= 0)
            return pgc_fail(err, PGC_E_TIMEOUT, "the deadline passed");
        struct pollfd fds[2] = { { .fd = fd, .events = events }, { .fd = pgc_cancel_fd(rt), .events = POLLIN } };
        int n = poll(fds, 2, left > 60000 ? 60000 : (int)left);
        if (n < 0 && errno != EINTR)
            return pgc_fail_errno(err, PGC_E_IO, "cannot wait for the server");
        if (n > 0 && fds[0].revents != 0)
            return PGC_OK;
    }
}

/* An authentication request that wants something from us waits on the socket of a plain connection. libpq is not
 * told: it would answer, with the cost of SCRAM and perhaps a line in the server's log. The message is read, though:
 * closing a socket with unread bytes resets the connection, and the server logs that. */
static bool auth_request_came(const struct pgc__libpq *pq, PGconn *pg) {
    unsigned char head[9], rest[2048];
    if (pq->PQstatus(pg) != CONNECTION_AWAITING_RESPONSE || pq->PQsslInUse(pg) ||
        recv(pq->PQsocket(pg), head, sizeof head, MSG_PEEK | MSG_DONTWAIT) != (ssize_t)sizeof head || head[0] != 'R')
        return false;
    if (memcmp(head + 5, "\0\0\0\0", 4) == 0) /* trust: all the rest is there, libpq ends it politely */
        return false;
    while (recv(pq->PQsocket(pg), rest, sizeof rest, MSG_DONTWAIT) > 0)
        continue;
    return true;
}

static PGconn *start(const struct pgc__libpq *pq, const struct pgc_probe_options *options,
                     const struct pgc__probe_endpoint *endpoint) {
    struct pgc__probe_params params = { 0 };
    pgc__probe_params(options, &params);
    /* After dbname: these win over the conninfo string, because they were taken from it. */
    pgc__probe_param(&params, "host", endpoint->host);
    pgc__probe_param(&params, "hostaddr", endpoint->hostaddr);
    pgc__probe_param(&params, "port", endpoint->port);
    pgc__probe_param(&params, "sslmode", options->sslmode);
    pgc__probe_param(&params, "target_session_attrs", options->session_attrs);
    if (options->ping_only && getenv("PGGSSENCMODE") == NULL && !pgc__probe_names(options, "gssencmode"))
        pgc__probe_param(&params, "gssencmode", "disable"); /* the answer is the same, Kerberos is slow to set up */
    pgc__probe_param(&params, "client_encoding", options->ping_only ? NULL : "UTF8");
    PGconn *pg = pq->PQconnectStartParams(params.keywords, params.values, 1);
    if (pg != NULL)
        pq->PQsetErrorVerbosity(pg, PQERRORS_VERBOSE); /* the only public way to a connection failure's SQLSTATE */
    return pg;
}

static void remember_endpoint(const struct pgc__libpq *pq, PGconn *pg, struct pgc_probe_result *result) {
    const char *host = pq->PQhost(pg), *port = pq->PQport(pg);
    snprintf(result->host, sizeof result->host, "%s", host != NULL ? host : "");
    snprintf(result->port, sizeof result->port, "%s", port != NULL ? port : "");
    result->unix_socket = result->host[0] == '/' || result->host[0] == '@';
}

/* A connection that failed before anything was sent: wrong options, or a name or socket that is not there?
 * libpq tells the two apart only in PQping. */
static bool options_are_wrong(const struct pgc__libpq *pq, const struct pgc_probe_options *options,
                              const struct pgc__probe_endpoint *endpoint, const char *message) {
    if (strstr(message, "connection to server") != NULL || strstr(message, "could not translate") != NULL)
        return false;
    struct pgc__probe_params params = { 0 };
    pgc__probe_params(options, &params);
    pgc__probe_param(&params, "host", endpoint->host);
    pgc__probe_param(&params, "hostaddr", endpoint->hostaddr);
    pgc__probe_param(&params, "port", endpoint->port);
    pgc__probe_param(&params, "sslmode", options->sslmode);
    pgc__probe_param(&params, "connect_timeout", "2");
    return pq->PQpingParams(params.keywords, params.values, 1) == PQPING_NO_ATTEMPT;
}

struct attempt {
    struct pgc__libpq pq;
    const struct pgc__plain *plain; /* NULL: libpq must do it */
    const struct pgc_probe_options *options;
    const struct pgc_runtime *rt;
    const struct pgc__probe_endpoint *endpoint;
    int64_t deadline;
    int64_t began_us;
};

static void note_progress(const struct attempt *attempt, PGconn *pg, struct pgc_probe_result *result) {
    ConnStatusType status = attempt->pq.PQstatus(pg);
    int64_t us = pgc_wall_us(attempt->rt) - attempt->began_us;
    if (result->reached_us == 0 && status != CONNECTION_STARTED && status != CONNECTION_NEEDED)
        result->reached_us = us;
    if (result->answered_us == 0 && status == CONNECTION_AWAITING_RESPONSE)
        result->answered_us = us;
}

static enum pgc_code poll_until_known(const struct attempt *attempt, PGconn *pg, struct pgc_probe_result *result,
                                      struct pgc_error *err) {
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
        enum pgc_code code = wait_fd(attempt->pq.PQsocket(pg), state == PGRES_POLLING_READING ? POLLIN : POLLOUT,
                                     attempt->deadline, attempt->rt, err);
        if (code == PGC_E_TIMEOUT) {
            result->outcome = PGC_PROBE_TIMED_OUT;
            snprintf(result->message, sizeof result->message, "no answer before the deadline");
            return PGC_OK;
        }
        if (code != PGC_OK)
            return code;
        note_progress(attempt, pg, result);
        if (attempt->options->ping_only && auth_request_came(&attempt->pq, pg)) {
            result->outcome = PGC_PROBE_AUTH_ASKED;
            return PGC_OK;
        }
        state = attempt->pq.PQconnectPoll(pg);
    }
    if (state == PGRES_POLLING_OK)
        result->outcome = PGC_PROBE_CONNECTED;
    else
        pgc_probe_classify(attempt->pq.PQerrorMessage(pg),
                           attempt->pq.PQconnectionNeedsPassword(pg) || attempt->pq.PQconnectionUsedPassword(pg),
                           result);
    return PGC_OK;
}

static enum pgc_code try_libpq(struct attempt *attempt, struct pgc_probe **out, struct pgc_probe_result *result,
                               struct pgc_error *err) {
    const struct pgc__libpq *pq = &attempt->pq;
    enum pgc_code code = pgc__libpq_load(&attempt->pq, err);
    if (code != PGC_OK)
        return code;
    PGconn *pg = start(pq, attempt->options, attempt->endpoint);
    if (pg == NULL)
        return pgc_fail_nomem(err);
    remember_endpoint(pq, pg, result);
    if (pq->PQstatus(pg) == CONNECTION_BAD) {
        pgc_probe_classify(pq->PQerrorMessage(pg), false, result);
        if (options_are_wrong(pq, attempt->options, attempt->endpoint, pq->PQerrorMessage(pg)))
            result->outcome = PGC_PROBE_NO_ATTEMPT;
    } else {
        code = poll_until_known(attempt, pg, result, err);
    }
    result->done_us = pgc_wall_us(attempt->rt) - attempt->began_us;
    struct pgc_probe *probe = NULL;
    if (code == PGC_OK && result->outcome == PGC_PROBE_CONNECTED && (probe = calloc(1, sizeof *probe)) == NULL)
        code = pgc_fail_nomem(err);
    if (probe == NULL) {
        pq->PQfinish(pg);
        return code;
    }
    probe->pq = *pq;
    probe->pg = pg;
    *out = probe;
    return PGC_OK;
}

static enum pgc_code try_wire(const struct attempt *attempt, struct pgc_probe **out, struct pgc_probe_result *result,
                              bool *defer, struct pgc_error *err) {
    const struct pgc__plain *plain = attempt->plain;
    const char *address = attempt->endpoint->hostaddr != NULL ? attempt->endpoint->hostaddr : plain->host;
    PGC_AUTO(pgc__wire_free) struct pgc__wire *wire = NULL;
    snprintf(result->host, sizeof result->host, "%s", plain->host);
    snprintf(result->port, sizeof result->port, "%s", plain->port);
    result->unix_socket = plain->host[0] == '/';
    if (plain->os_user)
        snprintf(result->os_user, sizeof result->os_user, "%s", plain->user);
    enum pgc_code code = pgc__wire_open(plain, address, attempt->options->ping_only, attempt->deadline, attempt->rt,
                                        &wire, result, defer, err);
    if (code != PGC_OK || wire == NULL)
        return code;
    struct pgc_probe *probe = calloc(1, sizeof *probe);
    if (probe == NULL)
        return pgc_fail_nomem(err);
    probe->wire = wire;
    wire = NULL;
    *out = probe;
    return PGC_OK;
}

static enum pgc_code try_endpoint(struct attempt *attempt, struct pgc_probe **out, struct pgc_probe_result *result,
                                  struct pgc_error *err) {
    bool defer = attempt->plain == NULL;
    enum pgc_code code = defer ? PGC_OK : try_wire(attempt, out, result, &defer, err);
    if (code != PGC_OK || !defer)
        return code;
    *result = (struct pgc_probe_result) { 0 };
    return try_libpq(attempt, out, result, err);
}

/* Does libpq go on to the next host after this? Errors of the server end the list, "not now" excepted. */
static bool next_host_may_answer(const struct pgc_probe_result *result) {
    switch (result->outcome) {
    case PGC_PROBE_NO_RESPONSE:
    case PGC_PROBE_TIMED_OUT:
    case PGC_PROBE_NAME_UNKNOWN:
    case PGC_PROBE_WRONG_ROLE:
        return true;
    case PGC_PROBE_REJECTED:
        return strcmp(result->sqlstate, "57P03") == 0;
    default:
        return false;
    }
}

static int64_t share_of_time(const struct pgc_probe_options *options, int64_t now, size_t endpoints_left) {
    int64_t end = options->deadline;
    if (options->host_timeout_ms > 0) {
        int64_t own = now + options->host_timeout_ms;
        return own < end ? own : end;
    }
    if (end == PGC_PROBE_NO_DEADLINE || endpoints_left <= 1)
        return end;
    return now + (end - now) / (int64_t)endpoints_left;
}

enum pgc_code pgc_probe_open(const struct pgc_probe_options *options, const struct pgc_runtime *rt,
                             struct pgc_probe **out, struct pgc_probe_result *result, struct pgc_error *err) {
    *out = NULL;
    *result = (struct pgc_probe_result) { 0 };
    PGC_CLEANUP(pgc__probe_endpoints_release) struct pgc__probe_endpoints list = { 0 };
    PGC_CLEANUP(pgc__plain_release) struct pgc__plain plain = { 0 };
    struct pgc__probe_where resolve = { rt, share_of_time(options, pgc_mono_ms(rt), 1) };
    struct pgc_probe_options where = *options;
    bool is_plain = pgc__plain_parse(options, &plain);
    if (is_plain) { /* known without libpq's parser */
        where.conninfo = NULL;
        where.host = plain.host;
        where.port = plain.port;
    }
    enum pgc_code code = pgc__probe_endpoints(&where, &resolve, &list, err);
    struct pgc_probe_result not_now = { 0 };
    for (size_t i = 0; code == PGC_OK && i < list.count; i++) {
        const struct pgc__probe_endpoint *endpoint = &list.items[i];
        *result = (struct pgc_probe_result) { 0 };
        if (endpoint->failure[0] != '\0') {
            result->outcome = PGC_PROBE_NAME_UNKNOWN;
            snprintf(result->host, sizeof result->host, "%s", endpoint->host);
            snprintf(result->port, sizeof result->port, "%s", endpoint->port != NULL ? endpoint->port : "");
            snprintf(result->message, sizeof result->message, "%s", endpoint->failure);
            continue;
        }
        int64_t end = share_of_time(options, pgc_mono_ms(rt), list.count - i);
        struct attempt attempt = { .plain = is_plain ? &plain : NULL,
                                   .options = options,
                                   .rt = rt,
                                   .endpoint = endpoint,
                                   .deadline = end,
                                   .began_us = pgc_wall_us(rt) };
        code = try_endpoint(&attempt, out, result, err);
        if (code != PGC_OK || !next_host_may_answer(result))
            return code;
        if (result->outcome == PGC_PROBE_REJECTED)
            not_now = *result;
    }
    /* PQping reports the last host; a person wants to hear of the one that is starting. */
    if (code == PGC_OK && !options->ping_only && not_now.sqlstate[0] != '\0')
        *result = not_now;
    return code;
}

static enum pgc_code lost(struct pgc_probe *probe, struct pgc_error *err) {
    struct pgc_probe_result result = { 0 };
    pgc_probe_classify(probe->pq.PQerrorMessage(probe->pg), false, &result);
    return pgc_fail(err, PGC_E_TEMPORARY, "the connection was lost: %s", result.message);
}

static enum pgc_code flush_out(struct pgc_probe *probe, int64_t deadline, const struct pgc_runtime *rt,
                               struct pgc_error *err) {
    int pending;
    while ((pending = probe->pq.PQflush(probe->pg)) > 0) {
        enum pgc_code code = wait_fd(probe->pq.PQsocket(probe->pg), POLLIN | POLLOUT, deadline, rt, err);
        if (code != PGC_OK)
            return code;
        if (probe->pq.PQconsumeInput(probe->pg) == 0)
            return lost(probe, err);
    }
    return pending < 0 ? lost(probe, err) : PGC_OK;
}

/* The next result, NULL at the end of the statement. */
static enum pgc_code next_result(struct pgc_probe *probe, PGresult **out, int64_t deadline,
                                 const struct pgc_runtime *rt, struct pgc_error *err) {
    while (probe->pq.PQisBusy(probe->pg)) {
        enum pgc_code code = wait_fd(probe->pq.PQsocket(probe->pg), POLLIN, deadline, rt, err);
        if (code != PGC_OK)
            return code;
        if (probe->pq.PQconsumeInput(probe->pg) == 0)
            return lost(probe, err);
    }
    *out = probe->pq.PQgetResult(probe->pg);
    return PGC_OK;
}

enum pgc_code pgc_probe_ask(struct pgc_probe *probe, const char *sql, const char *const *params, size_t param_count,
                            int64_t deadline, const struct pgc_runtime *rt, struct pgc_error *err) {
    if (probe->wire != NULL)
        return pgc__wire_ask(probe->wire, sql, params, param_count, deadline, err);
    probe->pq.PQclear(probe->rows);
    probe->rows = NULL;
    probe->pq.PQsetnonblocking(probe->pg, 1);
    int sent = param_count == 0
                   ? probe->pq.PQsendQuery(probe->pg, sql)
                   : probe->pq.PQsendQueryParams(probe->pg, sql, (int)param_count, NULL, params, NULL, NULL, 0);
    if (sent == 0)
        return lost(probe, err);
    enum pgc_code code = flush_out(probe, deadline, rt, err);
    if (code != PGC_OK)
        return code;
    for (;;) {
        PGresult *result = NULL;
        code = next_result(probe, &result, deadline, rt, err);
        if (code != PGC_OK)
            return code;
        if (result == NULL)
            break;
        probe->pq.PQclear(probe->rows);
        probe->rows = result;
    }
    ExecStatusType status = probe->rows == NULL ? PGRES_FATAL_ERROR : probe->pq.PQresultStatus(probe->rows);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return PGC_OK;
    const char *sqlstate = probe->pq.PQresultErrorField(probe->rows, PG_DIAG_SQLSTATE);
    const char *message = probe->pq.PQresultErrorField(probe->rows, PG_DIAG_MESSAGE_PRIMARY);
    if (sqlstate == NULL || probe->pq.PQstatus(probe->pg) == CONNECTION_BAD)
        return lost(probe, err);
    code = pgc_fail(err, PGC_E_SQL, "%s", message != NULL ? message : "the server refused the statement");
    snprintf(err->sqlstate, sizeof err->sqlstate, "%s", sqlstate);
    return code;
}

size_t pgc_probe_rows(const struct pgc_probe *probe) {
    return probe->wire != NULL ? pgc__wire_rows(probe->wire) : (size_t)probe->pq.PQntuples(probe->rows);
}

const char *pgc_probe_text(const struct pgc_probe *probe, size_t row, size_t column) {
    const char *value = NULL;
    if (probe->wire != NULL)
        value = pgc__wire_value(probe->wire, row, column);
    else if (row < pgc_probe_rows(probe))
        value = probe->pq.PQgetvalue(probe->rows, (int)row, (int)column);
    return value != NULL ? value : "";
}

bool pgc_probe_null(const struct pgc_probe *probe, size_t row, size_t column) {
    if (probe->wire != NULL)
        return pgc__wire_value(probe->wire, row, column) == NULL;
    return probe->pq.PQgetisnull(probe->rows, (int)row, (int)column) != 0;
}

int pgc_probe_server_version(const struct pgc_probe *probe) {
    return probe->wire != NULL ? pgc__wire_server_version(probe->wire) : probe->pq.PQserverVersion(probe->pg);
}

const char *pgc_probe_user(const struct pgc_probe *probe) {
    return probe->wire != NULL ? pgc__wire_user(probe->wire) : probe->pq.PQuser(probe->pg);
}

const char *pgc_probe_dbname(const struct pgc_probe *probe) {
    return probe->wire != NULL ? pgc__wire_dbname(probe->wire) : probe->pq.PQdb(probe->pg);
}
