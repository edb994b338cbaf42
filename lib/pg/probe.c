#include "pg/probe.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "pg/probe_endpoints.h"

struct pgc_probe {
    PGconn *pg;
    PGresult *rows;
};

void pgc_probe_free(struct pgc_probe *probe) {
    if (probe == NULL)
        return;
    PQclear(probe->rows);
    PQfinish(probe->pg);
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
static bool auth_request_came(PGconn *pg) {
    unsigned char head[9], rest[2048];
    if (PQstatus(pg) != CONNECTION_AWAITING_RESPONSE || PQsslInUse(pg) ||
        recv(PQsocket(pg), head, sizeof head, MSG_PEEK | MSG_DONTWAIT) != (ssize_t)sizeof head || head[0] != 'R')
        return false;
    if (memcmp(head + 5, "\0\0\0\0", 4) == 0) /* trust: all the rest is there, libpq ends it politely */
        return false;
    while (recv(PQsocket(pg), rest, sizeof rest, MSG_DONTWAIT) > 0)
        continue;
    return true;
}

static PGconn *start(const struct pgc_probe_options *options, const struct pgc__probe_endpoint *endpoint) {
    struct pgc__probe_params params = { 0 };
    pgc__probe_params(options, &params);
    /* After dbname: these win over the conninfo string, because they were taken from it. */
    pgc__probe_param(&params, "host", endpoint->host);
    pgc__probe_param(&params, "hostaddr", endpoint->hostaddr);
    pgc__probe_param(&params, "port", endpoint->port);
    pgc__probe_param(&params, "sslmode", options->sslmode);
    if (options->ping_only && getenv("PGGSSENCMODE") == NULL && !pgc__probe_names(options, "gssencmode"))
        pgc__probe_param(&params, "gssencmode", "disable"); /* the answer is the same, Kerberos is slow to set up */
    pgc__probe_param(&params, "client_encoding", options->ping_only ? NULL : "UTF8");
    PGconn *pg = PQconnectStartParams(params.keywords, params.values, 1);
    if (pg != NULL)
        PQsetErrorVerbosity(pg, PQERRORS_VERBOSE); /* the only public way to a connection failure's SQLSTATE */
    return pg;
}

static void remember_endpoint(PGconn *pg, struct pgc_probe_result *result) {
    const char *host = PQhost(pg), *port = PQport(pg);
    snprintf(result->host, sizeof result->host, "%s", host != NULL ? host : "");
    snprintf(result->port, sizeof result->port, "%s", port != NULL ? port : "");
    result->unix_socket = result->host[0] == '/' || result->host[0] == '@';
}

/* A connection that failed before anything was sent: wrong options, or a name or socket that is not there?
 * libpq tells the two apart only in PQping. */
static bool options_are_wrong(const struct pgc_probe_options *options, const struct pgc__probe_endpoint *endpoint,
                              const char *message) {
    if (strstr(message, "connection to server") != NULL || strstr(message, "could not translate") != NULL)
        return false;
    struct pgc__probe_params params = { 0 };
    pgc__probe_params(options, &params);
    pgc__probe_param(&params, "host", endpoint->host);
    pgc__probe_param(&params, "hostaddr", endpoint->hostaddr);
    pgc__probe_param(&params, "port", endpoint->port);
    pgc__probe_param(&params, "sslmode", options->sslmode);
    pgc__probe_param(&params, "connect_timeout", "2");
    return PQpingParams(params.keywords, params.values, 1) == PQPING_NO_ATTEMPT;
}

struct attempt {
    const struct pgc_probe_options *options;
    const struct pgc_runtime *rt;
    const struct pgc__probe_endpoint *endpoint;
    int64_t deadline;
    int64_t began_us;
};

static void note_progress(const struct attempt *attempt, PGconn *pg, struct pgc_probe_result *result) {
    ConnStatusType status = PQstatus(pg);
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
        enum pgc_code code = wait_fd(PQsocket(pg), state == PGRES_POLLING_READING ? POLLIN : POLLOUT, attempt->deadline,
                                     attempt->rt, err);
        if (code == PGC_E_TIMEOUT) {
            result->outcome = PGC_PROBE_TIMED_OUT;
            snprintf(result->message, sizeof result->message, "no answer before the deadline");
            return PGC_OK;
        }
        if (code != PGC_OK)
            return code;
        note_progress(attempt, pg, result);
        if (attempt->options->ping_only && auth_request_came(pg)) {
            result->outcome = PGC_PROBE_AUTH_ASKED;
            return PGC_OK;
        }
        state = PQconnectPoll(pg);
    }
    if (state == PGRES_POLLING_OK)
        result->outcome = PGC_PROBE_CONNECTED;
    else
        pgc_probe_classify(PQerrorMessage(pg), PQconnectionNeedsPassword(pg) || PQconnectionUsedPassword(pg), result);
    return PGC_OK;
}

static enum pgc_code try_endpoint(const struct attempt *attempt, struct pgc_probe **out,
                                  struct pgc_probe_result *result, struct pgc_error *err) {
    PGconn *pg = start(attempt->options, attempt->endpoint);
    if (pg == NULL)
        return pgc_fail_nomem(err);
    remember_endpoint(pg, result);
    enum pgc_code code = PGC_OK;
    if (PQstatus(pg) == CONNECTION_BAD) {
        pgc_probe_classify(PQerrorMessage(pg), false, result);
        if (options_are_wrong(attempt->options, attempt->endpoint, PQerrorMessage(pg)))
            result->outcome = PGC_PROBE_NO_ATTEMPT;
    } else {
        code = poll_until_known(attempt, pg, result, err);
    }
    result->done_us = pgc_wall_us(attempt->rt) - attempt->began_us;
    struct pgc_probe *probe = NULL;
    if (code == PGC_OK && result->outcome == PGC_PROBE_CONNECTED && (probe = calloc(1, sizeof *probe)) == NULL)
        code = pgc_fail_nomem(err);
    if (probe == NULL) {
        PQfinish(pg);
        return code;
    }
    probe->pg = pg;
    *out = probe;
    return PGC_OK;
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
    enum pgc_code code = pgc__probe_endpoints(options, &list, err);
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
        struct attempt attempt = { options, rt, endpoint, end, pgc_wall_us(rt) };
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
    pgc_probe_classify(PQerrorMessage(probe->pg), false, &result);
    return pgc_fail(err, PGC_E_TEMPORARY, "the connection was lost: %s", result.message);
}

static enum pgc_code flush_out(struct pgc_probe *probe, int64_t deadline, const struct pgc_runtime *rt,
                               struct pgc_error *err) {
    int pending;
    while ((pending = PQflush(probe->pg)) > 0) {
        enum pgc_code code = wait_fd(PQsocket(probe->pg), POLLIN | POLLOUT, deadline, rt, err);
        if (code != PGC_OK)
            return code;
        if (PQconsumeInput(probe->pg) == 0)
            return lost(probe, err);
    }
    return pending < 0 ? lost(probe, err) : PGC_OK;
}

/* The next result, NULL at the end of the statement. */
static enum pgc_code next_result(struct pgc_probe *probe, PGresult **out, int64_t deadline,
                                 const struct pgc_runtime *rt, struct pgc_error *err) {
    while (PQisBusy(probe->pg)) {
        enum pgc_code code = wait_fd(PQsocket(probe->pg), POLLIN, deadline, rt, err);
        if (code != PGC_OK)
            return code;
        if (PQconsumeInput(probe->pg) == 0)
            return lost(probe, err);
    }
    *out = PQgetResult(probe->pg);
    return PGC_OK;
}

enum pgc_code pgc_probe_ask(struct pgc_probe *probe, const char *sql, const char *const *params, size_t param_count,
                            int64_t deadline, const struct pgc_runtime *rt, struct pgc_error *err) {
    PQclear(probe->rows);
    probe->rows = NULL;
    PQsetnonblocking(probe->pg, 1);
    int sent = param_count == 0 ? PQsendQuery(probe->pg, sql)
                                : PQsendQueryParams(probe->pg, sql, (int)param_count, NULL, params, NULL, NULL, 0);
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
        PQclear(probe->rows);
        probe->rows = result;
    }
    ExecStatusType status = probe->rows == NULL ? PGRES_FATAL_ERROR : PQresultStatus(probe->rows);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return PGC_OK;
    const char *sqlstate = PQresultErrorField(probe->rows, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(probe->rows, PG_DIAG_MESSAGE_PRIMARY);
    if (sqlstate == NULL || PQstatus(probe->pg) == CONNECTION_BAD)
        return lost(probe, err);
    code = pgc_fail(err, PGC_E_SQL, "%s", message != NULL ? message : "the server refused the statement");
    snprintf(err->sqlstate, sizeof err->sqlstate, "%s", sqlstate);
    return code;
}

size_t pgc_probe_rows(const struct pgc_probe *probe) {
    return (size_t)PQntuples(probe->rows);
}

const char *pgc_probe_text(const struct pgc_probe *probe, size_t row, size_t column) {
    return PQgetvalue(probe->rows, (int)row, (int)column);
}

bool pgc_probe_null(const struct pgc_probe *probe, size_t row, size_t column) {
    return PQgetisnull(probe->rows, (int)row, (int)column) != 0;
}

int pgc_probe_server_version(const struct pgc_probe *probe) {
    return PQserverVersion(probe->pg);
}

const char *pgc_probe_user(const struct pgc_probe *probe) {
    return PQuser(probe->pg);
}

const char *pgc_probe_dbname(const struct pgc_probe *probe) {
    return PQdb(probe->pg);
}
