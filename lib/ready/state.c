#include "ready/state.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/text.h"
#include "ready/report.h"
#include "ready/verdict.h"

bool pgc_ready_state_feed(struct pgc_ready_state *state, const struct pgc_ready_report *report, int64_t now_ms) {
    bool good = report->verdict.status == PGC_READY_OK, before = state->ready;
    state->report = *report;
    state->last_ms = now_ms;
    state->checks++;
    state->failures += good ? 0 : 1;
    if (good)
        state->streak = state->streak > 0 ? state->streak + 1 : 1;
    else
        state->streak = state->streak < 0 ? state->streak - 1 : -1;
    if (state->streak >= state->rise || (good && !state->started))
        state->ready = true;
    else if (-state->streak >= state->fall)
        state->ready = false;
    state->started |= state->ready;
    state->changes += before != state->ready;
    return before != state->ready;
}

static bool is_fresh(const struct pgc_ready_state *state, int64_t now_ms) {
    return state->checks > 0 && now_ms - state->last_ms <= state->stale_ms;
}

static void put_word(struct pgc_buf *out, const char *word, bool value, const char *reason) {
    pgc_buf_putf(out, "{\"%s\":%s", word, value ? "true" : "false");
    if (reason != NULL && reason[0] != '\0') {
        pgc_buf_puts(out, ",\"reason\":");
        pgc_text_json(out, reason);
    }
    pgc_buf_puts(out, "}\n");
}

static void answer_readyz(const struct pgc_ready_state *state, int64_t now_ms, struct pgc_ready_answer *answer) {
    bool fresh = is_fresh(state, now_ms), ready = state->ready && fresh;
    answer->status = ready ? 200 : 503;
    pgc_buf_putf(&answer->body, "{\"ready\":%s,\"age_ms\":%" PRId64 ",\"last_check\":", ready ? "true" : "false",
                 state->checks > 0 ? now_ms - state->last_ms : -1);
    if (state->checks > 0)
        pgc_ready_put_target_json(&answer->body, state->target, &state->report);
    else
        pgc_buf_puts(&answer->body, "null");
    if (state->checks > 0 && !fresh)
        pgc_buf_puts(&answer->body, ",\"reason\":\"the last check is too old\"");
    pgc_buf_puts(&answer->body, "}\n");
}

/* The role is of the last check: a promotion is not smoothed over. */
static void answer_primary(const struct pgc_ready_state *state, int64_t now_ms, struct pgc_ready_answer *answer) {
    bool up = state->ready && is_fresh(state, now_ms), is = up && !state->report.server.in_recovery;
    answer->status = is ? 200 : 503;
    put_word(&answer->body, "primary", is, is ? NULL : up ? "the server is a standby" : "the server is not ready");
}

static bool parse_lag(const char *query, struct pgc_ready_spec *spec) {
    const char *lag = query != NULL && strncmp(query, "lag=", 4) == 0 ? query + 4 : NULL;
    *spec = (struct pgc_ready_spec) { .max_lag_bytes = -1, .max_lag_ms = -1 };
    if (lag == NULL || lag[0] == '\0')
        return query == NULL || query[0] == '\0';
    struct pgc_error ignored;
    uint64_t bytes;
    if (strchr("smhdw", lag[strlen(lag) - 1]) != NULL)
        return pgc_parse_duration_ms(lag, &spec->max_lag_ms, &ignored) == PGC_OK;
    if (pgc_parse_size(lag, &bytes, &ignored) != PGC_OK || bytes > INT64_MAX)
        return false;
    spec->max_lag_bytes = (int64_t)bytes;
    return true;
}

static void answer_replica(const struct pgc_ready_state *state, const char *query, int64_t now_ms,
                           struct pgc_ready_answer *answer) {
    struct pgc_ready_spec spec;
    if (!parse_lag(query, &spec)) {
        answer->status = 400;
        put_word(&answer->body, "replica", false, "expected /replica?lag=16MB or /replica?lag=10s");
        return;
    }
    struct pgc_ready_verdict verdict = { 0 };
    bool up = state->ready && is_fresh(state, now_ms);
    if (!up)
        pgc_ready_refuse(&verdict, PGC_READY_NO_RESPONSE, false, "", "the server is not ready");
    else if (!state->report.server.in_recovery)
        pgc_ready_refuse(&verdict, PGC_READY_WRONG_ROLE, false, "", "the server is a primary");
    else
        pgc_ready_judge_lag(&spec, &state->report.server, &verdict);
    answer->status = verdict.status == PGC_READY_OK ? 200 : 503;
    pgc_buf_putf(&answer->body, "{\"replica\":%s,\"lag_bytes\":%" PRId64 ",\"lag_ms\":%" PRId64 ",\"reason\":",
                 answer->status == 200 ? "true" : "false", state->report.server.lag_bytes, state->report.server.lag_ms);
    pgc_text_json(&answer->body, verdict.reason);
    pgc_buf_puts(&answer->body, "}\n");
}

static void put_metric(struct pgc_buf *out, const char *name, const char *type, const char *help, double value) {
    pgc_buf_putf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.15g\n", name, help, name, type, name, value);
}

static void answer_metrics(const struct pgc_ready_state *state, int64_t now_ms, struct pgc_ready_answer *answer) {
    struct pgc_buf *out = &answer->body;
    const struct pgc_ready_server *server = &state->report.server;
    answer->type = "text/plain; version=0.0.4; charset=utf-8";
    put_metric(out, "pgc_ready", "gauge", "1 when /readyz answers 200.", state->ready && is_fresh(state, now_ms));
    put_metric(out, "pgc_ready_status", "gauge", "Exit status of the last check as of pgc ready.",
               state->report.verdict.status);
    put_metric(out, "pgc_ready_checks_total", "counter", "Checks made.", (double)state->checks);
    put_metric(out, "pgc_ready_failures_total", "counter", "Checks that found the server not ready.",
               (double)state->failures);
    put_metric(out, "pgc_ready_connects_total", "counter", "Connections opened to the database.",
               (double)state->connects);
    put_metric(out, "pgc_ready_changes_total", "counter", "Changes of the published verdict.", (double)state->changes);
    put_metric(out, "pgc_ready_check_seconds", "gauge", "Duration of the last check.",
               (double)state->report.elapsed_ms / 1000);
    if (!server->known)
        return;
    put_metric(out, "pgc_ready_in_recovery", "gauge", "1 on a standby.", server->in_recovery);
    put_metric(out, "pgc_ready_postmaster_start_time_seconds", "gauge", "Start of the server.",
               strtod(server->started, NULL));
    if (server->lag_known && server->lag_bytes >= 0)
        put_metric(out, "pgc_ready_replay_lag_bytes", "gauge", "WAL received and not replayed.",
                   (double)server->lag_bytes);
    if (server->lag_known && server->lag_ms >= 0)
        put_metric(out, "pgc_ready_replay_lag_seconds", "gauge", "Age of the last replayed transaction when behind.",
                   (double)server->lag_ms / 1000);
}

void pgc_ready_state_answer(const struct pgc_ready_state *state, const char *path, int64_t now_ms,
                            struct pgc_ready_answer *answer) {
    const char *query = strchr(path, '?');
    size_t len = query != NULL ? (size_t)(query - path) : strlen(path);
    query = query != NULL ? query + 1 : NULL;
    char name[32] = "";
    if (len < sizeof name)
        memcpy(name, path, len);
    answer->status = 200;
    answer->type = "application/json";
    if (strcmp(name, "/livez") == 0) {
        put_word(&answer->body, "alive", true, NULL);
    } else if (strcmp(name, "/readyz") == 0 || strcmp(name, "/") == 0) {
        answer_readyz(state, now_ms, answer);
    } else if (strcmp(name, "/startupz") == 0) {
        answer->status = state->started ? 200 : 503;
        put_word(&answer->body, "started", state->started, state->started ? NULL : state->report.verdict.reason);
    } else if (strcmp(name, "/primary") == 0) {
        answer_primary(state, now_ms, answer);
    } else if (strcmp(name, "/replica") == 0) {
        answer_replica(state, query, now_ms, answer);
    } else if (strcmp(name, "/metrics") == 0) {
        answer_metrics(state, now_ms, answer);
    } else {
        answer->status = 404;
        put_word(&answer->body, "known", false, "known: /livez /readyz /startupz /primary /replica?lag=16MB /metrics");
    }
}
