#include "ready/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

const char *pgc_ready_level_name(enum pgc_ready_level level) {
    static const char *const names[] = { "tcp", "ping", "auth", "query", "write", "migrated" };
    return names[level];
}

const char *pgc_ready_status_name(enum pgc_ready_status status) {
    switch (status) {
    case PGC_READY_OK:
        return "ready";
    case PGC_READY_REJECTING:
        return "rejecting";
    case PGC_READY_NO_RESPONSE:
        return "no response";
    case PGC_READY_NO_ATTEMPT:
        return "no attempt";
    case PGC_READY_AUTH_REFUSED:
        return "authentication";
    case PGC_READY_WRONG_ROLE:
        return "role";
    case PGC_READY_NOT_MIGRATED:
        return "migration";
    case PGC_READY_TLS:
        return "tls";
    case PGC_READY_DEADLINE:
        return "deadline";
    }
    return "unknown";
}

void pgc_ready_refuse(struct pgc_ready_verdict *verdict, enum pgc_ready_status status, bool permanent, const char *hint,
                      const char *format, ...) {
    verdict->status = status;
    verdict->permanent = permanent;
    snprintf(verdict->hint, sizeof verdict->hint, "%s", hint);
    va_list args;
    va_start(args, format);
    vsnprintf(verdict->reason, sizeof verdict->reason, format, args);
    va_end(args);
}

struct rule {
    const char *sqlstate; /* five characters, or a class of two */
    enum pgc_ready_status status;
    bool permanent;
    const char *hint;
};

/* The first that fits counts. */
static const struct rule rules[] = {
    { "57P03", PGC_READY_REJECTING, false, "it is starting, recovering or shutting down: wait (--wait)" },
    { "57P", PGC_READY_REJECTING, false, "it is shutting down: wait until it is back" },
    { "53300", PGC_READY_REJECTING, false, "raise max_connections or use a connection pooler" },
    { "53", PGC_READY_REJECTING, false, "the server is short of a resource" },
    { "28P01", PGC_READY_AUTH_REFUSED, true, "check the password (PGPASSWORD, PGPASSWORD_FILE, DATABASE_URL)" },
    { "28", PGC_READY_AUTH_REFUSED, true, "check the user name and the server's pg_hba.conf" },
    { "3D000", PGC_READY_AUTH_REFUSED, true, "create the database or name another one with --dbname" },
    { "42501", PGC_READY_AUTH_REFUSED, true, "grant the user what it needs" },
    { "55000", PGC_READY_AUTH_REFUSED, true, "the database accepts no connections (allow_connections)" },
};

static void judge_sqlstate(const char *sqlstate, const char *message, struct pgc_ready_verdict *verdict) {
    snprintf(verdict->sqlstate, sizeof verdict->sqlstate, "%s", sqlstate);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (strncmp(sqlstate, rules[i].sqlstate, strlen(rules[i].sqlstate)) != 0)
            continue;
        pgc_ready_refuse(verdict, rules[i].status, rules[i].permanent, rules[i].hint, "%s (%s)", message, sqlstate);
        verdict->recovering = strcmp(sqlstate, "57P03") == 0;
        return;
    }
    pgc_ready_refuse(verdict, PGC_READY_REJECTING, false, "see the server's log", "%s (%s)", message, sqlstate);
}

static void judge_ping(const struct pgc_probe_result *result, struct pgc_ready_verdict *verdict) {
    int status = pgc_probe_ping_status(result);
    snprintf(verdict->sqlstate, sizeof verdict->sqlstate, "%s", result->sqlstate);
    verdict->recovering = status == 1;
    verdict->status = (enum pgc_ready_status)status;
    if (status != 0)
        snprintf(verdict->reason, sizeof verdict->reason, "%s", result->message);
    verdict->permanent = status == 3;
}

void pgc_ready_judge_connect(const struct pgc_probe_result *result, enum pgc_ready_level level,
                             struct pgc_ready_verdict *verdict) {
    *verdict = (struct pgc_ready_verdict) { 0 };
    if (level <= PGC_READY_PING) {
        judge_ping(result, verdict);
        return;
    }
    const char *message = result->message;
    switch (result->outcome) {
    case PGC_PROBE_CONNECTED:
    case PGC_PROBE_AUTH_ASKED:
        break;
    case PGC_PROBE_NO_ATTEMPT:
        pgc_ready_refuse(verdict, PGC_READY_NO_ATTEMPT, true, "correct the connection options", "%s", message);
        break;
    case PGC_PROBE_NAME_UNKNOWN:
        pgc_ready_refuse(verdict, PGC_READY_NO_RESPONSE, false,
                         "check the name; in a container network it is known once its container runs",
                         "the name '%s' cannot be resolved: %s", result->host, message);
        break;
    case PGC_PROBE_NO_RESPONSE:
        pgc_ready_refuse(verdict, PGC_READY_NO_RESPONSE, false, "is the server running, and the port right?", "%s",
                         message);
        break;
    case PGC_PROBE_TIMED_OUT:
        pgc_ready_refuse(verdict, PGC_READY_NO_RESPONSE, false, "a firewall may drop the packets, or the server hangs",
                         "%s", message);
        break;
    case PGC_PROBE_TLS_FAILED:
        pgc_ready_refuse(verdict, PGC_READY_TLS, true, "check sslmode, sslrootcert and the server's certificate", "%s",
                         message);
        break;
    case PGC_PROBE_AUTH_FAILED:
        pgc_ready_refuse(verdict, PGC_READY_AUTH_REFUSED, true,
                         "give a password by PGPASSWORD, PGPASSWORD_FILE or DATABASE_URL", "%s", message);
        break;
    case PGC_PROBE_WRONG_ROLE:
        pgc_ready_refuse(verdict, PGC_READY_WRONG_ROLE, false, "target_session_attrs asks for another role", "%s",
                         message);
        break;
    case PGC_PROBE_REJECTED:
        judge_sqlstate(result->sqlstate, message, verdict);
        break;
    }
    /* The classic: a probe in a container that runs as root and names nobody. */
    if (strncmp(verdict->sqlstate, "28", 2) == 0 && result->os_user[0] != '\0')
        snprintf(verdict->hint, sizeof verdict->hint,
                 "no user was named, so the operating system's '%s' was taken: set PGUSER or --username",
                 result->os_user);
}

void pgc_ready_judge_query(enum pgc_code code, const struct pgc_error *failure, struct pgc_ready_verdict *verdict) {
    if (code == PGC_E_SQL)
        judge_sqlstate(failure->sqlstate, failure->message, verdict);
    else if (code == PGC_E_TIMEOUT)
        pgc_ready_refuse(verdict, PGC_READY_NO_RESPONSE, false, "the server accepts connections but hangs",
                         "no answer to a statement before the deadline");
    else
        pgc_ready_refuse(verdict, PGC_READY_NO_RESPONSE, false, "try again", "%s", failure->message);
}

void pgc_ready_judge_role(const struct pgc_ready_spec *spec, const struct pgc_ready_server *server,
                          struct pgc_ready_verdict *verdict) {
    if (spec->role == PGC_READY_PRIMARY && server->in_recovery)
        pgc_ready_refuse(verdict, PGC_READY_WRONG_ROLE, false, "point the probe at the primary, or promote it",
                         "the server is a standby, a primary is asked for");
    else if (spec->role == PGC_READY_STANDBY && !server->in_recovery)
        pgc_ready_refuse(verdict, PGC_READY_WRONG_ROLE, false, "point the probe at a standby",
                         "the server is a primary, a standby is asked for");
    else if (spec->level >= PGC_READY_WRITE && spec->role != PGC_READY_STANDBY && server->in_recovery)
        pgc_ready_refuse(verdict, PGC_READY_WRONG_ROLE, false, "point the probe at the primary",
                         "the server is in recovery and cannot be written");
    else if (spec->level >= PGC_READY_WRITE && spec->role != PGC_READY_STANDBY && server->read_only)
        pgc_ready_refuse(verdict, PGC_READY_WRONG_ROLE, false,
                         "see default_transaction_read_only of the server, database and role",
                         "transactions are read-only");
}

void pgc_ready_judge_lag(const struct pgc_ready_spec *spec, const struct pgc_ready_server *server,
                         struct pgc_ready_verdict *verdict) {
    if (!server->in_recovery)
        return; /* a primary is never late */
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf have = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf limit = PGC_BUF_INIT;
    if (spec->max_lag_bytes >= 0 && !server->streaming) {
        pgc_ready_refuse(verdict, PGC_READY_WRONG_ROLE, false, "see primary_conninfo and the log of the standby",
                         "the standby does not stream from its primary: its lag cannot be known");
    } else if (spec->max_lag_bytes >= 0 && server->lag_bytes > spec->max_lag_bytes) {
        pgc_text_bytes(&have, (uint64_t)server->lag_bytes);
        pgc_text_bytes(&limit, (uint64_t)spec->max_lag_bytes);
        pgc_ready_refuse(verdict, PGC_READY_WRONG_ROLE, false, "wait until the standby has caught up",
                         "the standby is %s behind, at most %s is allowed", have.data, limit.data);
    } else if (spec->max_lag_ms >= 0 && (server->lag_ms < 0 || server->lag_ms > spec->max_lag_ms)) {
        if (server->lag_ms < 0)
            pgc_buf_puts(&have, "an unknown time");
        else
            pgc_buf_putf(&have, "%.1f s", (double)server->lag_ms / 1000);
        pgc_ready_refuse(verdict, PGC_READY_WRONG_ROLE, false, "wait until the standby has caught up",
                         "the standby is %s behind, at most %.1f s is allowed", have.data,
                         (double)spec->max_lag_ms / 1000);
    }
}
