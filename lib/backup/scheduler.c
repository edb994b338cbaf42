#include "backup/scheduler.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/status_page.h"
#include "base/json.h"
#include "base/text.h"
#include "net/http_server.h"
#include "os/spawn.h"

#define TICK_MS    200
#define OUTPUT_MAX ((size_t)8 << 20)

struct scheduler {
    const struct pgc_scheduler_options *options;
    const struct pgc_runtime *rt;
    struct pgc_runtime job_rt; /* rt, but cancelled only when the time to drain is over */
    pthread_mutex_t lock;      /* guards agenda and running */
    struct pgc_agenda *agenda;
    struct pgc_strings env; /* of jobs */
    size_t running;
    bool aborted;
    int64_t abort_at_ms; /* 0: nobody asked us to stop yet */
};

/* A run: its own thread waits for its process. Names are copies, for the agenda may be reloaded meanwhile. */
struct run {
    struct scheduler *scheduler;
    char *job;
    struct pgc_strings argv;
    struct pgc_strings prune; /* arguments of the job's member "prune" */
    struct pgc_strings stores, clusters;
    bool prunes;
    struct pgc_buf output;
};

/* --- the runtime of jobs ---------------------------------------------------------------------------- */

static int job_cancelled(void *arg) {
    struct scheduler *s = arg;
    int number = pgc_cancelled(s->rt);
    if (number == 0 || s->abort_at_ms == 0 || pgc_mono_ms(s->rt) < s->abort_at_ms)
        return 0;
    return number;
}

static int64_t job_mono(void *arg) {
    return pgc_mono_ms(((struct scheduler *)arg)->rt);
}

static int64_t job_wall(void *arg) {
    return pgc_wall_us(((struct scheduler *)arg)->rt);
}

static void job_sleep(void *arg, int64_t ms) {
    pgc_sleep_ms(((struct scheduler *)arg)->rt, ms);
}

/* The time to drain is a deadline, which no descriptor tells: children are polled. */
static int job_fd(void *arg) {
    (void)arg;
    return -1;
}

static void job_log(void *arg, enum pgc_log_level level, const char *event, const char *message,
                    const struct pgc_log_field *fields, size_t count) {
    const struct pgc_runtime *rt = ((struct scheduler *)arg)->rt;
    rt->log(rt->arg, level, event, message, fields, count);
}

/* --- arguments -------------------------------------------------------------------------------------- */

static enum pgc_code fill_argv(struct pgc_strings *argv, const char *program, const char *command,
                               const struct pgc_strings *first, const struct pgc_strings *second,
                               struct pgc_error *err) {
    enum pgc_code code = pgc_strings_add(argv, program, err);
    if (code == PGC_OK)
        code = pgc_strings_add(argv, command, err);
    for (size_t i = 0; code == PGC_OK && i < first->count; i++)
        code = pgc_strings_add(argv, first->items[i], err);
    for (size_t i = 0; code == PGC_OK && second != NULL && i < second->count; i++)
        code = pgc_strings_add(argv, second->items[i], err);
    return code;
}

/* What a job's arguments give for an option: "--name V", "--name=V", and with a letter "-x V", "-xV". */
static enum pgc_code values_of(const struct pgc_strings *args, const char *name, char letter, struct pgc_strings *out,
                               struct pgc_error *err) {
    size_t len = strlen(name);
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < args->count; i++) {
        const char *arg = args->items[i];
        bool is_short = letter != '\0' && arg[0] == '-' && arg[1] == letter;
        if (strcmp(arg, name) == 0 || (is_short && arg[2] == '\0'))
            code = i + 1 < args->count ? pgc_strings_add(out, args->items[++i], err) : PGC_OK;
        else if (is_short)
            code = pgc_strings_add(out, arg + 2, err);
        else if (strncmp(arg, name, len) == 0 && arg[len] == '=')
            code = pgc_strings_add(out, arg + len + 1, err);
    }
    return code;
}

static enum pgc_code add_option(struct pgc_strings *argv, const char *name, const char *value, struct pgc_error *err) {
    enum pgc_code code = value != NULL ? pgc_strings_add(argv, name, err) : PGC_OK;
    return code == PGC_OK && value != NULL ? pgc_strings_add(argv, value, err) : code;
}

static const char *last_of(const struct pgc_strings *list) {
    return list->count > 0 ? list->items[list->count - 1] : NULL;
}

/* --- one run ---------------------------------------------------------------------------------------- */

static int64_t now_s(const struct scheduler *s) {
    return pgc_wall_us(s->rt) / 1000000;
}

static struct pgc_agenda_job *find(struct scheduler *s, const char *name) {
    for (size_t i = 0; i < s->agenda->count; i++)
        if (strcmp(s->agenda->jobs[i].name, name) == 0)
            return &s->agenda->jobs[i];
    return NULL;
}

static void sum_output(const struct pgc_buf *output, uint64_t *stored, uint64_t *raw) {
    struct pgc_error ignored;
    PGC_AUTO(pgc_json_free) struct pgc_json *doc = NULL;
    *stored = *raw = 0;
    if (pgc_json_parse(output->data, output->len, &doc, &ignored) != PGC_OK)
        return;
    const struct pgc_json *rows = pgc_json_get(doc, "backups");
    for (size_t i = 0; i < pgc_json_count(rows); i++) {
        *stored += (uint64_t)pgc_json_int(pgc_json_get(pgc_json_at(rows, i), "stored_bytes"), 0);
        *raw += (uint64_t)pgc_json_int(pgc_json_get(pgc_json_at(rows, i), "raw_bytes"), 0);
    }
}

static void notify(const struct scheduler *s, enum pgc_notify_event event, const char *job, const char *detail,
                   int64_t ms, uint64_t bytes) {
    const struct pgc_scheduler_options *o = s->options;
    struct pgc_notice notice = { event, job, o->host, detail, pgc_wall_us(s->rt), ms, bytes };
    pgc_notify_all(&o->notify, &notice, &s->job_rt);
}

/* Whom to tell is the scheduler's: a run that inherited it would tell a second time. */
static enum pgc_code fill_env(struct pgc_strings *env, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (char **entry = environ; code == PGC_OK && *entry != NULL; entry++)
        if (!pgc_text_starts(*entry, "PGC_BACKUP_NOTIFY=") && !pgc_text_starts(*entry, "PGC_BACKUP_NOTIFY_FILE="))
            code = pgc_strings_add(env, *entry, err);
    return code;
}

static void run_release(struct run *run) {
    free(run->job);
    pgc_strings_release(&run->argv);
    pgc_strings_release(&run->prune);
    pgc_strings_release(&run->stores);
    pgc_strings_release(&run->clusters);
    pgc_buf_release(&run->output);
    free(run);
}

static enum pgc_code execute(struct run *run, char *const *argv, struct pgc_error *err) {
    struct pgc_spawn spec = {
        .argv = argv, .env = run->scheduler->env.items, .stdin_from = PGC_SPAWN_NULL, .stderr_log = "backup.output"
    };
    run->output.max = OUTPUT_MAX;
    pgc_buf_clear(&run->output);
    return pgc_spawn_capture(&spec, &run->scheduler->job_rt, &run->output, err);
}

/* One store, one database: the policy of a job is for what that job backs up, never for its neighbours in the store. */
static enum pgc_code prune_one(struct run *run, const char *store, const char *cluster, const char *database,
                               struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings place = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings argv = PGC_STRINGS_INIT;
    enum pgc_code code = add_option(&place, "--store", store, err);
    if (code == PGC_OK)
        code = add_option(&place, "--cluster", cluster, err);
    if (code == PGC_OK)
        code = add_option(&place, "--database", database, err);
    if (code == PGC_OK)
        code = fill_argv(&argv, run->scheduler->options->program, "prune", &place, &run->prune, err);
    return code == PGC_OK ? execute(run, argv.items, err) : code;
}

static enum pgc_code prune_store(struct run *run, const char *store, const struct pgc_json *rows,
                                 struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    if (rows == NULL) /* no job of 'run': as the arguments of the policy say */
        return prune_one(run, store, last_of(&run->clusters), NULL, err);
    for (size_t i = 0; code == PGC_OK && i < pgc_json_count(rows); i++) {
        const struct pgc_json *row = pgc_json_at(rows, i);
        const char *database = pgc_json_text(pgc_json_get(row, "database"));
        if (database != NULL)
            code = prune_one(run, store, pgc_json_text(pgc_json_get(row, "cluster")), database, err);
    }
    return code;
}

static enum pgc_code prune_all(struct run *run, const struct pgc_buf *result, struct pgc_error *err) {
    struct pgc_error ignored;
    PGC_AUTO(pgc_json_free) struct pgc_json *doc = NULL;
    bool told = pgc_json_parse(result->data, result->len, &doc, &ignored) == PGC_OK;
    const struct pgc_json *rows = told ? pgc_json_get(doc, "backups") : NULL;
    enum pgc_code code = run->stores.count == 0 ? prune_store(run, NULL, rows, err) : PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < run->stores.count; i++)
        code = prune_store(run, run->stores.items[i], rows, err);
    return code;
}

static void end_run(struct run *run, bool success, int64_t ms, const char *detail) {
    struct scheduler *s = run->scheduler;
    uint64_t stored, raw;
    sum_output(&run->output, &stored, &raw);
    pthread_mutex_lock(&s->lock);
    struct pgc_agenda_job *job = find(s, run->job);
    if (job != NULL) {
        job->last_duration_ms = ms;
        pgc_agenda_ended(job, now_s(s), success, stored, raw, detail);
    }
    pthread_mutex_unlock(&s->lock);
    pgc_log(s->rt, success ? PGC_LOG_INFO : PGC_LOG_ERROR, success ? "backup.done" : "backup.failed",
            success ? "job done" : "job failed", PGC_LOG_TEXT("job", run->job), PGC_LOG_INT("event.duration_ms", ms),
            PGC_LOG_INT("bytes", stored), PGC_LOG_TEXT("error.message", success ? NULL : detail));
    notify(s, success ? PGC_NOTIFY_SUCCESS : PGC_NOTIFY_FAILURE, run->job, detail, ms, stored);
}

static void *run_thread(void *arg) {
    struct run *run = arg;
    struct scheduler *s = run->scheduler;
    struct pgc_error err = { .message = "" };
    int64_t begin = pgc_mono_ms(s->rt);
    notify(s, PGC_NOTIFY_START, run->job, "", 0, 0);
    enum pgc_code code = execute(run, run->argv.items, &err);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf result = PGC_BUF_INIT;
    pgc_buf_put(&result, run->output.data, run->output.len);
    /* Old backups go only when a new one is safe. */
    if (code == PGC_OK && run->prunes) {
        code = prune_all(run, &result, &err);
        if (code != PGC_OK)
            pgc_wrap(&err, "the backup is stored, but pruning failed");
    }
    pgc_buf_clear(&run->output);
    pgc_buf_put(&run->output, result.data, result.len);
    end_run(run, code == PGC_OK, pgc_mono_ms(s->rt) - begin, err.message);
    pthread_mutex_lock(&s->lock);
    s->running--;
    s->aborted |= code == PGC_E_CANCELLED;
    pthread_mutex_unlock(&s->lock);
    run_release(run);
    return NULL;
}

static enum pgc_code make_run(struct scheduler *s, const struct pgc_agenda_job *job, struct run **out,
                              struct pgc_error *err) {
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return pgc_fail_nomem(err);
    run->scheduler = s;
    run->output = (struct pgc_buf)PGC_BUF_INIT;
    run->job = strdup(job->name);
    run->prunes = job->prunes;
    enum pgc_code code = run->job != NULL
                             ? fill_argv(&run->argv, s->options->program, job->command, &job->args, NULL, err)
                             : pgc_fail_nomem(err);
    if (code == PGC_OK && strcmp(job->command, "run") == 0)
        code = pgc_strings_add(&run->argv, "--json", err);
    if (code == PGC_OK)
        code = values_of(&job->args, "--store", 's', &run->stores, err);
    if (code == PGC_OK)
        code = values_of(&job->args, "--cluster", '\0', &run->clusters, err);
    for (size_t i = 0; code == PGC_OK && i < job->prune.count; i++)
        code = pgc_strings_add(&run->prune, job->prune.items[i], err);
    if (code != PGC_OK) {
        run_release(run);
        return code;
    }
    *out = run;
    return PGC_OK;
}

/* With the lock held. */
static enum pgc_code start_run(struct scheduler *s, struct pgc_agenda_job *job, struct pgc_error *err) {
    struct run *run = NULL;
    pthread_t thread;
    enum pgc_code code = make_run(s, job, &run, err);
    if (code != PGC_OK)
        return code;
    job->running = true;
    job->last_start_s = now_s(s);
    s->running++;
    if (pthread_create(&thread, NULL, run_thread, run) == 0) {
        pthread_detach(thread);
        return PGC_OK;
    }
    job->running = false;
    s->running--;
    run_release(run);
    return pgc_fail(err, PGC_E_FAILED, "cannot start a thread for job '%s'", job->name);
}

/* --- start ------------------------------------------------------------------------------------------ */

/* --store and --cluster of the job, for a command on the store; *databases: those that it names. */
static enum pgc_code place_of(const struct pgc_agenda_job *job, struct pgc_strings *place,
                              struct pgc_strings *databases, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings stores = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings clusters = PGC_STRINGS_INIT;
    enum pgc_code code = values_of(&job->args, "--store", 's', &stores, err);
    if (code == PGC_OK)
        code = values_of(&job->args, "--cluster", '\0', &clusters, err);
    if (code == PGC_OK)
        code = values_of(&job->args, "--database", '\0', databases, err);
    if (code == PGC_OK)
        code = add_option(place, "--store", last_of(&stores), err);
    return code == PGC_OK ? add_option(place, "--cluster", last_of(&clusters), err) : code;
}

/* The end of the newest backup in the rows of 'list --json', of `databases` when there are any. 0: none. */
static int64_t newest_of(const struct pgc_json *rows, const struct pgc_strings *databases) {
    int64_t newest_us = 0, us;
    for (size_t i = 0; i < pgc_json_count(rows); i++) {
        const struct pgc_json *row = pgc_json_at(rows, i);
        const char *finished = pgc_json_text(pgc_json_get(row, "finished"));
        const char *database = pgc_json_text(pgc_json_get(row, "database"));
        bool ours = databases->count == 0 || (database != NULL && pgc_strings_contain(databases, database));
        if (ours && finished != NULL && pgc_text_parse_rfc3339(finished, &us) && us > newest_us)
            newest_us = us;
    }
    return newest_us / 1000000;
}

/* The end of the job's newest backup in its store, 0 when there is none or the store does not answer. */
static int64_t ask_store(struct scheduler *s, const struct pgc_agenda_job *job) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings databases = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings place = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings argv = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    PGC_AUTO(pgc_json_free) struct pgc_json *doc = NULL;
    struct pgc_error err;
    out.max = OUTPUT_MAX;
    enum pgc_code code = place_of(job, &place, &databases, &err);
    if (code == PGC_OK)
        code = fill_argv(&argv, s->options->program, "list", &place, NULL, &err);
    if (code == PGC_OK)
        code = pgc_strings_add(&argv, "--json", &err);
    struct pgc_spawn spec = { .argv = argv.items, .stdin_from = PGC_SPAWN_NULL };
    if (code == PGC_OK)
        code = pgc_spawn_capture(&spec, s->rt, &out, &err);
    if (code == PGC_OK)
        code = pgc_json_parse(out.data, out.len, &doc, &err);
    if (code != PGC_OK) {
        pgc_log(s->rt, PGC_LOG_WARN, "backup.list_failed",
                "cannot read what the store holds; missed runs are not made up for", PGC_LOG_TEXT("job", job->name),
                PGC_LOG_TEXT("error.message", err.message));
        return 0;
    }
    return newest_of(pgc_json_get(doc, "backups"), &databases);
}

static void take_up(struct scheduler *s, struct pgc_agenda_job *job) {
    struct pgc_error err;
    enum pgc_code code = PGC_OK;
    bool is_run = strcmp(job->command, "run") == 0;
    job->started_s = now_s(s);
    if (is_run && job->catch_up)
        job->last_success_s = ask_store(s, job);
    pgc_agenda_plan(job, job->started_s);
    bool missed = is_run && job->catch_up && pgc_agenda_missed(job, job->started_s);
    if (missed || job->run_on_start) {
        pgc_log(s->rt, PGC_LOG_INFO, "backup.start",
                missed ? "an activation was missed: running now" : "running at start", PGC_LOG_TEXT("job", job->name));
        code = start_run(s, job, &err);
    }
    if (code != PGC_OK)
        pgc_log(s->rt, PGC_LOG_ERROR, "backup.failed", err.message, PGC_LOG_TEXT("job", job->name));
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf next = PGC_BUF_INIT;
    pgc_zone_rfc3339(&next, job->zone, job->next_s);
    pgc_log(s->rt, PGC_LOG_INFO, "backup.scheduled", "job scheduled", PGC_LOG_TEXT("job", job->name),
            PGC_LOG_TEXT("schedule", job->schedule), PGC_LOG_TEXT("next", job->next_s > 0 ? next.data : "never"));
}

/* --- loop ------------------------------------------------------------------------------------------- */

static void fire_due(struct scheduler *s) {
    int64_t now = now_s(s);
    for (size_t i = 0; i < s->agenda->count; i++) {
        struct pgc_agenda_job *job = &s->agenda->jobs[i];
        struct pgc_error err;
        if (job->next_s == 0 || now < job->next_s)
            continue;
        pgc_agenda_plan(job, now);
        if (job->running) {
            job->skipped++;
            pgc_log(s->rt, PGC_LOG_WARN, "backup.skipped", "the last run is still going: skipped",
                    PGC_LOG_TEXT("job", job->name));
        } else if (start_run(s, job, &err) != PGC_OK) {
            pgc_log(s->rt, PGC_LOG_ERROR, "backup.failed", err.message, PGC_LOG_TEXT("job", job->name));
        }
    }
}

static void reload(struct scheduler *s) {
    struct pgc_agenda fresh = PGC_AGENDA_INIT;
    struct pgc_error err;
    if (s->options->reload == NULL) {
        pgc_log(s->rt, PGC_LOG_INFO, "backup.reloaded", "there is no configuration file to read again");
        return;
    }
    if (s->options->reload(s->options->reload_arg, &fresh, &err) != PGC_OK) {
        pgc_log(s->rt, PGC_LOG_ERROR, "backup.reload_failed", "the configuration is not taken over",
                PGC_LOG_TEXT("error.message", err.message));
        pgc_agenda_release(&fresh);
        return;
    }
    pgc_agenda_take_over(&fresh, s->agenda);
    for (size_t i = 0; i < fresh.count; i++) {
        if (fresh.jobs[i].started_s == 0)
            take_up(s, &fresh.jobs[i]);
        else
            pgc_agenda_plan(&fresh.jobs[i], now_s(s));
    }
    struct pgc_agenda old = *s->agenda;
    *s->agenda = fresh;
    pgc_agenda_release(&old);
    pgc_log(s->rt, PGC_LOG_INFO, "backup.reloaded", "configuration read again",
            PGC_LOG_INT("jobs", (int64_t)s->agenda->count));
}

static void answer(void *arg, const struct pgc_http_query *query, struct pgc_http_reply *reply) {
    struct scheduler *s = arg;
    pthread_mutex_lock(&s->lock);
    if (strcmp(query->path, "/") == 0) {
        reply->content_type = "text/html; charset=utf-8";
        pgc_status_html(&reply->body, s->agenda, PGC_VERSION, now_s(s));
    } else if (strcmp(query->path, "/metrics") == 0) {
        reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
        pgc_status_metrics(&reply->body, s->agenda, PGC_VERSION, now_s(s));
    } else if (strcmp(query->path, "/status.json") == 0) {
        reply->content_type = "application/json";
        pgc_status_json(&reply->body, s->agenda, now_s(s));
    } else if (strcmp(query->path, "/healthz") == 0) {
        reply->status = pgc_status_health(&reply->body, s->agenda, now_s(s)) ? 200 : 503;
    } else if (strcmp(query->path, "/livez") == 0) {
        pgc_buf_puts(&reply->body, "ok\n");
    } else {
        reply->status = 404;
    }
    pthread_mutex_unlock(&s->lock);
}

static bool idle(struct scheduler *s) {
    pthread_mutex_lock(&s->lock);
    bool none = s->running == 0;
    pthread_mutex_unlock(&s->lock);
    return none;
}

static void wait_for_runs(struct scheduler *s) {
    s->abort_at_ms = pgc_mono_ms(s->rt) + s->options->drain_ms + 1;
    if (!idle(s))
        pgc_log(s->rt, PGC_LOG_INFO, "backup.stopping",
                s->options->drain_ms > 0 ? "waiting for running jobs" : "ending running jobs");
    while (!idle(s)) {
        struct timespec step = { 0, 20000000 };
        nanosleep(&step, NULL);
        pgc_reap_orphans();
    }
}

static void loop(struct scheduler *s) {
    while (pgc_cancelled(s->rt) == 0) {
        pthread_mutex_lock(&s->lock);
        if (s->options->reload_asked != NULL && s->options->reload_asked())
            reload(s);
        fire_due(s);
        pthread_mutex_unlock(&s->lock);
        pgc_reap_orphans();
        pgc_sleep_ms(s->rt, TICK_MS);
    }
    wait_for_runs(s);
}

enum pgc_code pgc_scheduler_run(const struct pgc_scheduler_options *options, const struct pgc_runtime *rt,
                                struct pgc_error *err) {
    struct scheduler s = { .options = options,
                           .rt = rt,
                           .agenda = options->agenda,
                           .lock = PTHREAD_MUTEX_INITIALIZER,
                           .env = PGC_STRINGS_INIT };
    PGC_AUTO(pgc_http_server_free) struct pgc_http_server *server = NULL;
    s.job_rt = (struct pgc_runtime) { job_mono, job_wall, job_sleep, job_cancelled, job_fd, job_log, &s };
    enum pgc_code code = fill_env(&s.env, err);
    if (code == PGC_OK && options->listen != NULL)
        code = pgc_http_server_start(options->listen, answer, &s, &server, err);
    if (code != PGC_OK) {
        pgc_strings_release(&s.env);
        return code;
    }
    pthread_mutex_lock(&s.lock);
    for (size_t i = 0; i < s.agenda->count; i++)
        take_up(&s, &s.agenda->jobs[i]);
    pthread_mutex_unlock(&s.lock);
    loop(&s);
    pgc_strings_release(&s.env);
    return s.aborted
               ? pgc_fail(err, PGC_E_CANCELLED, "a running job was aborted; nothing of it is visible in the store")
               : PGC_OK;
}
