/* pgc ready: is the server ready? One attempt, or --wait; then -- CMD in our place. Invoked as pg_isready it is that. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/process.h"
#include "parts/ready_settings.h"
#include "ready/report.h"
#include "ready/target.h"
#include "ready/wait.h"

struct settings {
    struct ready_settings ask;
    int64_t wait_ms;
    int64_t stable_ms;
    int64_t interval_ms;
    int64_t max_interval_ms;
    bool keep_trying;
    bool healthcheck;
    bool quiet;
    bool json;
};

static const struct pgc_option options[] = {
    PGC_CONNECTION_OPTIONS(struct settings, ask.connection),
    READY_OPTIONS(struct settings, ask),
    { "wait", 'w', PGC_OPT_DURATION, offsetof(struct settings, wait_ms), "0",
      "try again until ready, at most this long over all hosts; 0: one attempt", .value = "TIME" },
    { "stable", 0, PGC_OPT_DURATION, offsetof(struct settings, stable_ms), "0",
      "ready twice, this far apart, without a restart between: the temporary server of an initialising container never "
      "counts",
      .value = "TIME" },
    { "interval", 0, PGC_OPT_DURATION, offsetof(struct settings, interval_ms), "100ms",
      "first pause between attempts; it grows", .value = "TIME" },
    { "max-interval", 0, PGC_OPT_DURATION, offsetof(struct settings, max_interval_ms), "2s",
      "longest pause between attempts", .value = "TIME" },
    { "keep-trying", 0, PGC_OPT_FLAG, offsetof(struct settings, keep_trying), NULL,
      "wait even for what a person must correct: wrong password, missing database, certificate" },
    { "healthcheck", 0, PGC_OPT_FLAG, offsetof(struct settings, healthcheck), NULL,
      "exit with 0 or 1 only, as Docker's HEALTHCHECK wants" },
    { "quiet", 'q', PGC_OPT_FLAG, offsetof(struct settings, quiet), NULL, "print nothing, only exit" },
    { "json", 0, PGC_OPT_FLAG, offsetof(struct settings, json), NULL,
      "print the result as JSON, every check with its milliseconds" },
};

struct targets {
    struct pgc_ready_target *items;
    struct pgc_ready_report *reports;
    size_t count;
};

static void targets_release(struct targets *targets) {
    for (size_t i = 0; i < targets->count; i++)
        pgc_ready_target_release(&targets->items[i]);
    free(targets->items);
    free(targets->reports);
}

static enum pgc_code collect(const struct pgc_cli *cli, const struct pgc_probe_options *pg, struct targets *out,
                             struct pgc_error *err) {
    size_t named = cli->has_separator ? cli->separator_at : cli->args.count;
    out->items = calloc(named + 1, sizeof *out->items);
    out->reports = calloc(named + 1, sizeof *out->reports);
    if (out->items == NULL || out->reports == NULL)
        return pgc_fail_nomem(err);
    if (named == 0) {
        out->count = 1;
        return pgc_ready_target_from_options(pg, &out->items[0], err);
    }
    for (size_t i = 0; i < named; i++) {
        enum pgc_code code = pgc_ready_target_parse(cli->args.items[i], pg, &out->items[i], err);
        if (code != PGC_OK)
            return code;
        out->count++;
    }
    return PGC_OK;
}

/* A socket is where the temporary server of an initialising container listens, and nothing else. */
static void warn_of_socket(const struct pgc_runtime *rt, const struct pgc_ready_target *target,
                           const struct pgc_ready_report *report) {
    if (!report->unix_socket || report->verdict.status != PGC_READY_OK)
        return;
    bool temporary = report->server.known && !report->server.on_tcp;
    bool container = getenv("PGDATA") != NULL && /* the server's own one */
                     (access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0);
    if (!temporary && (report->server.known || !container))
        return;
    pgc_log(
        rt, PGC_LOG_WARN, "socket",
        temporary
            ? "the server listens on a Unix socket only: perhaps the temporary one of an initialising container; use "
              "--host 127.0.0.1 or --stable 2s"
            : "a Unix socket in a container also answers while the database is being initialised; use --host 127.0.0.1",
        PGC_LOG_TEXT("target", target->text));
}

/* Standard output is the command's when there is one. */
static void print(struct pgc_cli *cli, const struct settings *s, const struct pgc_ready_spec *spec,
                  const struct targets *targets, bool has_command) {
    int status = cli->exit_status;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    if (s->json)
        pgc_ready_put_json(&out, spec, targets->items, targets->reports, targets->count, status);
    for (size_t i = 0; i < targets->count && !s->quiet; i++) {
        const struct pgc_ready_target *target = &targets->items[i];
        const struct pgc_ready_report *report = &targets->reports[i];
        bool as_ping = spec->level == PGC_READY_PING && target->kind == PGC_READY_POSTGRES;
        warn_of_socket(cli->rt, target, report);
        if (!s->json && as_ping && !has_command && report->verdict.status <= PGC_READY_NO_ATTEMPT)
            pgc_ready_put_ping(&out, target, (int)report->verdict.status);
        else if (!s->json && !has_command && report->verdict.status == PGC_READY_OK)
            pgc_ready_put_ready(&out, spec, target, report);
        if (report->verdict.status != PGC_READY_OK && (!as_ping || report->verdict.status == PGC_READY_DEADLINE)) {
            PGC_CLEANUP(pgc_buf_release) struct pgc_buf reason = PGC_BUF_INIT;
            pgc_ready_put_reason(&reason, target, report);
            fprintf(stderr, "pgc-ready: %s\n", reason.data);
        }
    }
    fwrite(out.data, 1, out.len, cli->out);
}

static enum pgc_code become(struct pgc_cli *cli, struct pgc_error *err) {
    char **argv = cli->args.items + cli->separator_at;
    fflush(cli->out);
    pgc_process_reset_signals();
    execvp(argv[0], argv);
    cli->exit_status = errno == ENOENT ? 127 : 126;
    fprintf(stderr, "pgc-ready: cannot run '%s': %s\n", argv[0], strerror(errno));
    (void)err;
    return PGC_OK;
}

static enum pgc_code check(struct pgc_cli *cli, struct settings *s, struct pgc_error *err) {
    struct pgc_ready_spec spec;
    struct pgc_probe_options pg;
    enum pgc_code code = ready_settings_apply(&s->ask, &spec, &pg, err);
    if (code != PGC_OK)
        return code;
    bool has_command = cli->has_separator && cli->separator_at < cli->args.count;
    if (cli->has_separator && !has_command)
        return pgc_fail(err, PGC_E_USAGE, "a command is missing after '--'");
    spec.keep_trying = s->keep_trying;
    PGC_CLEANUP(targets_release) struct targets targets = { 0 };
    code = collect(cli, &pg, &targets, err);
    if (code != PGC_OK)
        return code;
    struct pgc_ready_wait wait = { s->wait_ms, s->interval_ms, s->max_interval_ms, s->stable_ms, s->quiet };
    code = pgc_ready_wait_all(&spec, targets.items, targets.count, &wait, cli->rt, targets.reports, err);
    if (code != PGC_OK)
        return code;
    cli->exit_status = (int)pgc_ready_overall(targets.reports, targets.count);
    print(cli, s, &spec, &targets, has_command);
    return cli->exit_status == 0 && has_command ? become(cli, err) : PGC_OK;
}

static enum pgc_code run(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct settings *s = settings;
    enum pgc_code code = check(cli, s, err);
    ready_settings_release(&s->ask);
    return code;
}

static const struct pgc_command *const commands[] = { &ready_serve_command, NULL };

static const struct pgc_command ready = {
    .name = "pgc-ready",
    .summary = "is the server ready: probe, wait, run a command then",
    .args = "[TARGET...] [-- CMD [ARG]...]",
    .description =
        "Connects as the application would and tells how far that comes. Without TARGET the connection options and the "
        "environment say which server. A TARGET is a postgres:// URI, a conninfo string or database name, "
        "tcp://HOST:PORT or http://HOST:PORT/PATH; several are checked at once and all must be ready. Options stand "
        "before `--`; the command after it replaces this program once everything is ready.\n\n"
        "Exit status: 0 ready, 1 rejecting (starting, recovering, shutting down, no slots), 2 no response, 3 usage or "
        "nothing attempted, 4 authentication, 5 wrong role, lag or read-only, 6 not migrated, 7 TLS, 124 --wait is "
        "over.",
    .examples = "pgc ready --wait 60s -h db -U app -d app        # until the application could work\n"
                "pgc ready --wait 60s --level migrated -- app    # then become the application\n"
                "pgc ready --level ping                          # exactly pg_isready\n"
                "pgc ready --role standby --max-lag 16MB         # a standby that is not late\n"
                "pgc ready --wait 30s tcp://redis:6379 http://auth:8080/health\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .settings_size = sizeof(struct settings),
    .run = run,
    .commands = commands,
};

int main(int argc, char **argv) {
    const char *name = argc > 0 && strrchr(argv[0], '/') != NULL ? strrchr(argv[0], '/') + 1 : argc > 0 ? argv[0] : "";
    if (strcmp(name, "pg_isready") == 0)
        return ready_pg_isready(argc, argv);
    int status = pgc_cli_main(&ready, argc, argv);
    /* 64 of the suite is 3 here, as pg_isready's scripts expect; Docker knows 0 and 1 only. */
    bool healthcheck = false;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        healthcheck |= strcmp(argv[i], "--healthcheck") == 0;
    const char *from_environment = getenv("PGC_READY_HEALTHCHECK");
    healthcheck |= from_environment != NULL && strcmp(from_environment, "true") == 0;
    if (status != 0 && healthcheck)
        return 1;
    return status == 64 ? 3 : status;
}
