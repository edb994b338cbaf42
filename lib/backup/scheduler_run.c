/* One run of a job: a thread that waits for its processes, notes how they ended and tells of it. */
#include <stdlib.h>
#include <string.h>

#include "backup/scheduler_internal.h"
#include "base/json.h"

#define STATUS_DATA 65

/* Names are copies, for the agenda may be reloaded meanwhile. */
struct run {
    struct scheduler *scheduler;
    char *job, *subject, *command;
    struct pgc_strings args, prune;
    struct pgc_strings environment, prune_environment;
    struct pgc_agenda_place place;
    bool backup, verify, proof, prunes;
    int level;
    struct pgc_buf tail; /* what the processes said last */
    struct pgc_agenda_end end;
    char id[PGC_NOTIFY_ID_BYTES];
};

static void run_release(struct run *run) {
    free(run->job);
    free(run->subject);
    free(run->command);
    pgc_strings_release(&run->args);
    pgc_strings_release(&run->prune);
    pgc_strings_release(&run->environment);
    pgc_strings_release(&run->prune_environment);
    scheduler_place_release(&run->place);
    pgc_buf_release(&run->tail);
    free(run);
}

/* --- processes ---------------------------------------------------------------------------------------- */

/* Runs a prepared process of this run; *output, when wanted, is what it printed. */
static enum pgc_code execute(struct run *run, struct scheduler_process *process, struct pgc_buf *output,
                             struct pgc_error *err) {
    enum pgc_code code = scheduler_execute(process, "backup.output", &run->scheduler->job_rt, err);
    pgc_buf_clear(&run->tail);
    pgc_buf_put(&run->tail, process->tail.data, process->tail.len);
    if (output != NULL)
        pgc_buf_put(output, process->output.data, process->output.len);
    return code;
}

/* One store, and one database or all. */
static enum pgc_code add_place(struct scheduler_process *process, const char *store, const char *cluster,
                               const char *database, struct pgc_error *err) {
    enum pgc_code code = scheduler_option(process, "--store", store, err);
    if (code == PGC_OK)
        code = scheduler_option(process, "--cluster", cluster, err);
    return code == PGC_OK ? scheduler_option(process, "--database", database, err) : code;
}

/* The policy of a job is for what that job backed up, never for its neighbours in the store. */
static enum pgc_code prune_one(struct run *run, const char *store, const struct pgc_json *row, struct pgc_error *err) {
    PGC_CLEANUP(scheduler_process_release) struct scheduler_process process = SCHEDULER_PROCESS_INIT;
    const char *database = pgc_json_text(pgc_json_get(row, "database"));
    if (database == NULL)
        return PGC_OK;
    enum pgc_code code = scheduler_prepare(run->scheduler, "prune", &run->environment, &process, err);
    if (code == PGC_OK)
        code = scheduler_change(&process, &run->prune_environment, err);
    if (code == PGC_OK)
        code = add_place(&process, store, pgc_json_text(pgc_json_get(row, "cluster")), database, err);
    if (code == PGC_OK)
        code = scheduler_append(&process.argv, &run->prune, err);
    return code == PGC_OK ? execute(run, &process, NULL, err) : code;
}

static enum pgc_code prune_all(struct run *run, const struct pgc_json *rows, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < run->place.stores.count; i++)
        for (size_t j = 0; code == PGC_OK && j < pgc_json_count(rows); j++)
            code = prune_one(run, run->place.stores.items[i], pgc_json_at(rows, j), err);
    return code;
}

static enum pgc_code back_up(struct run *run, struct pgc_error *err) {
    PGC_CLEANUP(scheduler_process_release) struct scheduler_process process = SCHEDULER_PROCESS_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf output = PGC_BUF_INIT;
    PGC_AUTO(pgc_json_free) struct pgc_json *doc = NULL;
    struct pgc_error ignored;
    enum pgc_code code = scheduler_prepare(run->scheduler, run->command, &run->environment, &process, err);
    if (code == PGC_OK)
        code = scheduler_append(&process.argv, &run->args, err);
    if (code == PGC_OK)
        code = pgc_strings_add(&process.argv, "--json", err);
    if (code == PGC_OK)
        code = execute(run, &process, &output, err);
    if (pgc_json_parse(output.data, output.len, &doc, &ignored) != PGC_OK)
        return code;
    const struct pgc_json *rows = pgc_json_get(doc, "backups");
    for (size_t i = 0; i < pgc_json_count(rows); i++) {
        run->end.bytes += (uint64_t)pgc_json_int(pgc_json_get(pgc_json_at(rows, i), "stored_bytes"), 0);
        run->end.raw_bytes += (uint64_t)pgc_json_int(pgc_json_get(pgc_json_at(rows, i), "raw_bytes"), 0);
    }
    run->end.stored = code == PGC_OK;
    /* Old backups go only when a new one is safe. */
    if (code == PGC_OK && run->prunes && prune_all(run, rows, err) != PGC_OK)
        return pgc_wrap(err, "the backup is stored, but pruning failed");
    return code;
}

static enum pgc_code verify_one(struct run *run, const char *store, const char *database, struct pgc_error *err) {
    PGC_CLEANUP(scheduler_process_release) struct scheduler_process process = SCHEDULER_PROCESS_INIT;
    enum pgc_code code = scheduler_prepare(run->scheduler, "verify", &run->environment, &process, err);
    if (code == PGC_OK)
        code = add_place(&process, store, run->place.cluster, database, err);
    if (code == PGC_OK)
        code = scheduler_option(&process, "--level", run->level >= 2 ? "2" : "1", err);
    if (code == PGC_OK)
        code = scheduler_append(&process.argv, &run->args, err);
    if (code == PGC_OK)
        code = execute(run, &process, NULL, err);
    run->end.damaged |= code == PGC_E_CHILD && process.status == STATUS_DATA;
    return code;
}

/* Every store and every database of the job; one that fails does not keep the others from being proven. */
static enum pgc_code verify_all(struct run *run, struct pgc_error *err) {
    enum pgc_code first = PGC_OK;
    size_t databases = run->place.databases.count;
    for (size_t i = 0; first != PGC_E_CANCELLED && i < run->place.stores.count; i++)
        for (size_t j = 0; first != PGC_E_CANCELLED && j < (databases > 0 ? databases : 1); j++) {
            struct pgc_error one;
            const char *database = databases > 0 ? run->place.databases.items[j] : NULL;
            enum pgc_code code = verify_one(run, run->place.stores.items[i], database, &one);
            if (code == PGC_OK || (first != PGC_OK && code != PGC_E_CANCELLED))
                continue;
            first = code;
            *err = one;
        }
    return first;
}

/* Any other command, and a verification with arguments of its own. */
static enum pgc_code command(struct run *run, struct pgc_error *err) {
    PGC_CLEANUP(scheduler_process_release) struct scheduler_process process = SCHEDULER_PROCESS_INIT;
    enum pgc_code code = scheduler_prepare(run->scheduler, run->command, &run->environment, &process, err);
    if (code == PGC_OK)
        code = scheduler_append(&process.argv, &run->args, err);
    if (code == PGC_OK)
        code = execute(run, &process, NULL, err);
    run->end.damaged = run->verify && code == PGC_E_CHILD && process.status == STATUS_DATA;
    return code;
}

/* --- the run ------------------------------------------------------------------------------------------- */

static void tell(struct run *run, enum pgc_notify_event event, const char *detail, int64_t ms) {
    struct pgc_notice notice = { .event = event,
                                 .verify = run->verify,
                                 .job = run->subject,
                                 .host = run->scheduler->options->host,
                                 .detail = detail,
                                 .log = run->tail.data,
                                 .run_id = run->id,
                                 .time_us = pgc_wall_us(run->scheduler->rt),
                                 .duration_ms = ms,
                                 .bytes = run->end.bytes };
    scheduler_tell(run->scheduler, &notice);
}

static void note_end(struct run *run, int64_t ms) {
    struct scheduler *s = run->scheduler;
    pthread_mutex_lock(&s->lock);
    struct pgc_agenda_job *job = pgc_agenda_find(s->agenda, run->job),
                          *subject = pgc_agenda_find(s->agenda, run->subject);
    if (job != NULL) {
        job->last_duration_ms = ms;
        pgc_agenda_ended(job, scheduler_now_s(s), &run->end);
    }
    if (subject != NULL && run->verify && run->end.success) {
        subject->verified_s = scheduler_now_s(s);
        if (run->level >= 2)
            subject->restored_s = subject->verified_s;
    }
    pthread_mutex_unlock(&s->lock);
}

static void *run_thread(void *arg) {
    struct run *run = arg;
    struct scheduler *s = run->scheduler;
    struct pgc_error err = { .message = "" };
    int64_t begin = pgc_mono_ms(s->rt);
    tell(run, PGC_NOTIFY_START, "", 0);
    enum pgc_code code = run->backup ? back_up(run, &err) : run->proof ? verify_all(run, &err) : command(run, &err);
    int64_t ms = pgc_mono_ms(s->rt) - begin;
    run->end.success = code == PGC_OK;
    run->end.error = err.message;
    note_end(run, ms);
    pgc_log(s->rt, code == PGC_OK ? PGC_LOG_INFO : PGC_LOG_ERROR, code == PGC_OK ? "backup.done" : "backup.failed",
            code == PGC_OK ? "job done" : "job failed", PGC_LOG_TEXT("job", run->job),
            PGC_LOG_INT("event.duration_ms", ms), PGC_LOG_INT("bytes", run->end.bytes),
            PGC_LOG_TEXT("error.message", code == PGC_OK ? NULL : err.message));
    tell(run, code == PGC_OK ? PGC_NOTIFY_SUCCESS : PGC_NOTIFY_FAILURE, err.message, ms);
    run_release(run);
    scheduler_thread_ended(s, code == PGC_E_CANCELLED);
    return NULL;
}

static enum pgc_code fill_run(struct run *run, const struct pgc_agenda_job *job, struct pgc_error *err) {
    run->backup = pgc_agenda_is_backup(job);
    run->verify = pgc_agenda_is_verify(job);
    run->proof = pgc_agenda_is_proof(job);
    run->prunes = job->prunes;
    run->level = job->level;
    run->job = strdup(job->name);
    run->subject = strdup(job->subject);
    run->command = strdup(job->command);
    if (run->job == NULL || run->subject == NULL || run->command == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = scheduler_append(&run->args, &job->args, err);
    if (code == PGC_OK)
        code = scheduler_append(&run->prune, &job->prune, err);
    if (code == PGC_OK)
        code = scheduler_append(&run->environment, &job->environment, err);
    if (code == PGC_OK)
        code = scheduler_append(&run->prune_environment, &job->prune_environment, err);
    if (code == PGC_OK)
        code = scheduler_copy_place(&job->place, &run->place, err);
    return code == PGC_OK ? pgc_notify_id(run->id, err) : code;
}

enum pgc_code scheduler_start(struct scheduler *s, struct pgc_agenda_job *job, struct pgc_error *err) {
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return pgc_fail_nomem(err);
    run->scheduler = s;
    run->tail = (struct pgc_buf)PGC_BUF_INIT;
    enum pgc_code code = fill_run(run, job, err);
    if (code == PGC_OK && !scheduler_thread(s, run_thread, run))
        code = pgc_fail(err, PGC_E_FAILED, "cannot start a thread for job '%s'", job->name);
    if (code != PGC_OK) {
        run_release(run);
        return code;
    }
    job->running = true;
    job->last_start_s = scheduler_now_s(s);
    return PGC_OK;
}
