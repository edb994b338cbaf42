#include "parts/backup_tell.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backup/oneshot.h"
#include "backup/template.h"

void tell_host(char *out, size_t cap) {
    if (gethostname(out, cap - 1) != 0)
        snprintf(out, cap, "localhost");
    out[cap - 1] = '\0';
}

enum pgc_code notify_check(const struct notify_settings *settings, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < settings->targets.count; i++)
        code = pgc_notify_check(settings->targets.items[i], err);
    if (code == PGC_OK && settings->body_template != NULL)
        code = pgc_template_check(settings->body_template, err);
    return code;
}

struct pgc_notify_to notify_to(const struct notify_settings *settings) {
    return (struct pgc_notify_to) { .targets = &settings->targets,
                                    .successes = settings->successes,
                                    .secret = settings->secret,
                                    .body_template = settings->body_template,
                                    .smtp_password = settings->smtp_password };
}

enum pgc_code tell_check(const struct tell_settings *settings, struct pgc_error *err) {
    if (settings->pushgateway != NULL && strncmp(settings->pushgateway, "http://", 7) != 0 &&
        strncmp(settings->pushgateway, "https://", 8) != 0)
        return pgc_fail(err, PGC_E_USAGE, "--pushgateway: an http:// or https:// URL is wanted");
    return notify_check(&settings->notify, err);
}

static void publish(const struct tell *tell, bool success, int64_t ms, uint64_t bytes) {
    const struct tell_settings *s = tell->settings;
    const struct pgc_runtime *rt = tell->log.inner;
    struct pgc_oneshot run = { .job = s->job,
                               .host = tell->host,
                               .command = tell->command,
                               .start_s = tell->start_us / 1000000,
                               .end_s = pgc_wall_us(rt) / 1000000,
                               .duration_ms = ms,
                               .bytes = bytes,
                               .success = success };
    struct pgc_error err;
    if (s->metrics_file != NULL && pgc_oneshot_write(&run, s->metrics_file, &err) != PGC_OK)
        pgc_log(rt, PGC_LOG_WARN, "backup.metrics_failed", "cannot write metrics",
                PGC_LOG_TEXT("error.message", err.message));
    if (s->pushgateway != NULL && pgc_oneshot_push(&run, s->pushgateway, rt, &err) != PGC_OK)
        pgc_log(rt, PGC_LOG_WARN, "backup.metrics_failed", "cannot push metrics",
                PGC_LOG_TEXT("error.message", err.message));
}

static void notify(struct tell *tell, enum pgc_notify_event event, const char *detail, int64_t ms, uint64_t bytes) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf log = PGC_BUF_INIT;
    struct pgc_notify_to to = notify_to(&tell->settings->notify);
    pgc_log_tail_copy(&tell->log, &log);
    struct pgc_notice notice = { .event = event,
                                 .verify = strcmp(tell->command, "verify") == 0,
                                 .job = tell->settings->job,
                                 .host = tell->host,
                                 .detail = detail,
                                 .log = log.data,
                                 .run_id = tell->run_id,
                                 .time_us = pgc_wall_us(tell->log.inner),
                                 .duration_ms = ms,
                                 .bytes = bytes };
    pgc_notify_all(&to, &notice, tell->log.inner);
}

void tell_started(struct tell *tell, const char *command, const struct tell_settings *settings,
                  const struct pgc_runtime *rt) {
    struct pgc_error ignored;
    *tell = (struct tell) {
        .settings = settings, .command = command, .start_ms = pgc_mono_ms(rt), .start_us = pgc_wall_us(rt)
    };
    pgc_log_tail_init(&tell->log, rt);
    tell_host(tell->host, sizeof tell->host);
    if (pgc_notify_id(tell->run_id, &ignored) != PGC_OK)
        tell->run_id[0] = '\0';
    notify(tell, PGC_NOTIFY_START, "", 0, 0);
}

void tell_ended(struct tell *tell, enum pgc_code code, const char *detail, uint64_t bytes) {
    int64_t ms = pgc_mono_ms(tell->log.inner) - tell->start_ms;
    publish(tell, code == PGC_OK, ms, bytes);
    notify(tell, code == PGC_OK ? PGC_NOTIFY_SUCCESS : PGC_NOTIFY_FAILURE, detail, ms, bytes);
    pgc_log_tail_release(&tell->log);
}
