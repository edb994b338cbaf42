#include "backup/oneshot.h"

#include <string.h>

#include "backup/agenda.h"
#include "backup/notify.h"
#include "backup/status_page.h"
#include "base/text.h"
#include "io/file.h"

#define FILE_MAX ((size_t)1 << 20)

static struct pgc_agenda_job as_job(const struct pgc_oneshot *run) {
    return (struct pgc_agenda_job) { .name = (char *)(size_t)run->job,
                                     .last_start_s = run->start_s,
                                     .last_duration_ms = run->duration_ms,
                                     .last_success_s = run->success ? run->end_s : 0,
                                     .last_bytes = run->success ? run->bytes : 0 };
}

enum pgc_code pgc_oneshot_write(const struct pgc_oneshot *run, const char *path, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf old = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    struct pgc_agenda_job job = as_job(run);
    /* A file that is not there, or not ours, says nothing of a success. */
    if (!run->success && pgc_file_read(path, FILE_MAX, &old, err) == PGC_OK)
        pgc_status_metrics_reread(old.data, &job);
    pgc_status_metrics_once(&text, &job, PGC_VERSION);
    enum pgc_code code = pgc_buf_check(&text, err);
    if (code == PGC_OK)
        code = pgc_file_sink(path, 0644, &sink, err);
    if (code == PGC_OK)
        code = pgc_sink_put(sink, text.data, text.len, err);
    return code == PGC_OK ? pgc_sink_commit(sink, err) : code;
}

void pgc_oneshot_address(struct pgc_buf *out, const char *url, const char *host) {
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    pgc_buf_put(out, url, len);
    if (strstr(url, "/metrics/job/") != NULL)
        return;
    pgc_buf_puts(out, "/metrics/job/pgc_backup/instance/");
    pgc_text_percent(out, host, strlen(host), "");
}

enum pgc_code pgc_oneshot_push(const struct pgc_oneshot *run, const char *url, const struct pgc_runtime *rt,
                               struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf address = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings headers = PGC_STRINGS_INIT;
    struct pgc_agenda_job job = as_job(run);
    pgc_oneshot_address(&address, url, run->host);
    pgc_status_metrics_once(&text, &job, PGC_VERSION);
    enum pgc_code code = pgc_buf_check(&text, err);
    if (code == PGC_OK)
        code = pgc_buf_check(&address, err);
    if (code == PGC_OK)
        code = pgc_strings_add(&headers, "Content-Type: text/plain; version=0.0.4; charset=utf-8", err);
    return code == PGC_OK ? pgc_notify_post(address.data, &headers, &text, true, rt, err) : code;
}
