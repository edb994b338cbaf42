/* pgc backup health: what a container's HEALTHCHECK runs, where there is neither shell nor curl. */
#include <string.h>

#include "net/http.h"
#include "parts/parts.h"

struct health_settings {
    char *listen;
    int64_t timeout_ms;
};
#define AT(field) offsetof(struct health_settings, field)

static const struct pgc_option options[] = {
    { "listen", 0, PGC_OPT_STRING, AT(listen), ":9187", "where 'schedule' of this container listens",
      .value = "[HOST]:PORT" },
    { "timeout", 0, PGC_OPT_DURATION, AT(timeout_ms), "4s", "no answer for so long is a failure" },
};

/* "All addresses" are heard on loopback. */
static void put_url(struct pgc_buf *out, const char *listen) {
    const char *port = strrchr(listen, ':');
    size_t len = port != NULL ? (size_t)(port - listen) : 0;
    bool all =
        len == 0 || (len == 7 && memcmp(listen, "0.0.0.0", 7) == 0) || (len == 4 && memcmp(listen, "[::]", 4) == 0);
    pgc_buf_puts(out, "http://");
    if (all)
        pgc_buf_puts(out, "127.0.0.1");
    pgc_buf_putf(out, "%s/healthz", all ? (port != NULL ? port : ":9187") : listen);
}

static enum pgc_code run_health(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    const struct health_settings *s = settings;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf url = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_http_answer_release) struct pgc_http_answer answer = PGC_HTTP_ANSWER_INIT;
    PGC_AUTO(pgc_http_free) struct pgc_http *http = NULL;
    struct pgc_http_options http_options = { .connect_timeout_ms = s->timeout_ms, .stall_timeout_ms = s->timeout_ms };
    put_url(&url, s->listen);
    struct pgc_http_request request = { .method = "GET", .url = url.data };
    enum pgc_code code = pgc_http_open(&http_options, cli->rt, &http, err);
    if (code == PGC_OK)
        code = pgc_http_perform(http, &request, &answer, err);
    if (code == PGC_E_CANCELLED)
        return code;
    if (code != PGC_OK)
        return err->code = PGC_E_FAILED; /* a container engine knows healthy and unhealthy: 0 and 1 */
    fwrite(answer.body.data, 1, answer.body.len, cli->out);
    return answer.status == 200 ? PGC_OK : pgc_fail(err, PGC_E_FAILED, "not healthy");
}

const struct pgc_command pgc_cmd_backup_health = {
    .name = "health",
    .summary = "ask the scheduler of this container whether all is well",
    .description = "For HEALTHCHECK: a program of its own, no shell. It prints what /healthz says.\n\n"
                   "Exit status: 0 healthy; 1 a job is late, a backup is damaged, or nobody answers.",
    .examples = "pgc backup health  # as the image does it",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .settings_size = sizeof(struct health_settings),
    .run = run_health,
};
