#include "ready/report.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/text.h"

void pgc_ready_put_ready(struct pgc_buf *out, const struct pgc_ready_spec *spec, const struct pgc_ready_target *target,
                         const struct pgc_ready_report *report) {
    pgc_buf_putf(out, "%s - ", target->text);
    if (report->verdict.recovering)
        pgc_buf_puts(out, "alive, recovering");
    else
        pgc_buf_puts(out, "ready");
    if (target->kind == PGC_READY_POSTGRES && !report->verdict.recovering) {
        pgc_buf_putf(out, " (%s", pgc_ready_level_name(spec->level));
        if (report->server.known)
            pgc_buf_puts(out, report->server.in_recovery ? ", standby" : ", primary");
        if (report->server.migration[0] != '\0')
            pgc_buf_putf(out, ", %s %s", report->server.ledger, report->server.migration);
        pgc_buf_putc(out, ')');
    }
    pgc_buf_putc(out, '\n');
}

void pgc_ready_put_reason(struct pgc_buf *out, const struct pgc_ready_target *target,
                          const struct pgc_ready_report *report) {
    pgc_buf_putf(out, "%s: %s", target->text, report->verdict.reason);
    if (report->verdict.hint[0] != '\0')
        pgc_buf_putf(out, ": %s", report->verdict.hint);
}

void pgc_ready_put_ping(struct pgc_buf *out, const struct pgc_ready_target *target, int status) {
    static const char *const words[] = { "accepting connections", "rejecting connections", "no response",
                                         "no attempt" };
    char host[256], port[64], message[256];
    if (!pgc_probe_endpoint(&target->pg, host, sizeof host, port, sizeof port, message, sizeof message))
        return;
    pgc_buf_putf(out, "%s:%s - %s\n", host, port, status >= 0 && status < 4 ? words[status] : "unknown");
}

static void put_server(struct pgc_buf *out, const struct pgc_ready_server *server) {
    pgc_buf_putf(out, ",\"server\":{\"version\":%d,\"in_recovery\":%s,\"read_only\":%s,\"started\":%s", server->version,
                 server->in_recovery ? "true" : "false", server->read_only ? "true" : "false",
                 server->started[0] != '\0' ? server->started : "null");
    if (server->lag_known) {
        pgc_buf_putf(out, ",\"streaming\":%s", server->streaming ? "true" : "false");
        if (server->lag_bytes >= 0)
            pgc_buf_putf(out, ",\"lag_bytes\":%" PRId64, server->lag_bytes);
        if (server->lag_ms >= 0)
            pgc_buf_putf(out, ",\"lag_ms\":%" PRId64, server->lag_ms);
    }
    if (server->ledger[0] != '\0') {
        pgc_buf_puts(out, ",\"ledger\":");
        pgc_text_json(out, server->ledger);
        pgc_buf_puts(out, ",\"migration\":");
        pgc_text_json(out, server->migration);
    }
    pgc_buf_putc(out, '}');
}

void pgc_ready_put_target_json(struct pgc_buf *out, const struct pgc_ready_target *target,
                               const struct pgc_ready_report *report) {
    const struct pgc_ready_verdict *verdict = &report->verdict;
    pgc_buf_puts(out, "{\"target\":");
    pgc_text_json(out, target->text);
    pgc_buf_putf(out, ",\"ready\":%s,\"status\":%d,\"state\":", verdict->status == PGC_READY_OK ? "true" : "false",
                 (int)verdict->status);
    pgc_text_json(out, pgc_ready_status_name(verdict->status));
    if (verdict->recovering)
        pgc_buf_puts(out, ",\"recovering\":true");
    if (verdict->reason[0] != '\0') {
        pgc_buf_puts(out, ",\"reason\":");
        pgc_text_json(out, verdict->reason);
        pgc_buf_puts(out, ",\"hint\":");
        pgc_text_json(out, verdict->hint);
    }
    if (verdict->sqlstate[0] != '\0') {
        pgc_buf_puts(out, ",\"sqlstate\":");
        pgc_text_json(out, verdict->sqlstate);
    }
    pgc_buf_putf(out, ",\"attempts\":%" PRId64 ",\"elapsed_ms\":%" PRId64 ",\"checks\":[", report->attempts,
                 report->elapsed_ms);
    for (size_t i = 0; i < report->check_count; i++)
        pgc_buf_putf(out, "%s{\"name\":\"%s\",\"ok\":%s,\"ms\":%.3f}", i > 0 ? "," : "", report->checks[i].name,
                     report->checks[i].ok ? "true" : "false", (double)report->checks[i].us / 1000);
    pgc_buf_putc(out, ']');
    if (report->server.known)
        put_server(out, &report->server);
    pgc_buf_putc(out, '}');
}

void pgc_ready_put_json(struct pgc_buf *out, const struct pgc_ready_spec *spec, const struct pgc_ready_target *targets,
                        const struct pgc_ready_report *reports, size_t count, int status) {
    pgc_buf_putf(out, "{\"ready\":%s,\"status\":%d,\"level\":\"%s\",\"targets\":[", status == 0 ? "true" : "false",
                 status, pgc_ready_level_name(spec->level));
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            pgc_buf_putc(out, ',');
        pgc_ready_put_target_json(out, &targets[i], &reports[i]);
    }
    pgc_buf_puts(out, "]}\n");
}
