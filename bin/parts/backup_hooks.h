#ifndef PGC_PARTS_BACKUP_HOOKS_H
#define PGC_PARTS_BACKUP_HOOKS_H
/* Option rows of the hooks of pgc backup run, and the two moments when they run. */
#include "backup/job.h"
#include "cli/command.h"

struct hook_settings {
    char *before, *after; /* JSON arrays, NULL: none */
    struct pgc_strings pass;
    int64_t limit_ms;
};
#define HOOK_AT(type, field, member) (offsetof(type, field) + offsetof(struct hook_settings, member))
#define HOOK_ROWS(type, field)                                                                                         \
    {                                                                                                                  \
        "hook-before",                                                                                                 \
        0,                                                                                                             \
        PGC_OPT_STRING,                                                                                                \
        HOOK_AT(type, field, before),                                                                                  \
        NULL,                                                                                                          \
        "program to run first, as JSON: '[\"/opt/freeze\", \"on\"]'; when it fails nothing is backed up",              \
        .value = "ARGV"                                                                                                \
    },                                                                                                                 \
        { "hook-after",                                                                                                \
          0,                                                                                                           \
          PGC_OPT_STRING,                                                                                              \
          HOOK_AT(type, field, after),                                                                                 \
          NULL,                                                                                                        \
          "program to run at the end, whatever the outcome; it finds the result on stdin and in PGC_STATUS, ...",      \
          .value = "ARGV" },                                                                                           \
        { "hook-env",     0,                                                                                           \
          PGC_OPT_LIST,   HOOK_AT(type, field, pass),                                                                  \
          NULL,           "variable that hooks get too (PGPASSWORD, ...): others do not reach them",                   \
          .value = "NAME" },                                                                                           \
    {                                                                                                                  \
        "hook-timeout", 0, PGC_OPT_DURATION, HOOK_AT(type, field, limit_ms), "5m",                                     \
            "end a hook that runs for longer; it has failed then"                                                      \
    }

/* What a run knows of itself; all borrowed. */
struct hook_run {
    const char *job, *cluster;
    const char *database;             /* the only one that is asked for; NULL: several, or unknown */
    const struct pgc_strings *stores; /* without secrets */
    int64_t started_us;
};

PGC_MUST_USE enum pgc_code hooks_check(const struct hook_settings *settings, struct pgc_error *err);
/* PGC_OK when there is none. */
PGC_MUST_USE enum pgc_code hooks_before(const struct hook_settings *settings, const struct hook_run *run,
                                        const struct pgc_runtime *rt, struct pgc_error *err);
/* `code` and `err` are the outcome so far; what comes back is the outcome with the hook: a hook that fails makes a success a
 * failure and is logged beside another failure. It runs in a cancelled runtime too. `json` is for its stdin. */
PGC_MUST_USE enum pgc_code hooks_after(const struct hook_settings *settings, const struct hook_run *run,
                                       enum pgc_code code, const struct pgc_backup_results *results, const char *json,
                                       const struct pgc_runtime *rt, struct pgc_error *err);
#endif
