/* What the stores say of a job when the scheduler takes it up: there is no local state. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/scheduler_internal.h"
#include "base/json.h"
#include "base/text.h"

#define AGAIN_FIRST_MS 5000
#define AGAIN_MOST_MS  300000

/* Of one database in one store; times in microseconds, 0: never. */
struct found {
    int64_t success_us;               /* newest good backup */
    int64_t verified_us, restored_us; /* newest proofs */
    uint64_t bytes;                   /* of the newest good backup */
    char damaged[64];                 /* ID of the newest backup when its last verification failed */
};

struct survey {
    struct scheduler *scheduler;
    char *job;
    struct pgc_strings environment;
    struct pgc_agenda_place place;
    bool proof;
    int level;
    struct found all; /* the oldest of every store and every database that is named */
    bool any;         /* `all` holds something */
    uint64_t bytes;   /* of the newest backups in the first store */
    struct pgc_agenda_point history[PGC_AGENDA_HISTORY];
    size_t history_count;
};

static void survey_release(struct survey *survey) {
    free(survey->job);
    pgc_strings_release(&survey->environment);
    scheduler_place_release(&survey->place);
    free(survey);
}

/* --- one store ------------------------------------------------------------------------------------------ */

static int64_t time_of(const struct pgc_json *row, const char *key) {
    const char *text = pgc_json_text(pgc_json_get(row, key));
    int64_t us = 0;
    return text != NULL && pgc_text_parse_rfc3339(text, &us) ? us : 0;
}

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static void note_point(struct survey *survey, const struct pgc_json *row, uint64_t bytes) {
    if (survey->history_count == PGC_AGENDA_HISTORY)
        memmove(survey->history, survey->history + 1, --survey->history_count * sizeof survey->history[0]);
    survey->history[survey->history_count++] =
        (struct pgc_agenda_point) { time_of(row, "finished") / 1000000, bytes, true };
}

/* The rows (oldest first) of one database, NULL: of all. */
static struct found look_at(struct survey *survey, const struct pgc_json *rows, const char *database, bool history) {
    struct found found = { .success_us = 0 };
    for (size_t i = 0; i < pgc_json_count(rows); i++) {
        const struct pgc_json *row = pgc_json_at(rows, i);
        const char *name = pgc_json_text(pgc_json_get(row, "database")), *id = pgc_json_text(pgc_json_get(row, "id"));
        if (name == NULL || id == NULL || (database != NULL && strcmp(name, database) != 0))
            continue;
        if (pgc_json_text(pgc_json_get(row, "problem")) != NULL)
            continue;
        found.bytes = (uint64_t)pgc_json_int(pgc_json_get(row, "stored_bytes"), 0);
        found.success_us = later(found.success_us, time_of(row, "finished"));
        bool failed = time_of(row, "verification_failed") > 0;
        snprintf(found.damaged, sizeof found.damaged, "%s", failed ? id : "");
        if (!failed) {
            found.verified_us = later(found.verified_us, time_of(row, "verified"));
            found.restored_us = later(found.restored_us, time_of(row, "restored"));
        }
        if (history)
            note_point(survey, row, found.bytes);
    }
    return found;
}

static int64_t sooner(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static void add_found(struct survey *survey, const struct found *found) {
    struct found *all = &survey->all;
    if (!survey->any) {
        *all = *found;
        survey->any = true;
        return;
    }
    all->success_us = sooner(all->success_us, found->success_us);
    all->verified_us = sooner(all->verified_us, found->verified_us);
    all->restored_us = sooner(all->restored_us, found->restored_us);
    if (all->damaged[0] == '\0')
        memcpy(all->damaged, found->damaged, sizeof all->damaged);
}

static enum pgc_code ask_store(struct survey *survey, size_t at, struct pgc_error *err) {
    PGC_CLEANUP(scheduler_process_release) struct scheduler_process process = SCHEDULER_PROCESS_INIT;
    PGC_AUTO(pgc_json_free) struct pgc_json *doc = NULL;
    struct scheduler *s = survey->scheduler;
    const struct pgc_strings *databases = &survey->place.databases;
    enum pgc_code code = scheduler_prepare(s, "list", &survey->environment, &process, err);
    if (code == PGC_OK)
        code = scheduler_option(&process, "--store", survey->place.stores.items[at], err);
    if (code == PGC_OK)
        code = scheduler_option(&process, "--cluster", survey->place.cluster, err);
    if (code == PGC_OK)
        code = pgc_strings_add(&process.argv, "--json", err);
    if (code == PGC_OK)
        code = scheduler_execute(&process, NULL, s->rt, err);
    if (code == PGC_OK)
        code = pgc_json_parse(process.output.data, process.output.len, &doc, err);
    if (code != PGC_OK)
        return code;
    const struct pgc_json *rows = pgc_json_get(doc, "backups");
    for (size_t i = 0; i < (databases->count > 0 ? databases->count : 1); i++) {
        const char *database = databases->count > 0 ? databases->items[i] : NULL;
        struct found found = look_at(survey, rows, database, at == 0 && databases->count == 1);
        survey->bytes += at == 0 ? found.bytes : 0;
        add_found(survey, &found);
    }
    return PGC_OK;
}

/* All stores answer, or nothing is known: a run is a success only when every store has it. */
static enum pgc_code ask_all(struct survey *survey, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    survey->any = false;
    survey->bytes = 0;
    survey->history_count = 0;
    survey->all = (struct found) { .success_us = 0 };
    for (size_t i = 0; code == PGC_OK && i < survey->place.stores.count; i++)
        code = ask_store(survey, i, err);
    return code;
}

/* --- what follows from it -------------------------------------------------------------------------------- */

static void take_backup(const struct survey *survey, struct pgc_agenda_job *job) {
    const struct found *all = &survey->all;
    if (job->last_success_s == 0) {
        job->last_success_s = all->success_us / 1000000;
        job->last_bytes = survey->bytes;
    }
    job->verified_s = later(job->verified_s, all->verified_us / 1000000);
    job->restored_s = later(job->restored_s, all->restored_us / 1000000);
    if (job->history_count > 0)
        return;
    for (size_t i = 0; i < survey->history_count; i++)
        pgc_agenda_note(job, &survey->history[i]);
}

static void take_proof(const struct survey *survey, struct pgc_agenda_job *job) {
    const struct found *all = &survey->all;
    if (job->last_success_s == 0)
        job->last_success_s = (survey->level >= 2 ? all->restored_us : all->verified_us) / 1000000;
    if (all->damaged[0] == '\0' || job->last_end_s > 0)
        return;
    job->damaged = true;
    job->last_outcome = PGC_AGENDA_FAILURE;
    snprintf(job->last_error, sizeof job->last_error, "the last verification of backup %s failed", all->damaged);
}

static void conclude(struct survey *survey) {
    struct scheduler *s = survey->scheduler;
    struct pgc_error err;
    pthread_mutex_lock(&s->lock);
    struct pgc_agenda_job *job = pgc_agenda_find(s->agenda, survey->job);
    if (job != NULL && survey->proof)
        take_proof(survey, job);
    else if (job != NULL)
        take_backup(survey, job);
    if (job != NULL && job->catch_up && !job->running && pgc_agenda_missed(job, scheduler_now_s(s))) {
        pgc_log(s->rt, PGC_LOG_INFO, "backup.start", "an activation was missed: running now",
                PGC_LOG_TEXT("job", job->name));
        if (scheduler_start(s, job, &err) != PGC_OK)
            pgc_log(s->rt, PGC_LOG_ERROR, "backup.failed", err.message, PGC_LOG_TEXT("job", job->name));
    }
    pthread_mutex_unlock(&s->lock);
}

/* Asked again until the stores answer, the job is gone, or a run of it has told more than they could. */
static bool still_wanted(struct survey *survey) {
    struct scheduler *s = survey->scheduler;
    pthread_mutex_lock(&s->lock);
    const struct pgc_agenda_job *job = pgc_agenda_find(s->agenda, survey->job);
    bool wanted = job != NULL && job->successes == 0;
    pthread_mutex_unlock(&s->lock);
    return wanted && pgc_cancelled(s->rt) == 0;
}

static void complain(const struct survey *survey, const struct pgc_error *err) {
    pgc_log(survey->scheduler->rt, PGC_LOG_WARN, "backup.list_failed",
            "cannot read what the stores hold; missed runs are made up for when they answer",
            PGC_LOG_TEXT("job", survey->job), PGC_LOG_TEXT("error.message", err->message));
}

static void *survey_thread(void *arg) {
    struct survey *survey = arg;
    struct scheduler *s = survey->scheduler;
    struct pgc_error err = { .message = "" }, last = err;
    int64_t pause_ms = AGAIN_FIRST_MS;
    enum pgc_code code = ask_all(survey, &err);
    while (code != PGC_OK && still_wanted(survey)) {
        if (strcmp(last.message, err.message) != 0)
            complain(survey, &err);
        last = err;
        for (int64_t until = pgc_mono_ms(s->rt) + pause_ms; pgc_mono_ms(s->rt) < until && still_wanted(survey);)
            pgc_sleep_ms(s->rt, 250);
        pause_ms = sooner(pause_ms * 2, AGAIN_MOST_MS);
        if (still_wanted(survey))
            code = ask_all(survey, &err);
    }
    if (code == PGC_OK)
        conclude(survey);
    survey_release(survey);
    scheduler_thread_ended(s, false);
    return NULL;
}

void scheduler_survey(struct scheduler *s, struct pgc_agenda_job *job) {
    struct survey *survey = calloc(1, sizeof *survey);
    struct pgc_error err;
    enum pgc_code code = survey != NULL ? PGC_OK : pgc_fail_nomem(&err);
    if (code == PGC_OK) {
        survey->scheduler = s;
        survey->proof = pgc_agenda_is_proof(job);
        survey->level = job->level;
        survey->job = strdup(job->name);
        code = survey->job != NULL ? scheduler_append(&survey->environment, &job->environment, &err)
                                   : pgc_fail_nomem(&err);
    }
    if (code == PGC_OK)
        code = scheduler_copy_place(&job->place, &survey->place, &err);
    if (code == PGC_OK && !scheduler_thread(s, survey_thread, survey))
        code = pgc_fail(&err, PGC_E_FAILED, "cannot start a thread");
    if (code == PGC_OK)
        return;
    pgc_log(s->rt, PGC_LOG_ERROR, "backup.list_failed", err.message, PGC_LOG_TEXT("job", job->name));
    if (survey != NULL)
        survey_release(survey);
}
