#ifndef PGC_BACKUP_AGENDA_H
#define PGC_BACKUP_AGENDA_H
/* The jobs of the scheduler, and what is known of each: a value. Pure but for opening time zones.
 *
 * A job is a subcommand of pgc backup with its arguments (run, prune, verify, ...) and a schedule. Configuration is JSON:
 *
 *     { "jobs": [
 *         { "name": "app", "schedule": "30 2 * * *", "timezone": "Europe/Berlin", "jitter": "5m",
 *           "args": ["--database", "app", "--store", "s3://bucket/pg", "--recipients-file", "/keys.txt"],
 *           "prune": ["--keep-daily", "7", "--keep-weekly", "4"],
 *           "verify": { "schedule": "0 6 * * sun", "level": 2, "args": ["--identity-file", "/key.txt"] } } ] }
 *
 * Members of a job: name (required, unique), schedule (required), timezone (UTC), jitter ("0"), command ("run"), args ([]), prune
 * (absent: nothing is pruned; else the policy, with which prune runs after each success for every store of args and every database
 * that was backed up, and for no other), verify (absent: nothing is verified), environment ({}: what its processes find in theirs,
 * null takes a variable away), prune_environment ({}: the same for prune alone), run_on_start (false), catch_up (true), max_age
 * (absent: by the schedule), grace ("1h"). Unknown members are refused.
 *
 * Members of verify: schedule (required), level (1), args ([]), timezone (that of the job), and jitter, environment, run_on_start,
 * catch_up, max_age, grace as above. It becomes a job of its own, "app:verify", for the stores and databases of "app". */
#include <pgc/runtime.h>

#include "backup/cron.h"
#include "base/array.h"
#include "base/buf.h"

#define PGC_AGENDA_HISTORY 30

enum pgc_agenda_outcome { PGC_AGENDA_NEVER, PGC_AGENDA_SUCCESS, PGC_AGENDA_FAILURE };

struct pgc_agenda_point {
    int64_t end_s;
    uint64_t bytes;
    bool success;
};

/* What the arguments and the environment of a job mean: the scheduler asks the program itself. */
struct pgc_agenda_place {
    struct pgc_strings stores;
    struct pgc_strings databases; /* by name; none: all that there are */
    char *cluster;                /* NULL: any */
};

struct pgc_agenda_job {
    char *name, *schedule, *timezone, *command;
    char *subject; /* whose backups it is about: its own name, or for "app:verify" "app" */
    struct pgc_strings args, prune;
    struct pgc_strings environment, prune_environment; /* "NAME=value"; "NAME": taken away */
    struct pgc_agenda_place place;
    bool prunes, run_on_start, catch_up;
    int level;                            /* of a verification */
    int64_t jitter_s, grace_s, max_age_s; /* max_age_s 0: by the schedule */
    struct pgc_cron cron;
    struct pgc_zone *zone;
    /* State. Seconds since 1970 UTC, 0: never. */
    int64_t started_s; /* when the scheduler took the job up */
    int64_t next_s;
    int64_t last_start_s, last_end_s, last_success_s;
    int64_t last_duration_ms;
    uint64_t last_bytes, last_raw_bytes;
    int64_t verified_s, restored_s; /* when one of its backups was proven last: at all, and by a restore */
    enum pgc_agenda_outcome last_outcome;
    char last_error[512];
    uint64_t successes, failures, skipped;
    bool running;
    bool damaged;                                        /* the last verification found damage */
    bool told_late;                                      /* somebody was told that the last success is too old */
    struct pgc_agenda_point history[PGC_AGENDA_HISTORY]; /* oldest first */
    size_t history_count;
};

struct pgc_agenda {
    struct pgc_agenda_job *jobs;
    size_t count, cap;
};
#define PGC_AGENDA_INIT                                                                                                \
    { NULL, 0, 0 }

/* PGC_E_CONFIG names the job and the member. */
PGC_MUST_USE enum pgc_code pgc_agenda_parse(const char *text, size_t len, const char *host, struct pgc_agenda *out,
                                            struct pgc_error *err);
/* One job from a schedule alone, named "backup"; its other settings come from the environment. */
struct pgc_agenda_setting {
    const char *schedule, *timezone;
    int64_t jitter_s;
    bool run_on_start;
    bool prunes;                 /* by the policy in the environment */
    const char *verify_schedule; /* NULL: nothing is verified */
    int verify_level;
};
PGC_MUST_USE enum pgc_code pgc_agenda_single(const struct pgc_agenda_setting *setting, const char *host,
                                             struct pgc_agenda *out, struct pgc_error *err);
void pgc_agenda_release(struct pgc_agenda *agenda);

bool pgc_agenda_is_backup(const struct pgc_agenda_job *job); /* command "run" */
bool pgc_agenda_is_verify(const struct pgc_agenda_job *job); /* command "verify" */
/* It verifies the backups of another job of the agenda: its subject. */
bool pgc_agenda_is_proof(const struct pgc_agenda_job *job);
/* NULL when there is none of that name. */
struct pgc_agenda_job *pgc_agenda_find(const struct pgc_agenda *agenda, const char *name);

/* Sets next_s to the first activation after now_s, with the job's jitter. */
void pgc_agenda_plan(struct pgc_agenda_job *job, int64_t now_s);
/* Was an activation missed between the last success and now? */
bool pgc_agenda_missed(const struct pgc_agenda_job *job, int64_t now_s);
/* False when the last success (or, without one, the start) is older than the schedule and its grace allow. */
bool pgc_agenda_in_time(const struct pgc_agenda_job *job, int64_t now_s);
/* In time, and no verification found damage. */
bool pgc_agenda_healthy(const struct pgc_agenda_job *job, int64_t now_s);

struct pgc_agenda_end {
    bool success;
    bool stored;  /* a backup is in every store, although the run failed later (pruning) */
    bool damaged; /* a verification found damage */
    uint64_t bytes, raw_bytes;
    const char *error;
};
/* Notes the end of a run. */
void pgc_agenda_ended(struct pgc_agenda_job *job, int64_t now_s, const struct pgc_agenda_end *end);
/* A bar for the chart. */
void pgc_agenda_note(struct pgc_agenda_job *job, const struct pgc_agenda_point *point);
/* What a reload keeps: the state of the job of the same name. */
void pgc_agenda_take_over(struct pgc_agenda *fresh, const struct pgc_agenda *old);
#endif
