#include "backup/oneshot.h"

#include <string.h>

#include "backup/agenda.h"
#include "backup/metrics.h"
#include "backup/notify.h"
#include "base/text.h"
#include "io/file.h"
#include "net/http.h"

#define FILE_MAX ((size_t)1 << 20)

#define GATEWAY_MAX ((size_t)32 << 20)

static char *text_of(const char *text) {
    return (char *)(size_t)text;
}

static struct pgc_agenda_job as_job(const struct pgc_oneshot *run) {
    return (struct pgc_agenda_job) { .name = text_of(run->job),
                                     .subject = text_of(run->job),
                                     .command = text_of(run->command),
                                     .last_start_s = run->start_s,
                                     .last_duration_ms = run->duration_ms };
}

/* After what was before is read. */
static void add_run(struct pgc_agenda_job *job, const struct pgc_oneshot *run, bool counted) {
    if (counted) {
        job->successes += run->success;
        job->failures += !run->success;
    }
    if (!run->success)
        return;
    job->last_success_s = job->verified_s = run->end_s;
    job->last_bytes = run->bytes;
}

enum pgc_code pgc_oneshot_write(const struct pgc_oneshot *run, const char *path, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf old = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    struct pgc_agenda_job job = as_job(run);
    /* A file that is not there, or not ours, says nothing of what was. */
    if (pgc_file_read(path, FILE_MAX, &old, err) == PGC_OK)
        pgc_metrics_reread(old.data, "", &job);
    add_run(&job, run, true);
    pgc_metrics_write_once(&text, &job, PGC_VERSION);
    enum pgc_code code = pgc_buf_check(&text, err);
    if (code == PGC_OK)
        code = pgc_file_sink(path, 0644, &sink, err);
    if (code == PGC_OK)
        code = pgc_sink_put(sink, text.data, text.len, err);
    return code == PGC_OK ? pgc_sink_commit(sink, err) : code;
}

static bool is_whole(const char *url) {
    return strstr(url, "/metrics/job/") != NULL;
}

static void put_base(struct pgc_buf *out, const char *url) {
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    pgc_buf_put(out, url, len);
}

void pgc_oneshot_address(struct pgc_buf *out, const char *url, const struct pgc_oneshot *run) {
    put_base(out, url);
    if (is_whole(url))
        return;
    pgc_buf_puts(out, "/metrics/job/pgc_backup/instance/");
    pgc_text_percent(out, run->host, strlen(run->host), "");
    if (strchr(run->job, '/') == NULL) {
        pgc_buf_puts(out, "/job_name/");
        pgc_text_percent(out, run->job, strlen(run->job), "");
        return;
    }
    /* A slash in a value is for base64, in the alphabet of URLs. */
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf coded = PGC_BUF_INIT;
    pgc_text_base64(&coded, run->job, strlen(run->job), true);
    for (size_t i = 0; i < coded.len; i++)
        coded.data[i] = coded.data[i] == '+' ? '-' : coded.data[i] == '/' ? '_' : coded.data[i];
    pgc_buf_putf(out, "/job_name@base64/%s", coded.data);
}

/* Counts go on from what the gateway shows of this host. False: it does not say, and a count that begins anew would be wrong. */
static bool reread(const char *url, const struct pgc_oneshot *run, struct pgc_agenda_job *job,
                   const struct pgc_runtime *rt) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf address = PGC_BUF_INIT, also = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    PGC_AUTO(pgc_http_free) struct pgc_http *http = NULL;
    struct pgc_http_options options = { .connect_timeout_ms = 2000, .stall_timeout_ms = 3000 };
    struct pgc_error ignored;
    put_base(&address, url);
    pgc_buf_puts(&address, "/metrics");
    pgc_buf_putf(&also, "instance=\"%s\"", run->host);
    struct pgc_http_request request = {
        .method = "GET", .url = address.data, .answer_max = GATEWAY_MAX, .cleanup = true
    };
    if (is_whole(url) || pgc_http_open(&options, rt, &http, &ignored) != PGC_OK ||
        pgc_http_perform(http, &request, &answer, &ignored) != PGC_OK || answer.status != 200)
        return false;
    pgc_metrics_reread(answer.body.data, also.data, job);
    job->last_success_s = job->verified_s = 0; /* of this only a success tells */
    return true;
}

enum pgc_code pgc_oneshot_push(const struct pgc_oneshot *run, const char *url, const struct pgc_runtime *rt,
                               struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf address = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings headers = PGC_STRINGS_INIT;
    struct pgc_agenda_job job = as_job(run);
    bool counted = reread(url, run, &job, rt);
    add_run(&job, run, counted);
    pgc_oneshot_address(&address, url, run);
    pgc_metrics_write_once(&text, &job, PGC_VERSION);
    enum pgc_code code = pgc_buf_check(&text, err);
    if (code == PGC_OK)
        code = pgc_buf_check(&address, err);
    if (code == PGC_OK)
        code = pgc_strings_add(&headers, "Content-Type: text/plain; version=0.0.4; charset=utf-8", err);
    return code == PGC_OK ? pgc_notify_post(address.data, &headers, &text, pgc_cancelled(rt) != 0, rt, err) : code;
}
