#ifndef PGC_PG_PROBE_H
#define PGC_PG_PROBE_H
/* One attempt to reach a server, and what was learned from it.
 *
 * pgc_conn_open answers "give me a connection or an error"; a probe wants to know *how far* the attempt came:
 * name unknown, nobody answers, TLS refused, an SQLSTATE, an authentication request, connected. It is a small
 * state machine over PQconnectStart/PQconnectPoll with one absolute deadline over all hosts and addresses, and
 * a connection whose statements obey a deadline too (a server that stops answering cannot hang it).
 *
 *     struct pgc_probe_options options = { .host = "db", .deadline = pgc_mono_ms(rt) + 3000 };
 *     struct pgc_probe_result result;
 *     PGC_AUTO(pgc_probe_free) struct pgc_probe *probe = NULL;
 *     code = pgc_probe_open(&options, rt, &probe, &result, err);   // PGC_OK also when nobody answered
 *     if (code == PGC_OK && result.outcome == PGC_PROBE_CONNECTED)
 *         code = pgc_probe_ask(probe, "select 1", NULL, 0, deadline, rt, &result, err);
 *
 * With ping_only the attempt ends at the first authentication request: no password is sent, no SCRAM work is
 * done, the server logs nothing. pgc_probe_ping_status maps the result as PQping does. */
#include <pgc/runtime.h>
#include <stdint.h>

#include "base/cleanup.h"

struct pgc_probe;

#define PGC_PROBE_NO_DEADLINE INT64_MAX

struct pgc_probe_options {
    const char *conninfo; /* URI, key=value string, database name or NULL; wins over the four below, as in psql */
    const char *user;
    const char *host; /* may be a list separated by commas, as for libpq */
    const char *port;
    const char *password;
    const char *application_name; /* NULL: "pgc ready" */
    const char *sslmode;          /* overrides everything; NULL: as configured */
    const char *session_attrs;    /* target_session_attrs for a list of hosts; NULL: as configured */
    bool ping_only;
    int64_t deadline;        /* on pgc_mono_ms; PGC_PROBE_NO_DEADLINE: none */
    int64_t host_timeout_ms; /* per address; 0: an equal share of the time left */
};

enum pgc_probe_outcome {
    PGC_PROBE_NO_ATTEMPT,   /* the options are wrong; nothing was sent */
    PGC_PROBE_NAME_UNKNOWN, /* the host name cannot be resolved (yet) */
    PGC_PROBE_NO_RESPONSE,  /* refused, unreachable, closed without an answer */
    PGC_PROBE_TIMED_OUT,    /* the deadline passed first */
    PGC_PROBE_TLS_FAILED,   /* TLS wanted and not to be had, or a certificate not trusted */
    PGC_PROBE_REJECTED,     /* the server answered with an error: sqlstate */
    PGC_PROBE_AUTH_ASKED,   /* ping_only: an authentication request came */
    PGC_PROBE_AUTH_FAILED,  /* asked for what we do not have (no password, unknown method); no sqlstate */
    PGC_PROBE_WRONG_ROLE,   /* connected, but target_session_attrs does not fit */
    PGC_PROBE_CONNECTED,
};

struct pgc_probe_result {
    enum pgc_probe_outcome outcome;
    char sqlstate[6];  /* "" when the server sent none */
    char message[512]; /* one line, without "connection to server ... failed:" */
    char host[256];    /* what was tried last; "" unknown */
    char port[32];
    bool unix_socket;
    char os_user[64]; /* the operating system's user name, when nobody named another; "" else */
    /* Microseconds since the attempt on this address began; 0: not reached. */
    int64_t reached_us;  /* the connection was made */
    int64_t answered_us; /* the server's first answer was there */
    int64_t done_us;     /* the outcome was known */
};

/* PGC_OK when the attempt came to a result, whatever it is; PGC_E_NOMEM or PGC_E_CANCELLED else.
 * *out is set only for PGC_PROBE_CONNECTED. */
PGC_MUST_USE enum pgc_code pgc_probe_open(const struct pgc_probe_options *options, const struct pgc_runtime *rt,
                                          struct pgc_probe **out, struct pgc_probe_result *result,
                                          struct pgc_error *err);

/* Runs one statement; the rows are kept in the probe until the next call. Without parameters the simple protocol
 * is used. PGC_OK, or PGC_E_SQL (result->sqlstate), PGC_E_TEMPORARY (connection lost), PGC_E_TIMEOUT,
 * PGC_E_CANCELLED. After TIMEOUT, TEMPORARY and CANCELLED the probe is good for pgc_probe_free only. */
PGC_MUST_USE enum pgc_code pgc_probe_ask(struct pgc_probe *probe, const char *sql, const char *const *params,
                                         size_t param_count, int64_t deadline, const struct pgc_runtime *rt,
                                         struct pgc_error *err);
size_t pgc_probe_rows(const struct pgc_probe *probe);
const char *pgc_probe_text(const struct pgc_probe *probe, size_t row, size_t column); /* "" for null */
bool pgc_probe_null(const struct pgc_probe *probe, size_t row, size_t column);

int pgc_probe_server_version(const struct pgc_probe *probe); /* 150018 */
const char *pgc_probe_user(const struct pgc_probe *probe);
const char *pgc_probe_dbname(const struct pgc_probe *probe);
void pgc_probe_free(struct pgc_probe *probe);
PGC_DEFINE_AUTO(pgc_probe_free, struct pgc_probe *)

/* PQping's decision: 0 accepting, 1 rejecting, 2 no response, 3 no attempt. */
int pgc_probe_ping_status(const struct pgc_probe_result *result);

/* The host and port as pg_isready prints them (raw lists; hostaddr before host; defaults filled in), without
 * connecting. false: the options are wrong, `message` says how (empty: unknown service and the like). */
bool pgc_probe_endpoint(const struct pgc_probe_options *options, char *host, size_t host_size, char *port,
                        size_t port_size, char *message, size_t message_size);

/* Pure: what a failed connection attempt's message tells. `verbose` is libpq's text with PQERRORS_VERBOSE.
 * Fills outcome, sqlstate, message. */
void pgc_probe_classify(const char *verbose, bool auth_was_asked, struct pgc_probe_result *result);
#endif
