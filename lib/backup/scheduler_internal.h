#ifndef PGC_BACKUP_SCHEDULER_INTERNAL_H
#define PGC_BACKUP_SCHEDULER_INTERNAL_H
/* What the files of the scheduler share. Everything that a job does is a process of this very program. */
#include <pthread.h>

#include "backup/scheduler.h"

struct scheduler {
    const struct pgc_scheduler_options *options;
    const struct pgc_runtime *rt;
    struct pgc_runtime job_rt; /* rt, but cancelled only when the time to drain is over */
    pthread_mutex_t lock;      /* guards agenda, running and aborted */
    struct pgc_agenda *agenda;
    struct pgc_strings env; /* of all jobs */
    size_t running;         /* threads */
    bool aborted;
    _Atomic int64_t abort_at_ms; /* 0: nobody asked us to stop yet */
    int64_t looked_s;            /* when the age of the last successes was looked at */
};

/* One process: what it says and how it ends. */
struct scheduler_process {
    struct pgc_strings argv;
    struct pgc_strings env;
    struct pgc_buf output;
    struct pgc_buf tail; /* of stderr */
    int status;
};
#define SCHEDULER_PROCESS_INIT                                                                                         \
    { PGC_STRINGS_INIT, PGC_STRINGS_INIT, PGC_BUF_INIT, PGC_BUF_INIT, 0 }
void scheduler_process_release(struct scheduler_process *process);
/* The program with `command`; the environment is that of the scheduler changed by `changes` ("NAME=value", "NAME": without). */
PGC_MUST_USE enum pgc_code scheduler_prepare(struct scheduler *s, const char *command,
                                             const struct pgc_strings *changes, struct scheduler_process *out,
                                             struct pgc_error *err);
PGC_MUST_USE enum pgc_code scheduler_change(struct scheduler_process *process, const struct pgc_strings *changes,
                                            struct pgc_error *err);
/* Adds NAME VALUE to the arguments; a NULL value adds nothing. */
PGC_MUST_USE enum pgc_code scheduler_option(struct scheduler_process *process, const char *name, const char *value,
                                            struct pgc_error *err);
PGC_MUST_USE enum pgc_code scheduler_append(struct pgc_strings *to, const struct pgc_strings *list,
                                            struct pgc_error *err);
/* Runs it; event: the name under which its stderr is logged, NULL: it is only kept. A failure is what the program said last. */
PGC_MUST_USE enum pgc_code scheduler_execute(struct scheduler_process *process, const char *event,
                                             const struct pgc_runtime *rt, struct pgc_error *err);

/* Fills the place of every job; PGC_E_CONFIG says which job has wrong arguments. */
PGC_MUST_USE enum pgc_code scheduler_plan(struct scheduler *s, struct pgc_agenda *agenda, struct pgc_error *err);
PGC_MUST_USE enum pgc_code scheduler_copy_place(const struct pgc_agenda_place *from, struct pgc_agenda_place *to,
                                                struct pgc_error *err);
void scheduler_place_release(struct pgc_agenda_place *place);

/* With the lock held. Starts a thread that runs the job. */
PGC_MUST_USE enum pgc_code scheduler_start(struct scheduler *s, struct pgc_agenda_job *job, struct pgc_error *err);
/* With the lock held. Starts a thread that learns from the stores what was last, and makes up for what was missed. */
void scheduler_survey(struct scheduler *s, struct pgc_agenda_job *job);
/* With the lock held. A thread that counts as running; false: it could not be started. */
bool scheduler_thread(struct scheduler *s, void *(*body)(void *), void *arg);
void scheduler_thread_ended(struct scheduler *s, bool aborted);

int64_t scheduler_now_s(const struct scheduler *s);
void scheduler_tell(struct scheduler *s, const struct pgc_notice *notice);
#endif
