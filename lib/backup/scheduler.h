#ifndef PGC_BACKUP_SCHEDULER_H
#define PGC_BACKUP_SCHEDULER_H
/* The long-running scheduler: PID 1 of the backup container.
 *
 * Each job runs as a process of its own (this program with the job's subcommand), so that a run that breaks takes nothing with it.
 * A run that is still going when its job is due again is not started twice: it is skipped, counted and logged. There is no local
 * state: what was last is read from the store at start, and an activation that was missed while nobody was there is made up for
 * once. SIGHUP reads the configuration again; SIGTERM ends running jobs (they abort cleanly) or, with drain_ms, lets them
 * finish first. The scheduler tells how runs went: jobs do not inherit PGC_BACKUP_NOTIFY, so nobody is told twice; targets among a
 * job's own arguments are that job's. Orphans that land on PID 1 are reaped. */
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

/* Runs until cancelled: PGC_OK then, when no job had to be aborted. */
PGC_MUST_USE enum pgc_code pgc_scheduler_run(const struct pgc_scheduler_options *options, const struct pgc_runtime *rt,
                                             struct pgc_error *err);
#endif
