#include "backup/status_page.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

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

static void put_member(struct pgc_buf *out, const char *key, const char *text) {
    pgc_buf_putf(out, "%s\"%s\":", strcmp(key, "name") == 0 ? "{" : ",", key);
    pgc_text_json(out, text);
}

void pgc_status_json(struct pgc_buf *out, const struct pgc_agenda *agenda, int64_t now_s) {
    pgc_buf_puts(out, "{\"jobs\":[");
    for (size_t i = 0; i < agenda->count; i++) {
        const struct pgc_agenda_job *job = &agenda->jobs[i];
        pgc_buf_puts(out, i > 0 ? "," : "");
        put_member(out, "name", job->name);
        put_member(out, "schedule", job->schedule);
        put_member(out, "timezone", job->timezone);
        put_member(out, "command", job->command);
        put_member(out, "subject", job->subject);
        pgc_buf_putf(out, ",\"state\":\"%s\",\"healthy\":%s,\"damaged\":%s", outcome_name(job),
                     pgc_agenda_healthy(job, now_s) ? "true" : "false", job->damaged ? "true" : "false");
        put_time(out, "next", job->next_s);
        put_time(out, "last_start", job->last_start_s);
        put_time(out, "last_success", job->last_success_s);
        put_time(out, "verified", job->verified_s);
        put_time(out, "restored", job->restored_s);
        pgc_buf_putf(out,
                     ",\"last_size_bytes\":%" PRIu64 ",\"last_duration_ms\":%" PRId64 ",\"successes\":%" PRIu64
                     ",\"failures\":%" PRIu64 ",\"skipped\":%" PRIu64,
                     job->last_bytes, job->last_duration_ms, job->successes, job->failures, job->skipped);
        put_member(out, "last_error", job->last_error);
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
        if (job->damaged) {
            pgc_buf_puts(out, "a backup is damaged\n");
            continue;
        }
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

/* --- words ------------------------------------------------------------------------------------------ */

/* "3 h", the two most are enough. */
static void put_distance(struct pgc_buf *out, int64_t seconds) {
    static const struct {
        int64_t below, unit;
        const char *name;
    } steps[] = { { 120, 1, "s" }, { 7200, 60, "min" }, { 172800, 3600, "h" }, { INT64_MAX, 86400, "d" } };
    for (size_t i = 0;; i++)
        if (seconds < steps[i].below) {
            pgc_buf_putf(out, "%" PRId64 "&nbsp;%s", seconds / steps[i].unit, steps[i].name);
            return;
        }
}

/* How far away, and below it the time itself. */
static void put_when(struct pgc_buf *out, int64_t unix_s, int64_t now_s) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    bool later = unix_s > now_s;
    if (unix_s == 0) {
        pgc_buf_puts(out, "<span class=dim>never</span>");
        return;
    }
    pgc_text_rfc3339(&text, unix_s * 1000000, false);
    pgc_buf_puts(out, later ? "in " : "");
    put_distance(out, later ? unix_s - now_s : now_s - unix_s);
    pgc_buf_puts(out, later ? "" : " ago");
    /* 2026-01-31T02:30:00Z is read as 2026-01-31 02:30 UTC */
    pgc_buf_putf(out, "<br><time datetime=\"%s\">%.10s %.5s UTC</time>", text.data, text.data, text.data + 11);
}

enum mood { MOOD_GOOD, MOOD_WAIT, MOOD_WARN, MOOD_BAD };
static const char *const moods[] = { "good", "wait", "warn", "bad" };
static const char *const signs[] = { "&#10003;", "&#8943;", "!", "&#10007;" };

static void put_badge(struct pgc_buf *out, enum mood mood, const char *word) {
    pgc_buf_putf(out, "<span class=\"badge %s\"><span aria-hidden=true>%s</span> %s</span>", moods[mood], signs[mood],
                 word);
}

static const char *state_of(const struct pgc_agenda_job *job, int64_t now_s, enum mood *mood) {
    bool late = !pgc_agenda_in_time(job, now_s);
    *mood = late ? MOOD_BAD : MOOD_WAIT;
    if (job->running)
        return late ? "running, late" : "running";
    if (late)
        return "late";
    *mood = MOOD_BAD;
    if (job->last_outcome == PGC_AGENDA_FAILURE)
        return "failed";
    *mood = job->last_success_s > 0 ? MOOD_GOOD : MOOD_WAIT;
    return job->last_success_s > 0 ? "ok" : "waiting";
}

static const struct pgc_agenda_job *proof_of(const struct pgc_agenda *agenda, const struct pgc_agenda_job *job) {
    for (size_t i = 0; i < agenda->count; i++)
        if (pgc_agenda_is_proof(&agenda->jobs[i]) && strcmp(agenda->jobs[i].subject, job->name) == 0)
            return &agenda->jobs[i];
    return NULL;
}

/* Somebody has to look; a new try that runs does not make a failure undone. */
static bool is_bad(const struct pgc_agenda *agenda, const struct pgc_agenda_job *job, int64_t now_s) {
    const struct pgc_agenda_job *proof = proof_of(agenda, job);
    return !pgc_agenda_in_time(job, now_s) || job->last_outcome == PGC_AGENDA_FAILURE || job->damaged ||
           (proof != NULL && (!pgc_agenda_healthy(proof, now_s) || proof->last_outcome == PGC_AGENDA_FAILURE));
}

static bool is_unproven(const struct pgc_agenda_job *job) {
    return pgc_agenda_is_backup(job) && job->verified_s == 0;
}

/* --- chart ------------------------------------------------------------------------------------------ */

#define BAR_STEP    6
#define CHART_WIDTH (PGC_AGENDA_HISTORY * BAR_STEP)
#define CHART_HIGH  34

/* Bars of the last runs, the newest to the right: height by size, a failure is a cross on the ground. */
static void put_bar(struct pgc_buf *out, const struct pgc_agenda_point *p, size_t x, uint64_t most) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf when = PGC_BUF_INIT;
    int high = 2 + (int)((CHART_HIGH - 4) * (double)p->bytes / (double)most);
    pgc_text_rfc3339(&when, p->end_s * 1000000, false);
    if (p->success)
        pgc_buf_putf(out, "<rect class=size x=%zu y=%d width=%d height=%d rx=1><title>%.10s %.5s: ", x,
                     CHART_HIGH - high, BAR_STEP - 2, high, when.data, when.data + 11);
    else
        pgc_buf_putf(out, "<path class=miss d=\"M%zu %dl5 6m0 -6l-5 6\"><title>%.10s %.5s: failed", x, CHART_HIGH - 8,
                     when.data, when.data + 11);
    if (p->success)
        pgc_text_bytes(out, p->bytes);
    pgc_buf_puts(out, p->success ? "</title></rect>" : "</title></path>");
}

static void put_chart(struct pgc_buf *out, const struct pgc_agenda_job *job) {
    uint64_t most = 1;
    size_t failed = 0, first = PGC_AGENDA_HISTORY - job->history_count;
    for (size_t i = 0; i < job->history_count; i++) {
        most = job->history[i].bytes > most ? job->history[i].bytes : most;
        failed += !job->history[i].success;
    }
    if (job->history_count == 0) {
        pgc_buf_puts(out, "<span class=dim>no runs yet</span>");
        return;
    }
    pgc_buf_putf(out,
                 "<svg viewBox=\"0 0 %d %d\" width=%d height=%d role=img aria-label=\"%zu runs, %zu failed, at most ",
                 CHART_WIDTH, CHART_HIGH, CHART_WIDTH, CHART_HIGH, job->history_count, failed);
    pgc_text_bytes(out, most > 1 ? most : 0);
    pgc_buf_putf(out, "\"><path class=ground d=\"M0 %d.5h%d\"/>", CHART_HIGH - 1, CHART_WIDTH);
    for (size_t i = 0; i < job->history_count; i++)
        put_bar(out, &job->history[i], (first + i) * BAR_STEP + 1, most);
    pgc_buf_puts(out, "</svg>");
}

/* --- rows ------------------------------------------------------------------------------------------- */

static void put_verified(struct pgc_buf *out, const struct pgc_agenda_job *job, const struct pgc_agenda_job *proof,
                         int64_t now_s) {
    if (!pgc_agenda_is_backup(job) && !pgc_agenda_is_verify(job)) {
        pgc_buf_puts(out, "<span class=dim>&ndash;</span>");
        return;
    }
    if ((proof != NULL && proof->damaged) || job->damaged)
        put_badge(out, MOOD_BAD, "damaged");
    else if (proof != NULL && proof->last_outcome == PGC_AGENDA_FAILURE)
        put_badge(out, MOOD_BAD, "failed");
    else if (proof != NULL && !pgc_agenda_in_time(proof, now_s))
        put_badge(out, MOOD_BAD, "late");
    else if (job->verified_s == 0)
        put_badge(out, MOOD_WARN, "not verified");
    else
        put_badge(out, MOOD_GOOD, job->restored_s > 0 && job->restored_s >= job->verified_s ? "restored" : "verified");
    pgc_buf_puts(out, "<div class=small>");
    if (job->verified_s > 0) {
        bool damaged = job->damaged || (proof != NULL && proof->damaged);
        pgc_buf_puts(out, damaged ? "last proof " : "");
        put_distance(out, now_s > job->verified_s ? now_s - job->verified_s : 0);
        pgc_buf_puts(out, " ago");
        if (!damaged && pgc_agenda_is_backup(job) && job->verified_s < job->last_success_s)
            pgc_buf_puts(out, ", an older one");
    }
    if (proof != NULL && proof->next_s > now_s) {
        pgc_buf_puts(out, job->verified_s > 0 ? "<br>next in " : "next in ");
        put_distance(out, proof->next_s - now_s);
    } else if (proof == NULL && pgc_agenda_is_backup(job)) {
        pgc_buf_puts(out, job->verified_s > 0 ? "<br>no schedule" : "no schedule");
    }
    pgc_buf_puts(out, "</div>");
}

static void put_error(struct pgc_buf *out, const char *what, const struct pgc_agenda_job *job) {
    if (job == NULL || job->last_error[0] == '\0' || job->last_outcome != PGC_AGENDA_FAILURE)
        return;
    pgc_buf_putf(out, "<tr class=error><td colspan=6><p><b>%s</b> <code>", what);
    pgc_text_markup(out, job->last_error);
    pgc_buf_puts(out, "</code></p></td></tr>");
}

static void put_row(struct pgc_buf *out, const struct pgc_agenda *agenda, const struct pgc_agenda_job *job,
                    int64_t now_s) {
    const struct pgc_agenda_job *proof = proof_of(agenda, job);
    enum mood mood;
    const char *state = state_of(job, now_s, &mood);
    pgc_buf_puts(out, "<tbody><tr><th scope=row>");
    pgc_text_markup(out, job->name);
    pgc_buf_puts(out, "<div class=small><code>");
    pgc_text_markup(out, job->schedule);
    pgc_buf_puts(out, "</code> ");
    pgc_text_markup(out, job->timezone);
    pgc_buf_puts(out, "</div></th><td data-label=State>");
    put_badge(out, mood, state);
    if (job->skipped > 0)
        pgc_buf_putf(out, "<div class=small>%" PRIu64 " skipped</div>", job->skipped);
    pgc_buf_puts(out, "</td><td data-label=\"Last success\">");
    put_when(out, job->last_success_s, now_s);
    pgc_buf_puts(out, "</td><td data-label=Verified>");
    put_verified(out, job, proof, now_s);
    pgc_buf_puts(out, "</td><td data-label=\"Next run\">");
    put_when(out, job->next_s, now_s);
    pgc_buf_puts(out, "</td><td data-label=Size><div class=chart>");
    put_chart(out, job);
    pgc_buf_puts(out, "<b class=bytes>");
    if (job->last_bytes > 0)
        pgc_text_bytes(out, job->last_bytes);
    pgc_buf_puts(out, "</b></div></td></tr>");
    put_error(out, "Last run:", job);
    put_error(out, "Verification:", proof);
    pgc_buf_puts(out, "</tbody>");
}

/* --- page ------------------------------------------------------------------------------------------- */

static const char style[] =
    ":root{color-scheme:light dark;--back:#f6f8fa;--card:#fff;--line:#d8dee6;--text:#17202b;--dim:#57636f;"
    "--link:#0a58ca;--good:#116329;--good-b:#dcf5e3;--wait:#3d4a58;--wait-b:#e6ebf0;--warn:#7a4a00;--warn-b:#fdf0d0;"
    "--bad:#9f1c14;--bad-b:#fde4e1;--bar:#3f7fd0}"
    "@media(prefers-color-scheme:dark){:root{--back:#0f151c;--card:#171f28;--line:#2c3742;--text:#e4ebf2;--dim:#9fadba;"
    "--link:#7db4ff;--good:#7ee2a0;--good-b:#12351f;--wait:#c3ced9;--wait-b:#27323d;--warn:#f3c969;--warn-b:#3d2f0d;"
    "--bad:#ffa79e;--bad-b:#471a17;--bar:#6ea8ee}}"
    "*{box-sizing:border-box}body{font:15px/1.45 system-ui,-apple-system,\"Segoe UI\",\"Liberation Sans\",sans-serif;"
    "margin:0;color:var(--text);background:var(--back)}main{max-width:78rem;margin:0 auto;padding:1.5rem 1rem 3rem}"
    "h1{font-size:1.05rem;margin:0 0 1rem;font-weight:600;color:var(--dim)}"
    ".verdict{display:flex;flex-wrap:wrap;align-items:center;gap:.2rem 1rem;margin:0 0 1.25rem;padding:1rem 1.25rem;"
    "border-radius:.6rem;border-left:.4rem solid var(--c);background:var(--b);color:var(--c)}"
    ".verdict strong{font-size:1.35rem;line-height:1.3}.verdict span{font-size:.95rem}"
    ".good{--c:var(--good);--b:var(--good-b)}.wait{--c:var(--wait);--b:var(--wait-b)}"
    ".warn{--c:var(--warn);--b:var(--warn-b)}.bad{--c:var(--bad);--b:var(--bad-b)}"
    "table{border-collapse:collapse;width:100%;background:var(--card);border:1px solid var(--line);border-radius:.6rem;"
    "border-spacing:0;overflow:hidden}caption{text-align:left;padding:0 0 .5rem;color:var(--dim)}"
    "th,td{text-align:left;padding:.75rem .9rem;vertical-align:top;font-weight:400}"
    "thead th{font-size:.8rem;font-weight:600;color:var(--dim);white-space:nowrap}tbody{border-top:1px solid "
    "var(--line)}"
    "tbody "
    "th{font-weight:600;overflow-wrap:anywhere}.small,time,.dim{color:var(--dim);font-size:.84rem;font-weight:400}"
    "time,td .small{white-space:nowrap}code{font:.92em ui-monospace,\"Liberation Mono\",monospace}"
    ".badge{display:inline-block;padding:.1rem .6rem;border-radius:1rem;font-size:.86rem;font-weight:600;"
    "white-space:nowrap;background:var(--b);color:var(--c)}"
    ".chart{display:flex;align-items:flex-end;gap:.75rem;justify-content:space-between}.chart svg{max-width:100%;"
    "min-width:5rem;flex:0 1 auto;height:auto}.bytes{white-space:nowrap}.size{fill:var(--bar)}"
    ".miss{stroke:var(--bad);stroke-width:1.6;fill:none}.ground{stroke:var(--line);fill:none}"
    ".error td{padding-top:0}.error p{margin:0;padding:.5rem .75rem;border-radius:.4rem;background:var(--bad-b);"
    "color:var(--bad);overflow-wrap:anywhere}a{color:var(--link)}footer{margin-top:1rem;color:var(--dim);font-size:."
    "9rem}"
    "@media(max-width:56rem){thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}"
    "table,tbody,tr,th,td{display:block}tbody{padding:.6rem 0}th,td{padding:.3rem 1rem}"
    "td[data-label]{display:grid;grid-template-columns:7.5rem 1fr;column-gap:.75rem}td[data-label]::before{"
    "content:attr(data-label);color:var(--dim);font-size:.84rem}td>*{grid-column:2}td>.badge{justify-self:start}"
    "td>br{display:none}.error td{padding:.4rem 1rem}tbody th{font-size:1.05rem}}";

static void put_verdict(struct pgc_buf *out, const struct pgc_agenda *agenda, int64_t now_s) {
    size_t rows = 0, bad = 0, unproven = 0;
    for (size_t i = 0; i < agenda->count; i++) {
        const struct pgc_agenda_job *job = &agenda->jobs[i];
        if (pgc_agenda_is_proof(job))
            continue;
        rows++;
        bad += is_bad(agenda, job, now_s);
        unproven += is_unproven(job);
    }
    pgc_buf_putf(out, "<p class=\"verdict %s\" role=status>", bad > 0 ? "bad" : unproven > 0 ? "warn" : "good");
    if (bad > 0)
        pgc_buf_putf(out, "<strong>%zu of %zu job%s need%s attention</strong>", bad, rows, rows == 1 ? "" : "s",
                     bad == 1 ? "s" : "");
    else
        pgc_buf_puts(out, "<strong>Backups are in time</strong>");
    if (unproven > 0)
        pgc_buf_putf(out, "<span>%zu never verified</span>", unproven);
    pgc_buf_puts(out, "</p>");
}

void pgc_status_html(struct pgc_buf *out, const struct pgc_agenda *agenda, const char *version, int64_t now_s) {
    pgc_buf_putf(
        out,
        "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content=\"width=device-width,"
        "initial-scale=1\"><meta http-equiv=refresh content=30><title>pgc backup</title><style>%s</style></head>"
        "<body><main><h1>pgc backup</h1>",
        style);
    put_verdict(out, agenda, now_s);
    pgc_buf_puts(out, "<table><thead><tr><th scope=col>Job</th><th scope=col>State</th><th scope=col>Last success</th>"
                      "<th scope=col>Verified</th><th scope=col>Next run</th><th scope=col>Size of the last runs</th>"
                      "</tr></thead>");
    for (int bad = 1; bad >= 0; bad--)
        for (size_t i = 0; i < agenda->count; i++)
            if (!pgc_agenda_is_proof(&agenda->jobs[i]) && is_bad(agenda, &agenda->jobs[i], now_s) == (bad == 1))
                put_row(out, agenda, &agenda->jobs[i], now_s);
    pgc_buf_puts(out, "</table><footer><time>");
    pgc_text_rfc3339(out, now_s * 1000000, false);
    pgc_buf_putf(
        out,
        "</time> &middot; pgc %s &middot; <a href=\"metrics\">metrics</a> &middot; <a "
        "href=\"status.json\">JSON</a> &middot; <a href=\"healthz\">health</a></footer></main></body></html>\n",
        version);
}
