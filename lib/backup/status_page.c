#include "backup/status_page.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* --- metrics ---------------------------------------------------------------------------------------- */

static void put_label(struct pgc_buf *out, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '\\' || *text == '"')
            pgc_buf_putc(out, '\\');
        if (*text == '\n')
            pgc_buf_puts(out, "\\n");
        else
            pgc_buf_putc(out, *text);
    }
}

enum source { SOURCE_SECONDS, SOURCE_MS, SOURCE_BYTES, SOURCE_FLAG, SOURCE_HEALTH };

/* What a single run knows too: always, or only of a success. */
enum once { ONCE_NEVER, ONCE_SUCCESS, ONCE_ALWAYS };

static const struct {
    const char *name, *help;
    enum source source;
    size_t offset;
    enum once once;
} gauges[] = {
    { "pgc_backup_last_success_timestamp_seconds", "End of the last run that succeeded.", SOURCE_SECONDS,
      offsetof(struct pgc_agenda_job, last_success_s), ONCE_SUCCESS },
    { "pgc_backup_last_attempt_timestamp_seconds", "Start of the last run.", SOURCE_SECONDS,
      offsetof(struct pgc_agenda_job, last_start_s), ONCE_ALWAYS },
    { "pgc_backup_next_run_timestamp_seconds", "When the job runs next.", SOURCE_SECONDS,
      offsetof(struct pgc_agenda_job, next_s), ONCE_NEVER },
    { "pgc_backup_last_duration_seconds", "How long the last run took.", SOURCE_MS,
      offsetof(struct pgc_agenda_job, last_duration_ms), ONCE_ALWAYS },
    { "pgc_backup_last_size_bytes", "Stored bytes of the last run that succeeded.", SOURCE_BYTES,
      offsetof(struct pgc_agenda_job, last_bytes), ONCE_SUCCESS },
    { "pgc_backup_running", "1 while the job runs.", SOURCE_FLAG, offsetof(struct pgc_agenda_job, running),
      ONCE_NEVER },
    { "pgc_backup_healthy", "1 unless the last success is older than the schedule and its grace allow.", SOURCE_HEALTH,
      0, ONCE_NEVER },
};

static void put_value(struct pgc_buf *out, const struct pgc_agenda_job *job, enum source source, size_t offset,
                      int64_t now_s) {
    const void *slot = (const char *)job + offset;
    switch (source) {
    case SOURCE_SECONDS:
        pgc_buf_putf(out, "%" PRId64, *(const int64_t *)slot);
        break;
    case SOURCE_MS:
        pgc_buf_putf(out, "%.3f", (double)*(const int64_t *)slot / 1000);
        break;
    case SOURCE_BYTES:
        pgc_buf_putf(out, "%" PRIu64, *(const uint64_t *)slot);
        break;
    case SOURCE_FLAG:
        pgc_buf_putf(out, "%d", *(const bool *)slot);
        break;
    case SOURCE_HEALTH:
        pgc_buf_putf(out, "%d", pgc_agenda_healthy(job, now_s));
        break;
    }
}

static void put_head(struct pgc_buf *out, const char *name, const char *help, const char *type) {
    pgc_buf_putf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_gauge(struct pgc_buf *out, size_t g, const struct pgc_agenda_job *job, int64_t now_s) {
    pgc_buf_putf(out, "%s{job=\"", gauges[g].name);
    put_label(out, job->name);
    pgc_buf_puts(out, "\"} ");
    put_value(out, job, gauges[g].source, gauges[g].offset, now_s);
    pgc_buf_putc(out, '\n');
}

static void put_build(struct pgc_buf *out, const char *version) {
    put_head(out, "pgc_build_info", "Version of pgc.", "gauge");
    pgc_buf_putf(out, "pgc_build_info{version=\"%s\"} 1\n", version);
}

void pgc_status_metrics_once(struct pgc_buf *out, const struct pgc_agenda_job *job, const char *version) {
    for (size_t g = 0; g < sizeof gauges / sizeof gauges[0]; g++) {
        if (gauges[g].once == ONCE_NEVER || (gauges[g].once == ONCE_SUCCESS && job->last_success_s == 0))
            continue;
        put_head(out, gauges[g].name, gauges[g].help, "gauge");
        put_gauge(out, g, job, 0);
    }
    put_build(out, version);
}

void pgc_status_metrics_reread(const char *text, struct pgc_agenda_job *job) {
    for (size_t g = 0; g < sizeof gauges / sizeof gauges[0]; g++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf line = PGC_BUF_INIT;
        if (gauges[g].once != ONCE_SUCCESS)
            continue;
        pgc_buf_putf(&line, "\n%s{job=\"", gauges[g].name);
        put_label(&line, job->name);
        pgc_buf_puts(&line, "\"} ");
        const char *found = strstr(text, line.data);
        int64_t value = found != NULL ? strtoll(found + line.len, NULL, 10) : 0;
        memcpy((char *)job + gauges[g].offset, &value, sizeof value);
    }
}

void pgc_status_metrics(struct pgc_buf *out, const struct pgc_agenda *agenda, const char *version, int64_t now_s) {
    for (size_t g = 0; g < sizeof gauges / sizeof gauges[0]; g++) {
        put_head(out, gauges[g].name, gauges[g].help, "gauge");
        for (size_t i = 0; i < agenda->count; i++)
            put_gauge(out, g, &agenda->jobs[i], now_s);
    }
    put_head(out, "pgc_backup_runs_total", "Runs by result.", "counter");
    for (size_t i = 0; i < agenda->count; i++) {
        const struct pgc_agenda_job *job = &agenda->jobs[i];
        const struct {
            const char *result;
            uint64_t count;
        } rows[] = { { "success", job->successes }, { "failure", job->failures }, { "skipped", job->skipped } };
        for (size_t r = 0; r < 3; r++) {
            pgc_buf_puts(out, "pgc_backup_runs_total{job=\"");
            put_label(out, job->name);
            pgc_buf_putf(out, "\",result=\"%s\"} %" PRIu64 "\n", rows[r].result, rows[r].count);
        }
    }
    put_build(out, version);
}

/* --- JSON and health -------------------------------------------------------------------------------- */

static void put_time(struct pgc_buf *out, const char *key, int64_t unix_s) {
    pgc_buf_putf(out, ",\"%s\":", key);
    if (unix_s == 0) {
        pgc_buf_puts(out, "null");
        return;
    }
    pgc_buf_putc(out, '"');
    pgc_text_rfc3339(out, unix_s * 1000000, false);
    pgc_buf_putc(out, '"');
}

static const char *outcome_name(const struct pgc_agenda_job *job) {
    static const char *const names[] = { "never", "success", "failure" };
    return job->running ? "running" : names[job->last_outcome];
}

void pgc_status_json(struct pgc_buf *out, const struct pgc_agenda *agenda, int64_t now_s) {
    pgc_buf_puts(out, "{\"jobs\":[");
    for (size_t i = 0; i < agenda->count; i++) {
        const struct pgc_agenda_job *job = &agenda->jobs[i];
        pgc_buf_puts(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        pgc_text_json(out, job->name);
        pgc_buf_puts(out, ",\"schedule\":");
        pgc_text_json(out, job->schedule);
        pgc_buf_puts(out, ",\"timezone\":");
        pgc_text_json(out, job->timezone);
        pgc_buf_putf(out, ",\"state\":\"%s\",\"healthy\":%s", outcome_name(job),
                     pgc_agenda_healthy(job, now_s) ? "true" : "false");
        put_time(out, "next", job->next_s);
        put_time(out, "last_start", job->last_start_s);
        put_time(out, "last_success", job->last_success_s);
        pgc_buf_putf(out,
                     ",\"last_size_bytes\":%" PRIu64 ",\"last_duration_ms\":%" PRId64 ",\"successes\":%" PRIu64
                     ",\"failures\":%" PRIu64 ",\"skipped\":%" PRIu64 ",\"last_error\":",
                     job->last_bytes, job->last_duration_ms, job->successes, job->failures, job->skipped);
        pgc_text_json(out, job->last_error);
        pgc_buf_putc(out, '}');
    }
    pgc_buf_puts(out, "]}\n");
}

bool pgc_status_health(struct pgc_buf *out, const struct pgc_agenda *agenda, int64_t now_s) {
    bool healthy = true;
    for (size_t i = 0; i < agenda->count; i++) {
        const struct pgc_agenda_job *job = &agenda->jobs[i];
        if (pgc_agenda_healthy(job, now_s))
            continue;
        healthy = false;
        pgc_buf_putf(out, "job %s: ", job->name);
        if (job->last_success_s == 0) {
            pgc_buf_puts(out, "no success yet\n");
            continue;
        }
        pgc_buf_puts(out, "last success ");
        pgc_text_rfc3339(out, job->last_success_s * 1000000, false);
        pgc_buf_putc(out, '\n');
    }
    if (healthy)
        pgc_buf_puts(out, "ok\n");
    return healthy;
}

/* --- page ------------------------------------------------------------------------------------------- */

static void put_when(struct pgc_buf *out, int64_t unix_s, int64_t now_s) {
    if (unix_s == 0) {
        pgc_buf_puts(out, "<span class=dim>never</span>");
        return;
    }
    int64_t distance = unix_s > now_s ? unix_s - now_s : now_s - unix_s;
    const char *unit = distance < 120 ? "s" : distance < 7200 ? "min" : distance < 172800 ? "h" : "d";
    int64_t value = distance < 120      ? distance
                    : distance < 7200   ? distance / 60
                    : distance < 172800 ? distance / 3600
                                        : distance / 86400;
    pgc_buf_puts(out, "<time>");
    pgc_text_rfc3339(out, unix_s * 1000000, false);
    pgc_buf_putf(out, "</time> <span class=dim>%s%" PRId64 " %s%s</span>", unix_s > now_s ? "in " : "", value, unit,
                 unix_s > now_s ? "" : " ago");
}

/* Bars of the last runs: height by size, failures as full thin bars of another colour. */
static void put_chart(struct pgc_buf *out, const struct pgc_agenda_job *job) {
    uint64_t most = 1;
    for (size_t i = 0; i < job->history_count; i++)
        most = job->history[i].bytes > most ? job->history[i].bytes : most;
    pgc_buf_puts(out, "<svg width=180 height=32 role=img aria-label=\"sizes of the last runs\">");
    for (size_t i = 0; i < job->history_count; i++) {
        const struct pgc_agenda_point *p = &job->history[i];
        int height = p->success ? 2 + (int)(28 * (double)p->bytes / (double)most) : 30;
        pgc_buf_putf(out, "<rect x=%zu y=%d width=%d height=%d class=%s />", i * 6, 31 - height, p->success ? 5 : 2,
                     height, p->success ? "good" : "bad");
    }
    pgc_buf_puts(out, "</svg>");
}

static const char *badge_of(const struct pgc_agenda_job *job, bool healthy) {
    if (!healthy || (!job->running && job->last_outcome == PGC_AGENDA_FAILURE))
        return "late";
    return job->last_outcome == PGC_AGENDA_SUCCESS ? "ok" : "new";
}

static void put_row(struct pgc_buf *out, const struct pgc_agenda_job *job, int64_t now_s) {
    bool healthy = pgc_agenda_healthy(job, now_s);
    pgc_buf_puts(out, job->last_error[0] != '\0' ? "<tr class=failed><td><b>" : "<tr><td><b>");
    pgc_text_markup(out, job->name);
    pgc_buf_puts(out, "</b><br><code>");
    pgc_text_markup(out, job->schedule);
    pgc_buf_puts(out, "</code> <span class=dim>");
    pgc_text_markup(out, job->timezone);
    pgc_buf_putf(out, "</span></td><td><span class=\"badge %s\">%s</span></td><td>", badge_of(job, healthy),
                 !healthy ? "late" : outcome_name(job));
    put_when(out, job->last_success_s, now_s);
    pgc_buf_puts(out, "</td><td>");
    put_when(out, job->next_s, now_s);
    pgc_buf_puts(out, "</td><td>");
    if (job->last_bytes > 0)
        pgc_text_bytes(out, job->last_bytes);
    pgc_buf_puts(out, "</td><td>");
    put_chart(out, job);
    pgc_buf_puts(out, "</td></tr>");
    if (job->last_error[0] != '\0') {
        pgc_buf_puts(out, "<tr class=error><td colspan=6>");
        pgc_text_markup(out, job->last_error);
        pgc_buf_puts(out, "</td></tr>");
    }
}

static const char style[] =
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 "
    "1rem;color:#1b2733;background:#fbfcfd}"
    "h1{font-size:1.4rem}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.6rem "
    ".8rem;border-bottom:1px solid "
    "#e3e8ee;vertical-align:top}th{font-weight:600;color:#5b6b7b;font-size:.85rem}.dim{color:#5b6b7b;font-size:.85rem}"
    "td .dim,time{white-space:nowrap}.failed td{border-bottom:0}.error "
    "td{padding-top:0}.new{background:#e7ecf2;color:#33475b}"
    ".badge{padding:.1rem "
    ".6rem;border-radius:1rem;font-size:.85rem}.ok{background:#dff3e4;color:#14532d}.late{background:#fde2e1;"
    "color:#7f1d1d}.good{fill:#4c8bf5}.bad{fill:#c0392b}.error "
    "td{color:#7f1d1d;font-family:monospace;font-size:.85rem;border-top:0}"
    "@media(prefers-color-scheme:dark){body{background:#12181f;color:#e6edf3}th,td{border-color:#2b3540}"
    "a{color:#7fb0ff}.dim,th{color:#93a4b5}.error td{color:#ff9d97}}";

void pgc_status_html(struct pgc_buf *out, const struct pgc_agenda *agenda, const char *version, int64_t now_s) {
    pgc_buf_putf(
        out,
        "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content=\"width=device-width\">"
        "<meta http-equiv=refresh content=30><title>pgc backup</title><style>%s</style></head><body><h1>pgc backup</h1>"
        "<table><thead><tr><th>Job</th><th>State</th><th>Last success</th><th>Next run</th><th>Size</th><th>Last "
        "runs</th></tr>"
        "</thead><tbody>",
        style);
    for (size_t i = 0; i < agenda->count; i++)
        put_row(out, &agenda->jobs[i], now_s);
    pgc_buf_puts(out, "</tbody></table><p class=dim>");
    pgc_text_rfc3339(out, now_s * 1000000, false);
    pgc_buf_putf(out,
                 " &middot; pgc %s &middot; <a href=/metrics>metrics</a> &middot; <a "
                 "href=/status.json>JSON</a></p></body></html>\n",
                 version);
}
