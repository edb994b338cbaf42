#include "parts/migrate_settings.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define WAIT_STEP_MS 250

void migrate_job_release(struct migrate_job *job) {
    pgc_plan_release(&job->plan);
    pgc_migrate_release(&job->migrate);
    pgc_strings_release(&job->dirs);
    pgc_buf_release(&job->report);
    pgc_buf_release(&job->more);
}

enum pgc_code migrate_args(const struct pgc_cli *cli, size_t count, const char *what, struct pgc_error *err) {
    if (cli->args.count == count)
        return PGC_OK;
    if (cli->args.count < count)
        return pgc_fail(err, PGC_E_USAGE, "%s is missing", what);
    return pgc_fail(err, PGC_E_USAGE, "unexpected argument '%s'", cli->args.items[count]);
}

static enum pgc_code find_dirs(struct migrate_job *job, bool needed, struct pgc_error *err) {
    static const char *const usual[] = { "migrations", "db/migrations" };
    const struct pgc_strings *given = &job->settings->dirs;
    struct stat st;
    for (size_t i = 0; i < given->count; i++) {
        enum pgc_code code = pgc_strings_add(&job->dirs, given->items[i], err);
        if (code != PGC_OK)
            return code;
    }
    for (size_t i = 0; job->dirs.count == 0 && i < 2; i++) {
        if (stat(usual[i], &st) == 0 && S_ISDIR(st.st_mode))
            return pgc_strings_add(&job->dirs, usual[i], err);
    }
    if (job->dirs.count == 0 && needed)
        return pgc_fail(err, PGC_E_NOT_FOUND, "there is no folder 'migrations' or 'db/migrations' here; give --dir");
    return PGC_OK;
}

static const char *from_environment(void *arg, const char *name) {
    (void)arg;
    return getenv(name);
}

static enum pgc_plan_policy policy(const char *word) {
    if (strcmp(word, "warn") == 0)
        return PGC_PLAN_WARN;
    return strcmp(word, "error") == 0 ? PGC_PLAN_ERROR : PGC_PLAN_APPLY;
}

static enum pgc_plan_policy policy_or(const char *word, enum pgc_plan_policy otherwise) {
    return word == NULL ? otherwise : policy(word);
}

static enum pgc_plan_interrupted interrupted(const char *word) {
    if (word != NULL && strcmp(word, "rerun") == 0)
        return PGC_PLAN_INTERRUPTED_RERUN;
    return word != NULL && strcmp(word, "skip") == 0 ? PGC_PLAN_INTERRUPTED_SKIP : PGC_PLAN_INTERRUPTED_KEEP;
}

static enum pgc_migrate_ledger_choice ledger_choice(const char *word) {
    if (word != NULL && strcmp(word, "own") == 0)
        return PGC_MIGRATE_LEDGER_OWN;
    return word != NULL && strcmp(word, "foreign") == 0 ? PGC_MIGRATE_LEDGER_FOREIGN : PGC_MIGRATE_LEDGER_AUTO;
}

static void on_notice(void *arg, const char *severity, const char *sqlstate, const char *message, const char *whole) {
    const struct migrate_job *job = arg;
    (void)sqlstate, (void)whole;
    bool warning = strcmp(severity, "WARNING") == 0;
    pgc_log(job->cli->rt, warning ? PGC_LOG_WARN : PGC_LOG_INFO, "migrate.notice", message,
            PGC_LOG_TEXT("severity", severity));
}

static void on_event(void *arg, const struct pgc_migrate_event *event) {
    struct migrate_job *job = arg;
    const struct pgc_runtime *rt = job->cli->rt;
    switch (event->kind) {
    case PGC_MIGRATE_DONE:
        if (job->settings->json) {
            pgc_buf_puts(&job->report, job->report.len > 0 ? ",{" : "{");
            migrate_put_step(&job->report, event->step);
            pgc_buf_putf(&job->report, ",\"duration_ms\":%lld}", (long long)event->duration_ms);
        } else {
            const struct pgc_migration *m = event->step->migration;
            fprintf(job->cli->out, "%s %s (%lld ms)\n", pgc_plan_action_name(event->step->action),
                    m != NULL ? m->file : event->step->row->version, (long long)event->duration_ms);
            fflush(job->cli->out);
        }
        break;
    case PGC_MIGRATE_RETRY:
        pgc_log(rt, PGC_LOG_WARN, "migrate.retry", "a lock was not to be had in time; rolled back, trying again",
                PGC_LOG_TEXT("migration", event->step->migration->file), PGC_LOG_INT("pause_ms", event->duration_ms),
                PGC_LOG_TEXT("blockers", event->text));
        break;
    case PGC_MIGRATE_STATEMENT:
        pgc_log(rt, PGC_LOG_INFO, "migrate.statement", event->text,
                PGC_LOG_TEXT("migration", event->step->migration->file), PGC_LOG_INT("statement", event->index),
                PGC_LOG_INT("of", event->count));
        break;
    case PGC_MIGRATE_NOTICE:
        pgc_log(rt, PGC_LOG_WARN, "migrate.notice", event->text);
        break;
    default:
        break;
    }
}

static void fill_options(struct migrate_job *job) {
    const struct migrate_settings *s = job->settings;
    job->options = (struct pgc_migrate_options) {
        .connect = { .conninfo = s->connection.dbname,
                     .host = s->connection.host,
                     .port = s->connection.port,
                     .user = s->connection.user,
                     .password = s->connection.password,
                     .application_name = "pgc migrate" },
        .dirs = &job->dirs,
        .format = s->format,
        .ledger_schema = s->ledger_schema,
        .ledger = ledger_choice(s->ledger),
        .table = s->table,
        .dialect = { .variables = &s->variables, .env = from_environment },
        .env_names = &s->env_names,
        .who = s->who,
        .lock_wait_ms = s->lock_wait_ms,
        .lock_timeout_ms = s->lock_timeout_ms,
        .lock_retries = s->lock_retries,
        .statement_timeout_ms = s->statement_timeout_ms,
        .batch = s->batch,
        .lease_ms = s->lease_ms,
        .ignore_foreign = s->ignore_foreign,
        .event = on_event,
        .event_arg = job,
    };
    job->request = (struct pgc_plan_request) {
        .to = s->to,
        .has_count = s->count > 0,
        .count = s->count > 0 ? (size_t)s->count : 0,
        .out_of_order = policy_or(s->out_of_order, PGC_PLAN_WARN),
        .drift = policy_or(s->drift, PGC_PLAN_ERROR),
        .missing = policy_or(s->missing, PGC_PLAN_WARN),
        .interrupted = interrupted(s->interrupted),
    };
}

enum pgc_code migrate_job_open(struct migrate_job *job, struct pgc_cli *cli, struct migrate_settings *settings,
                               bool needs_folder, struct pgc_error *err) {
    *job = (struct migrate_job) { .settings = settings, .cli = cli, .report = PGC_BUF_INIT, .more = PGC_BUF_INIT };
    if (settings->count < 0)
        return pgc_fail(err, PGC_E_USAGE, "--count wants a number from 1");
    enum pgc_code code = pgc_connection_resolve(&settings->connection, err);
    if (code == PGC_OK)
        code = find_dirs(job, needs_folder, err);
    fill_options(job);
    pgc_migrate_init(&job->migrate, &job->options, cli->rt);
    return code == PGC_OK && (needs_folder || job->dirs.count > 0) ? pgc_migrate_load(&job->migrate, err) : code;
}

enum pgc_code migrate_job_reload(struct migrate_job *job, const char *format, struct pgc_error *err) {
    job->options.format = format;
    pgc_migration_set_release(&job->migrate.set);
    pgc_folder_release(&job->migrate.folder);
    return pgc_migrate_load(&job->migrate, err);
}

enum pgc_code migrate_job_connect(struct migrate_job *job, bool times, struct pgc_error *err) {
    const struct pgc_runtime *rt = job->cli->rt;
    int64_t deadline = pgc_mono_ms(rt) + job->settings->wait_ms;
    struct pgc_migrate *m = &job->migrate;
    while (m->conn == NULL) {
        enum pgc_code code = pgc_conn_open(&job->options.connect, rt, &m->conn, err);
        if (code == PGC_OK)
            break;
        bool wait = pgc_code_retryable(code) && code != PGC_E_CANCELLED && pgc_mono_ms(rt) < deadline;
        if (!wait)
            return code;
        pgc_sleep_ms(rt, WAIT_STEP_MS);
        code = pgc_check_cancelled(rt, err);
        if (code != PGC_OK)
            return code;
    }
    pgc_conn_on_notice(m->conn, on_notice, job);
    return pgc_migrate_connect(m, times, err);
}

/* Did anybody say which server? */
static bool names_a_server(const struct pgc_connection_settings *c) {
    static const char *const names[] = { "PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE", "PGDATABASE" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (getenv(names[i]) != NULL)
            return true;
    return c->dbname != NULL || c->host != NULL || c->port != NULL;
}

enum pgc_code migrate_job_look(struct migrate_job *job, bool times, struct pgc_error *err) {
    const struct migrate_settings *s = job->settings;
    if (s->offline)
        return PGC_OK;
    enum pgc_code code = migrate_job_connect(job, times, err);
    if (code != PGC_E_UNAVAILABLE || s->wait_ms > 0 || names_a_server(&s->connection))
        return code;
    pgc_log(job->cli->rt, PGC_LOG_WARN, "migrate.offline",
            "no server is named and none answers here: this is the plan for an empty database");
    return PGC_OK;
}
