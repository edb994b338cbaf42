/* pgc ready serve: the probe as a small HTTP server. */
#include <stdio.h>

#include "parts/ready_settings.h"
#include "ready/serve.h"
#include "ready/target.h"

struct settings {
    struct ready_settings ask;
    char *listen;
    int64_t interval_ms;
    int64_t rise;
    int64_t fall;
};

static const struct pgc_option options[] = {
    PGC_CONNECTION_OPTIONS(struct settings, ask.connection),
    READY_OPTIONS(struct settings, ask),
    { "listen", 0, PGC_OPT_STRING, offsetof(struct settings, listen), ":8008",
      "where to listen; without an address on all of them, IPv6 and IPv4", .value = "[HOST]:PORT" },
    { "interval", 0, PGC_OPT_DURATION, offsetof(struct settings, interval_ms), "2s", "time between two checks",
      .value = "TIME" },
    { "rise", 0, PGC_OPT_INT, offsetof(struct settings, rise), "1", "good checks in a row until it is ready again" },
    { "fall", 0, PGC_OPT_INT, offsetof(struct settings, fall), "2", "bad checks in a row until it is not ready" },
};

static void say_listening(void *arg, int port) {
    const struct pgc_cli *cli = arg;
    char message[64];
    snprintf(message, sizeof message, "listening on port %d", port);
    pgc_log(cli->rt, PGC_LOG_INFO, "listening", message, PGC_LOG_INT("port", port));
}

static enum pgc_code serve(struct pgc_cli *cli, struct settings *s, struct pgc_error *err) {
    struct pgc_ready_spec spec;
    struct pgc_probe_options pg;
    enum pgc_code code = ready_settings_apply(&s->ask, &spec, &pg, err);
    if (code != PGC_OK)
        return code;
    if (s->rise < 1 || s->fall < 1)
        return pgc_fail(err, PGC_E_USAGE, "--rise and --fall are at least 1");
    PGC_CLEANUP(pgc_ready_target_release) struct pgc_ready_target target = { 0 };
    code = pgc_ready_target_from_options(&pg, &target, err);
    if (code != PGC_OK)
        return code;
    struct pgc_ready_serve how = { s->listen, s->interval_ms, s->rise, s->fall, say_listening, cli };
    return pgc_ready_serve(&how, &spec, &target, cli->rt, err);
}

static enum pgc_code run(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct settings *s = settings;
    enum pgc_code code = serve(cli, s, err);
    ready_settings_release(&s->ask);
    return code;
}

const struct pgc_command ready_serve_command = {
    .name = "serve",
    .summary = "answer HTTP probes from memory over one kept connection",
    .description = "GET and HEAD of /livez (200 while this program runs), /readyz (200 or 503), /startupz (200 once it "
                   "was ready), /primary, /replica?lag=16MB (or 10s), /metrics (Prometheus). Checks on an interval "
                   "over one kept connection; never opens a second one. Ends on SIGTERM within a second.",
    .examples = "pgc ready serve --listen :8008 --level migrated\n  curl -f http://localhost:8008/readyz\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .settings_size = sizeof(struct settings),
    .run = run,
};
