/* pgc backup schedule: PID 1 of the backup container. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/scheduler.h"
#include "base/buf.h"
#include "io/file.h"
#include "os/process.h"
#include "parts/backup_tell.h"
#include "parts/parts.h"

#define CONFIG_MAX ((size_t)1 << 20)

struct settings {
    char *config;
    char *schedule;
    char *timezone;
    int64_t jitter_ms;
    char *listen;
    bool no_listen;
    bool run_on_start;
    bool prune;
    char *verify_schedule;
    int64_t verify_level;
    bool check;
    int64_t drain_ms;
    struct notify_settings notify;
};

#define AT(field) offsetof(struct settings, field)
static const struct pgc_option options[] = {
    { "config", 'c', PGC_OPT_STRING, AT(config), NULL, "jobs as JSON", .value = "FILE" },
    { "schedule", 0, PGC_OPT_STRING, AT(schedule), NULL,
      "without --config: one job, set by the environment of 'pgc backup run'", .value = "EXPR" },
    { "tz", 0, PGC_OPT_STRING, AT(timezone), NULL, "time zone of --schedule", .value = "ZONE" },
    { "jitter", 0, PGC_OPT_DURATION, AT(jitter_ms), "0",
      "with --schedule: delay by up to TIME, the same at every start" },
    { "run-on-start", 0, PGC_OPT_FLAG, AT(run_on_start), NULL, "with --schedule: run once at start" },
    { "prune", 0, PGC_OPT_FLAG, AT(prune), NULL,
      "with --schedule: prune after each success, by the policy in PGC_BACKUP_KEEP_..." },
    { "verify-schedule", 0, PGC_OPT_STRING, AT(verify_schedule), NULL, "with --schedule: verify the newest backups",
      .value = "EXPR" },
    { "verify-level", 0, PGC_OPT_INT, AT(verify_level), "1", "1: read everything; 2: restore and compare too" },
    { "listen", 0, PGC_OPT_STRING, AT(listen), ":9187",
      "address for /healthz, /livez, /metrics, /status.json and the page at /", .value = "[HOST]:PORT" },
    { "no-listen", 0, PGC_OPT_FLAG, AT(no_listen), NULL, "no HTTP" },
    { "drain", 0, PGC_OPT_DURATION, AT(drain_ms), "0",
      "after SIGTERM let running jobs go on for up to TIME before they are ended" },
    NOTIFY_ROWS(struct settings, notify),
    { "check", 0, PGC_OPT_FLAG, AT(check), NULL, "read the configuration, print the next runs, exit" },
};

struct source {
    const struct settings *settings;
    char host[HOST_NAME_MAX + 1];
};

static enum pgc_code read_agenda(void *arg, struct pgc_agenda *out, struct pgc_error *err) {
    const struct source *source = arg;
    const struct settings *s = source->settings;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    if (s->config == NULL) {
        struct pgc_agenda_setting setting = { .schedule = s->schedule,
                                              .timezone = s->timezone,
                                              .jitter_s = s->jitter_ms / 1000,
                                              .run_on_start = s->run_on_start,
                                              .prunes = s->prune,
                                              .verify_schedule = s->verify_schedule,
                                              .verify_level = (int)s->verify_level };
        return pgc_agenda_single(&setting, source->host, out, err);
    }
    enum pgc_code code = pgc_file_read(s->config, CONFIG_MAX, &text, err);
    if (code == PGC_OK)
        code = pgc_agenda_parse(text.data, text.len, source->host, out, err);
    return code == PGC_OK ? PGC_OK : pgc_wrap(err, "%s", s->config);
}

static void print_next(struct pgc_cli *cli, struct pgc_agenda *agenda) {
    for (size_t i = 0; i < agenda->count; i++) {
        struct pgc_agenda_job *job = &agenda->jobs[i];
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf next = PGC_BUF_INIT;
        pgc_agenda_plan(job, pgc_wall_us(cli->rt) / 1000000);
        pgc_zone_rfc3339(&next, job->zone, job->next_s);
        fprintf(cli->out, "%s\t%s\t%s\n", job->name, job->command, job->next_s > 0 ? next.data : "never");
    }
}

static enum pgc_code check_settings(const struct settings *s, struct pgc_error *err) {
    if ((s->config == NULL) == (s->schedule == NULL))
        return pgc_fail(err, PGC_E_USAGE, "either --config or --schedule is wanted");
    if (s->verify_level < 1 || s->verify_level > 2)
        return pgc_fail(err, PGC_E_USAGE, "--verify-level: %lld is neither 1 nor 2", (long long)s->verify_level);
    return notify_check(&s->notify, err);
}

static enum pgc_code run_schedule(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    const struct settings *s = settings;
    struct source source = { .settings = s };
    PGC_CLEANUP(pgc_agenda_release) struct pgc_agenda agenda = PGC_AGENDA_INIT;
    char program[PATH_MAX] = "pgc-backup";
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    program[n > 0 ? (size_t)n : strlen(program)] = '\0';
    tell_host(source.host, sizeof source.host);
    enum pgc_code code = check_settings(s, err);
    if (code == PGC_OK)
        code = read_agenda(&source, &agenda, err);
    if (code != PGC_OK)
        return code;
    struct pgc_scheduler_options scheduler = {
        .agenda = &agenda,
        .program = program,
        .host = source.host,
        .listen = s->no_listen ? NULL : s->listen,
        .notify = notify_to(&s->notify),
        .drain_ms = s->drain_ms,
        .reload = s->config != NULL ? read_agenda : NULL,
        .reload_arg = &source,
        .reload_asked = pgc_process_reload_asked,
    };
    if (!s->check)
        return pgc_scheduler_run(&scheduler, cli->rt, err);
    if (s->config != NULL)
        code = pgc_scheduler_check(&scheduler, cli->rt, err);
    if (code == PGC_OK)
        print_next(cli, &agenda);
    return code;
}

const struct pgc_command pgc_cmd_backup_schedule = {
    .name = "schedule",
    .summary = "run jobs by their schedules until ended (PID 1 of the backup container)",
    .description =
        "Each job runs as a process of its own. A job that is still running when it is due again is skipped and "
        "counted. What was missed while nobody was there is made up for once: the store says when the last backup was. "
        "SIGHUP reads --config again, SIGTERM ends running jobs cleanly (see --drain) and exits.\n"
        "/healthz answers 503 when the last success of a job is older than its schedule and grace allow.",
    .examples = "pgc backup schedule --config /etc/pgc/backup.json          # several jobs\n"
                "PGC_BACKUP_SCHEDULE='30 2 * * *' PGC_BACKUP_TZ=Europe/Berlin pgc backup schedule\n"
                "pgc backup schedule --config backup.json --check          # when would they run\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .settings_size = sizeof(struct settings),
    .run = run_schedule,
};
