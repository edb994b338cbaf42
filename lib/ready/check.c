#include <stdio.h>
#include <string.h>

#include "ready/ledger.h"
#include "ready/net.h"
#include "ready/objects.h"
#include "ready/ready.h"
#include "ready/verdict.h"
#include "sql_embedded.h"

/* One run over one target. Every step either leaves report->verdict.status at OK or ends the run. */
struct run {
    const struct pgc_ready_spec *spec;
    const struct pgc_ready_target *target;
    const struct pgc_runtime *rt;
    int64_t deadline;
    struct pgc_probe *probe;
    struct pgc_ready_report *report;
};

static bool refused(const struct run *run) {
    return run->report->verdict.status != PGC_READY_OK;
}

static void note(struct run *run, const char *name, bool ok, int64_t us) {
    struct pgc_ready_report *report = run->report;
    if (report->check_count < PGC_READY_MAX_CHECKS)
        report->checks[report->check_count++] = (struct pgc_ready_timing) { name, ok, us > 0 ? us : 0 };
}

static bool asks_lag(const struct pgc_ready_spec *spec) {
    return spec->max_lag_bytes >= 0 || spec->max_lag_ms >= 0;
}

static bool any(const struct pgc_strings *list) {
    return list != NULL && list->count > 0;
}

/* Role, lag, objects and so on need a session whatever the level says. */
static bool needs_query(const struct pgc_ready_spec *spec) {
    return spec->level >= PGC_READY_QUERY || spec->role != PGC_READY_ANY || asks_lag(spec) || any(spec->extensions) ||
           any(spec->tables);
}

static enum pgc_code ask(struct run *run, const char *sql, const char *const *params, size_t count,
                         struct pgc_error *err) {
    enum pgc_code code = pgc_probe_ask(run->probe, sql, params, count, run->deadline, run->rt, err);
    if (code == PGC_OK || code == PGC_E_CANCELLED || code == PGC_E_NOMEM)
        return code;
    pgc_ready_judge_query(code, err, &run->report->verdict);
    if (code != PGC_E_SQL) { /* the session is of no use any more */
        pgc_probe_free(run->probe);
        run->probe = NULL;
    }
    return PGC_OK;
}

/* "no pg_hba.conf entry ... no encryption": would the server take us with TLS? One more attempt tells. */
static enum pgc_code explain_plain_refusal(struct run *run, const struct pgc_probe_options *options,
                                           struct pgc_error *err) {
    struct pgc_probe_options with_tls = *options;
    with_tls.sslmode = "require";
    struct pgc_probe_result second;
    PGC_AUTO(pgc_probe_free) struct pgc_probe *probe = NULL;
    enum pgc_code code = pgc_probe_open(&with_tls, run->rt, &probe, &second, err);
    if (code != PGC_OK)
        return code;
    bool hba_again = second.outcome == PGC_PROBE_REJECTED && strcmp(second.sqlstate, "28000") == 0;
    if (second.outcome == PGC_PROBE_CONNECTED || second.outcome == PGC_PROBE_AUTH_FAILED ||
        (second.outcome == PGC_PROBE_REJECTED && !hba_again))
        pgc_ready_refuse(&run->report->verdict, PGC_READY_TLS, true, "set sslmode=require (or better verify-full)",
                         "the server wants TLS, the client does not use it");
    return PGC_OK;
}

static void note_phases(struct run *run, const struct pgc_probe_result *result, bool ping_only) {
    bool reached = result->reached_us > 0, answered = result->answered_us > 0;
    note(run, "tcp", reached, reached ? result->reached_us : result->done_us);
    if (!reached)
        return;
    bool ok = run->report->verdict.status == PGC_READY_OK;
    int64_t until = answered && !ping_only ? result->answered_us : result->done_us;
    note(run, "ping", answered && (ok || !ping_only), until - result->reached_us);
    if (answered && !ping_only)
        note(run, "auth", ok, result->done_us - result->answered_us);
}

/* Of several hosts the one that has the role; a single one is asked for it later, with a better message. */
static const char *wanted_session(const struct pgc_ready_spec *spec, const struct pgc_ready_target *target) {
    if (strchr(target->text, ',') == NULL)
        return NULL;
    if (spec->role == PGC_READY_STANDBY)
        return "standby";
    if (spec->level >= PGC_READY_WRITE)
        return "read-write";
    return spec->role == PGC_READY_PRIMARY ? "primary" : NULL;
}

static enum pgc_code connect_server(struct run *run, struct pgc_error *err) {
    bool ping_only = run->spec->level <= PGC_READY_PING && !needs_query(run->spec);
    struct pgc_probe_options options = run->target->pg;
    options.ping_only = ping_only;
    options.session_attrs = wanted_session(run->spec, run->target);
    options.deadline = run->deadline;
    options.host_timeout_ms = run->spec->host_timeout_ms;
    struct pgc_probe_result result;
    enum pgc_code code = pgc_probe_open(&options, run->rt, &run->probe, &result, err);
    if (code != PGC_OK)
        return code;
    run->report->unix_socket = result.unix_socket;
    pgc_ready_judge_connect(&result, ping_only ? PGC_READY_PING : PGC_READY_AUTH, &run->report->verdict);
    note_phases(run, &result, ping_only);
    if (!ping_only && strcmp(result.sqlstate, "28000") == 0)
        return explain_plain_refusal(run, &options, err);
    return PGC_OK;
}

static enum pgc_code read_server(struct run *run, struct pgc_error *err) {
    struct pgc_ready_server *server = &run->report->server;
    int64_t began = pgc_wall_us(run->rt);
    enum pgc_code code = ask(run, pgc_sql_ready_read_server, NULL, 0, err);
    note(run, "query", code == PGC_OK && !refused(run), pgc_wall_us(run->rt) - began);
    if (code != PGC_OK || refused(run))
        return code;
    server->known = true;
    server->version = pgc_probe_server_version(run->probe);
    server->in_recovery = strcmp(pgc_probe_text(run->probe, 0, 0), "t") == 0;
    server->read_only = strcmp(pgc_probe_text(run->probe, 0, 1), "on") == 0;
    snprintf(server->started, sizeof server->started, "%s", pgc_probe_text(run->probe, 0, 2));
    server->on_tcp = strcmp(pgc_probe_text(run->probe, 0, 3), "t") == 0;
    return PGC_OK;
}

static int64_t number_at(const struct pgc_probe *probe, size_t column) {
    return pgc_probe_null(probe, 0, column) ? -1 : strtoll(pgc_probe_text(probe, 0, column), NULL, 10);
}

static enum pgc_code read_replay(struct run *run, struct pgc_error *err) {
    struct pgc_ready_server *server = &run->report->server;
    int64_t began = pgc_wall_us(run->rt);
    enum pgc_code code = ask(run, pgc_sql_ready_read_replay, NULL, 0, err);
    if (code == PGC_OK && !refused(run)) {
        server->lag_known = true;
        server->streaming = strcmp(pgc_probe_text(run->probe, 0, 0), "t") == 0;
        server->lag_bytes = number_at(run->probe, 1);
        server->lag_ms = number_at(run->probe, 2);
        pgc_ready_judge_lag(run->spec, server, &run->report->verdict);
    }
    note(run, "lag", code == PGC_OK && !refused(run), pgc_wall_us(run->rt) - began);
    return code;
}

typedef enum pgc_code query_fn(const struct pgc_ready_spec *spec, struct pgc_probe *probe, int64_t deadline,
                               const struct pgc_runtime *rt, struct pgc_ready_report *report, struct pgc_error *err);

static enum pgc_code step(struct run *run, const char *name, bool wanted, query_fn *fn, struct pgc_error *err) {
    if (!wanted || refused(run))
        return PGC_OK;
    int64_t began = pgc_wall_us(run->rt);
    enum pgc_code code = fn(run->spec, run->probe, run->deadline, run->rt, run->report, err);
    if (code != PGC_OK && code != PGC_E_CANCELLED && code != PGC_E_NOMEM) {
        pgc_ready_judge_query(code, err, &run->report->verdict);
        if (code != PGC_E_SQL) {
            pgc_probe_free(run->probe);
            run->probe = NULL;
        }
        code = PGC_OK;
    }
    note(run, name, code == PGC_OK && !refused(run), pgc_wall_us(run->rt) - began);
    return code;
}

static enum pgc_code question(struct run *run, struct pgc_error *err) {
    const struct pgc_ready_spec *spec = run->spec;
    enum pgc_code code = read_server(run, err);
    if (code != PGC_OK || refused(run))
        return code;
    pgc_ready_judge_role(spec, &run->report->server, &run->report->verdict);
    if (spec->level >= PGC_READY_WRITE || spec->role != PGC_READY_ANY)
        note(run, spec->level >= PGC_READY_WRITE ? "write" : "role", !refused(run), 0);
    if (!refused(run) && (asks_lag(spec) || spec->read_lag) && run->report->server.in_recovery)
        code = read_replay(run, err);
    if (code == PGC_OK)
        code = step(run, "extension", any(spec->extensions), pgc_ready_check_extensions, err);
    if (code == PGC_OK)
        code = step(run, "table", any(spec->tables), pgc_ready_check_tables, err);
    if (code == PGC_OK)
        code = step(run, "migrated", spec->level >= PGC_READY_MIGRATED, pgc_ready_check_ledgers, err);
    return code;
}

static void check_tcp(struct run *run) {
    const struct pgc_ready_target *target = run->target;
    char host[256], port[64], message[256];
    const char *to = target->host, *at = target->port;
    if (target->kind == PGC_READY_POSTGRES) {
        if (!pgc_probe_endpoint(&target->pg, host, sizeof host, port, sizeof port, message, sizeof message)) {
            pgc_ready_refuse(&run->report->verdict, PGC_READY_NO_ATTEMPT, true, "correct the connection options", "%s",
                             message);
            return;
        }
        to = host[0] != '\0' ? host : "/var/run/postgresql";
        at = port;
    }
    int64_t began = pgc_wall_us(run->rt);
    pgc_ready_tcp(to, at, run->rt, run->deadline, &run->report->verdict);
    note(run, "tcp", !refused(run), pgc_wall_us(run->rt) - began);
}

static enum pgc_code check_postgres(struct run *run, struct pgc_error *err) {
    if (run->spec->level == PGC_READY_TCP && !needs_query(run->spec)) {
        check_tcp(run);
        return PGC_OK;
    }
    bool kept = run->probe != NULL;
    enum pgc_code code = kept ? PGC_OK : connect_server(run, err);
    if (code == PGC_OK && !refused(run) && run->probe != NULL && (kept || needs_query(run->spec)))
        code = question(run, err);
    if (code == PGC_OK && run->report->verdict.recovering && run->spec->accept_recovering)
        run->report->verdict = (struct pgc_ready_verdict) { .recovering = true };
    return code;
}

enum pgc_code pgc_ready_check_kept(const struct pgc_ready_spec *spec, const struct pgc_ready_target *target,
                                   const struct pgc_runtime *rt, int64_t deadline, struct pgc_probe **probe,
                                   struct pgc_ready_report *report, struct pgc_error *err) {
    *report = (struct pgc_ready_report) { .attempts = 1, .server = { .lag_bytes = -1, .lag_ms = -1 } };
    int64_t began = pgc_mono_ms(rt);
    if (spec->timeout_ms > 0 && (deadline == PGC_PROBE_NO_DEADLINE || began + spec->timeout_ms < deadline))
        deadline = began + spec->timeout_ms;
    struct run run = { spec, target, rt, deadline, *probe, report };
    enum pgc_code code = PGC_OK;
    int64_t began_us = pgc_wall_us(rt);
    switch (target->kind) {
    case PGC_READY_POSTGRES:
        code = check_postgres(&run, err);
        break;
    case PGC_READY_TCP_PORT:
        check_tcp(&run);
        break;
    case PGC_READY_HTTP:
        pgc_ready_http(target->host, target->port, target->path, rt, deadline, &report->verdict);
        note(&run, "http", !refused(&run), pgc_wall_us(rt) - began_us);
        break;
    }
    *probe = run.probe;
    report->elapsed_ms = pgc_mono_ms(rt) - began;
    return code == PGC_OK ? pgc_check_cancelled(rt, err) : code;
}

enum pgc_code pgc_ready_check(const struct pgc_ready_spec *spec, const struct pgc_ready_target *target,
                              const struct pgc_runtime *rt, int64_t deadline, struct pgc_ready_report *report,
                              struct pgc_error *err) {
    PGC_AUTO(pgc_probe_free) struct pgc_probe *probe = NULL;
    return pgc_ready_check_kept(spec, target, rt, deadline, &probe, report, err);
}
