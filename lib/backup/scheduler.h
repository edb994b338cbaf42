#ifndef PGC_BACKUP_SCHEDULER_H
#define PGC_BACKUP_SCHEDULER_H
/* The long-running scheduler: PID 1 of the backup container.
 *
 * Each job runs as a process of its own (this program with the job's subcommand), so that a run that breaks takes nothing with it.
 * A run that is still going when its job is due again is not started twice: it is skipped, counted and logged. SIGHUP reads the
 * configuration again, and a bad one changes nothing; SIGTERM ends running jobs (they abort cleanly) or, with drain_ms, lets them
 * finish first. Orphans that land on PID 1 are reaped.
 *
 * There is no local state. At start every store of a job is asked: its last success is the oldest of what the stores hold as newest of
 * each database that the job names (of a job without names: of the newest of all). An activation that was missed since is made up for
 * once. A store that does not answer is asked again, with growing pauses, and nothing is made up for before.
 *
 * The scheduler tells how runs went: jobs do not inherit PGC_BACKUP_NOTIFY, so nobody is told twice; targets among a job's own
 * arguments are that job's. A job whose last success grows too old is told of once, until it is in time again. */
#include "backup/agenda.h"
#include "backup/notify.h"

struct pgc_scheduler_options {
    struct pgc_agenda *agenda; /* taken over by the caller's struct; changed by reload */
    const char *program;       /* path of pgc-backup */
    const char *host;          /* for notifications */
    const char *listen;        /* ":9187"; NULL: no HTTP */
    struct pgc_notify_to notify;
    int64_t drain_ms; /* how long running jobs may go on after SIGTERM */
    /* Reads the configuration again; NULL: SIGHUP only logs. */
    enum pgc_code (*reload)(void *arg, struct pgc_agenda *fresh, struct pgc_error *err);
    void *reload_arg;
    bool (*reload_asked)(void); /* os/process.h's, given by the program */
};

/* Are the arguments of all jobs such that the program understands them? PGC_E_CONFIG names the job. */
PGC_MUST_USE enum pgc_code pgc_scheduler_check(const struct pgc_scheduler_options *options,
                                               const struct pgc_runtime *rt, struct pgc_error *err);
/* Runs until cancelled: PGC_OK then, when no job had to be aborted. */
PGC_MUST_USE enum pgc_code pgc_scheduler_run(const struct pgc_scheduler_options *options, const struct pgc_runtime *rt,
                                             struct pgc_error *err);
#endif
