#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/metrics.h"
#include "backup/scheduler_internal.h"
#include "backup/status_page.h"
#include "base/text.h"
#include "net/http_server.h"
#include "os/spawn.h"

#define TICK_MS 200

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

/* --- what the other files use -------------------------------------------------------------------------- */

int64_t scheduler_now_s(const struct scheduler *s) {
    return pgc_wall_us(s->rt) / 1000000;
}

void scheduler_tell(struct scheduler *s, const struct pgc_notice *notice) {
    pgc_notify_all(&s->options->notify, notice, &s->job_rt);
}

bool scheduler_thread(struct scheduler *s, void *(*body)(void *), void *arg) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, arg) != 0)
        return false;
    pthread_detach(thread);
    s->running++;
    return true;
}

void scheduler_thread_ended(struct scheduler *s, bool aborted) {
    pthread_mutex_lock(&s->lock);
    s->running--;
    s->aborted |= aborted;
    pthread_mutex_unlock(&s->lock);
}

/* Whom to tell is the scheduler's: a run that inherited it would tell a second time. What runs say goes into our log, as text. */
static enum pgc_code fill_env(struct pgc_strings *env, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (char **entry = environ; code == PGC_OK && *entry != NULL; entry++)
        if (!pgc_text_starts(*entry, "PGC_BACKUP_NOTIFY=") && !pgc_text_starts(*entry, "PGC_BACKUP_NOTIFY_FILE=") &&
            !pgc_text_starts(*entry, "PGC_LOG_FORMAT="))
            code = pgc_strings_add(env, *entry, err);
    return code == PGC_OK ? pgc_strings_add(env, "PGC_LOG_FORMAT=text", err) : code;
}

static void take_up(struct scheduler *s, struct pgc_agenda_job *job) {
    struct pgc_error err;
    job->started_s = scheduler_now_s(s);
    pgc_agenda_plan(job, job->started_s);
    if (job->run_on_start) {
        pgc_log(s->rt, PGC_LOG_INFO, "backup.start", "running at start", PGC_LOG_TEXT("job", job->name));
        if (scheduler_start(s, job, &err) != PGC_OK)
            pgc_log(s->rt, PGC_LOG_ERROR, "backup.failed", err.message, PGC_LOG_TEXT("job", job->name));
    }
    if (job->place.stores.count > 0)
        scheduler_survey(s, job);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf next = PGC_BUF_INIT;
    pgc_zone_rfc3339(&next, job->zone, job->next_s);
    pgc_log(s->rt, PGC_LOG_INFO, "backup.scheduled", "job scheduled", PGC_LOG_TEXT("job", job->name),
            PGC_LOG_TEXT("schedule", job->schedule), PGC_LOG_TEXT("next", job->next_s > 0 ? next.data : "never"));
}

/* --- late ------------------------------------------------------------------------------------------------ */

struct late {
    struct scheduler *scheduler;
    char *subject;
    bool verify;
    char detail[96];
};

static void *late_thread(void *arg) {
    struct late *late = arg;
    struct scheduler *s = late->scheduler;
    struct pgc_notice notice = { .event = PGC_NOTIFY_LATE,
                                 .verify = late->verify,
                                 .job = late->subject,
                                 .host = s->options->host,
                                 .detail = late->detail,
                                 .log = "",
                                 .run_id = "",
                                 .time_us = pgc_wall_us(s->rt) };
    scheduler_tell(s, &notice);
    free(late->subject);
    free(late);
    scheduler_thread_ended(s, false);
    return NULL;
}

static void tell_late(struct scheduler *s, struct pgc_agenda_job *job) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf when = PGC_BUF_INIT;
    struct late *late = calloc(1, sizeof *late);
    pgc_buf_puts(&when, job->last_success_s > 0 ? "the last success was at " : "no success since ");
    pgc_text_rfc3339(&when, (job->last_success_s > 0 ? job->last_success_s : job->started_s) * 1000000, false);
    job->told_late = true;
    pgc_log(s->rt, PGC_LOG_ERROR, "backup.late", "the last success is older than the schedule and its grace allow",
            PGC_LOG_TEXT("job", job->name), PGC_LOG_TEXT("error.message", when.data));
    if (late == NULL)
        return;
    late->scheduler = s;
    late->verify = pgc_agenda_is_verify(job);
    late->subject = strdup(job->subject);
    snprintf(late->detail, sizeof late->detail, "%s", when.data);
    if (late->subject != NULL && scheduler_thread(s, late_thread, late))
        return;
    free(late->subject);
    free(late);
}

/* Once for each time that a job becomes late; one that runs in time after it may become late again. */
static void look_for_late(struct scheduler *s, int64_t now) {
    for (size_t i = 0; now != s->looked_s && i < s->agenda->count; i++) {
        struct pgc_agenda_job *job = &s->agenda->jobs[i];
        bool catching_up = job->running && now <= job->last_start_s + job->grace_s;
        if (pgc_agenda_in_time(job, now))
            job->told_late = false;
        else if (!job->told_late && !catching_up)
            tell_late(s, job);
    }
    s->looked_s = now;
}

/* --- loop ------------------------------------------------------------------------------------------- */

static void fire_due(struct scheduler *s) {
    int64_t now = scheduler_now_s(s);
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
        } else if (scheduler_start(s, job, &err) != PGC_OK) {
            pgc_log(s->rt, PGC_LOG_ERROR, "backup.failed", err.message, PGC_LOG_TEXT("job", job->name));
        }
    }
}

static void take_over(struct scheduler *s, struct pgc_agenda *fresh) {
    pthread_mutex_lock(&s->lock);
    pgc_agenda_take_over(fresh, s->agenda);
    struct pgc_agenda old = *s->agenda;
    *s->agenda = *fresh;
    pgc_agenda_release(&old);
    for (size_t i = 0; i < s->agenda->count; i++) {
        if (s->agenda->jobs[i].started_s == 0)
            take_up(s, &s->agenda->jobs[i]);
        else
            pgc_agenda_plan(&s->agenda->jobs[i], scheduler_now_s(s));
    }
    pthread_mutex_unlock(&s->lock);
    pgc_log(s->rt, PGC_LOG_INFO, "backup.reloaded", "configuration read again",
            PGC_LOG_INT("jobs", (int64_t)s->agenda->count));
}

static void reload(struct scheduler *s) {
    struct pgc_agenda fresh = PGC_AGENDA_INIT;
    struct pgc_error err;
    if (s->options->reload == NULL) {
        pgc_log(s->rt, PGC_LOG_INFO, "backup.reloaded", "there is no configuration file to read again");
        return;
    }
    enum pgc_code code = s->options->reload(s->options->reload_arg, &fresh, &err);
    if (code == PGC_OK)
        code = scheduler_plan(s, &fresh, &err);
    if (code == PGC_OK) {
        take_over(s, &fresh);
        return;
    }
    pgc_log(s->rt, PGC_LOG_ERROR, "backup.reload_failed", "the configuration is not taken over, the old one stays",
            PGC_LOG_TEXT("error.message", err.message));
    pgc_agenda_release(&fresh);
}

static void answer(void *arg, const struct pgc_http_query *query, struct pgc_http_reply *reply) {
    struct scheduler *s = arg;
    pthread_mutex_lock(&s->lock);
    if (strcmp(query->path, "/") == 0) {
        reply->content_type = "text/html; charset=utf-8";
        pgc_status_html(&reply->body, s->agenda, PGC_VERSION, scheduler_now_s(s));
    } else if (strcmp(query->path, "/metrics") == 0) {
        reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
        pgc_metrics_write(&reply->body, s->agenda, PGC_VERSION, scheduler_now_s(s));
    } else if (strcmp(query->path, "/status.json") == 0) {
        reply->content_type = "application/json";
        pgc_status_json(&reply->body, s->agenda, scheduler_now_s(s));
    } else if (strcmp(query->path, "/healthz") == 0) {
        reply->status = pgc_status_health(&reply->body, s->agenda, scheduler_now_s(s)) ? 200 : 503;
    } else if (strcmp(query->path, "/livez") == 0 || strcmp(query->path, "/readyz") == 0) {
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
        if (s->options->reload_asked != NULL && s->options->reload_asked())
            reload(s);
        pthread_mutex_lock(&s->lock);
        fire_due(s);
        look_for_late(s, scheduler_now_s(s));
        pthread_mutex_unlock(&s->lock);
        pgc_reap_orphans();
        pgc_sleep_ms(s->rt, TICK_MS);
    }
    wait_for_runs(s);
}

enum pgc_code pgc_scheduler_check(const struct pgc_scheduler_options *options, const struct pgc_runtime *rt,
                                  struct pgc_error *err) {
    struct scheduler s = { .options = options, .rt = rt, .env = PGC_STRINGS_INIT };
    enum pgc_code code = fill_env(&s.env, err);
    if (code == PGC_OK)
        code = scheduler_plan(&s, options->agenda, err);
    pgc_strings_release(&s.env);
    return code;
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
    if (code == PGC_OK)
        code = scheduler_plan(&s, s.agenda, err);
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
