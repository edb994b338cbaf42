#ifndef PGC_PARTS_MIGRATE_SETTINGS_H
#define PGC_PARTS_MIGRATE_SETTINGS_H
/* Option rows that the commands of pgc migrate share, and what is made of them. */
#include "cli/command.h"
#include "migrate/run.h"

struct migrate_settings {
    struct pgc_connection_settings connection;
    struct pgc_strings dirs;
    char *format;
    char *ledger_schema;
    char *ledger;
    char *table;
    struct pgc_strings variables;
    struct pgc_strings env_names;
    bool env_subst;
    int64_t wait_ms;
    bool json;
    bool offline;
    /* what changes something */
    bool dry_run;
    bool watch;
    char *to;
    char *out_of_order;
    char *drift;
    char *missing;
    char *lint;
    int64_t count;
    int64_t lock_wait_ms;
    int64_t lock_timeout_ms;
    int64_t lock_retries;
    int64_t statement_timeout_ms;
    int64_t batch;
    int64_t lease_ms;
    bool ignore_foreign;
    char *who;
    /* single commands */
    bool exit_code;
    bool accept;
    char *invalid;
    char *interrupted;
    char *mode;
    char *file;
    bool remove;
    bool force;
    bool data;
};

#define M_AT(field) offsetof(struct migrate_settings, field)
#define MIGRATE_JSON_ROW                                                                                               \
    { "json", 0, PGC_OPT_FLAG, M_AT(json), NULL, "print the result as JSON" }
#define MIGRATE_FOLDER_ROWS                                                                                             \
    { "dir",                                                                                                            \
      0,                                                                                                                \
      PGC_OPT_LIST,                                                                                                     \
      M_AT(dirs),                                                                                                       \
      NULL,                                                                                                             \
      "migrations folder (default: ./migrations, else ./db/migrations)",                                                \
      .value = "FOLDER" },                                                                                              \
        { "format",       0, PGC_OPT_STRING, M_AT(format), NULL, "format of the files (default: found out by content)", \
          .value = "NAME" },                                                                                            \
        { "var",                                                                                                        \
          0,                                                                                                            \
          PGC_OPT_LIST,                                                                                                 \
          M_AT(variables),                                                                                              \
          NULL,                                                                                                         \
          "placeholder of formats that have them (Flyway, tern, graphile-migrate)",                                     \
          .value = "NAME=VALUE" },                                                                                      \
    {                                                                                                                   \
        "env-subst", 0, PGC_OPT_LIST, M_AT(env_names), NULL,                                                            \
            "replace ${NAME} in scripts by this environment variable", .value = "NAME"                                  \
    }
#define MIGRATE_SERVER_ROWS                                                                                            \
    PGC_CONNECTION_OPTIONS(struct migrate_settings, connection),                                                       \
        { "ledger-schema", 0, PGC_OPT_STRING, M_AT(ledger_schema), "pgc", "schema of our ledger", .value = "NAME" },   \
        { "ledger",                                                                                                    \
          0,                                                                                                           \
          PGC_OPT_CHOICE,                                                                                              \
          M_AT(ledger),                                                                                                \
          "auto",                                                                                                      \
          "whose ledger is kept: ours, the one of the format, or (auto) ours as soon as it holds anything",            \
          .choices = "auto own foreign" },                                                                             \
        { "table",                                                                                                     \
          0,                                                                                                           \
          PGC_OPT_STRING,                                                                                              \
          M_AT(table),                                                                                                 \
          NULL,                                                                                                        \
          "ledger table of the format, when it is not the usual one",                                                  \
          .value = "[SCHEMA.]NAME" },                                                                                  \
    {                                                                                                                  \
        "wait", 'w', PGC_OPT_DURATION, M_AT(wait_ms), "0", "wait for the server up to TIME", .value = "TIME"           \
    }
#define MIGRATE_LOCK_ROWS                                                                                              \
    { "lock-wait",    0, PGC_OPT_DURATION, M_AT(lock_wait_ms), "10m", "wait for another migration up to TIME",         \
      .value = "TIME" },                                                                                               \
        { "lease",        0,     PGC_OPT_DURATION,                                                                     \
          M_AT(lease_ms), "30s", "behind a transaction pooler: how long the lock outlives a process that was killed",  \
          .value = "TIME" },                                                                                           \
        { "who",          0, PGC_OPT_STRING, M_AT(who), NULL, "name for the ledger (default: the session's user)",     \
          .value = "NAME" },                                                                                           \
    {                                                                                                                  \
        "dry-run", 'n', PGC_OPT_FLAG, M_AT(dry_run), NULL, "show what would be done, change nothing"                   \
    }
#define MIGRATE_RUN_ROWS                                                                                               \
    { "lock-timeout",                                                                                                  \
      0,                                                                                                               \
      PGC_OPT_DURATION,                                                                                                \
      M_AT(lock_timeout_ms),                                                                                           \
      "3s",                                                                                                            \
      "give up a statement that does not get its locks, roll back, try again; 0: the server's setting",                \
      .value = "TIME" },                                                                                               \
        { "lock-retries", 0, PGC_OPT_INT, M_AT(lock_retries), "20", "how often to try again after --lock-timeout" },   \
        { "statement-timeout",                                                                                         \
          0,                                                                                                           \
          PGC_OPT_DURATION,                                                                                            \
          M_AT(statement_timeout_ms),                                                                                  \
          "0",                                                                                                         \
          "limit for one statement; 0: the server's setting",                                                          \
          .value = "TIME" },                                                                                           \
        { "batch",     0,   PGC_OPT_INT,                                                                               \
          M_AT(batch), "1", "up to N migrations in one transaction; if it fails they are applied one by one" },        \
        { "out-of-order",                                                                                              \
          0,                                                                                                           \
          PGC_OPT_CHOICE,                                                                                              \
          M_AT(out_of_order),                                                                                          \
          "error",                                                                                                     \
          "migrations older than the newest applied one",                                                              \
          .choices = "apply warn error" },                                                                             \
        { "drift",                                                                                                     \
          0,                                                                                                           \
          PGC_OPT_CHOICE,                                                                                              \
          M_AT(drift),                                                                                                 \
          "error",                                                                                                     \
          "applied files that have changed",                                                                           \
          .choices = "error warn ignore" },                                                                            \
        { "missing",                                                                                                   \
          0,                                                                                                           \
          PGC_OPT_CHOICE,                                                                                              \
          M_AT(missing),                                                                                               \
          "warn",                                                                                                      \
          "applied migrations without a file",                                                                         \
          .choices = "error warn ignore" },                                                                            \
        { "lint",                                                                                                      \
          0,                                                                                                           \
          PGC_OPT_CHOICE,                                                                                              \
          M_AT(lint),                                                                                                  \
          "off",                                                                                                       \
          "check with pgc lint before anything runs: tell what is found, or refuse what has errors",                   \
          .choices = "off warn error",                                                                                 \
          .optional_value = true,                                                                                      \
          .implied = "error" },                                                                                        \
    {                                                                                                                  \
        "ignore-foreign-ledger", 0, PGC_OPT_FLAG, M_AT(ignore_foreign), NULL,                                          \
            "start a ledger of our own in a database that another tool has migrated"                                   \
    }

/* Options, rows of strings and the engine, made from settings; borrowed from them. */
struct migrate_job {
    struct pgc_migrate_options options;
    struct pgc_strings dirs; /* the folders given, or the usual ones that exist */
    struct pgc_migrate migrate;
    struct pgc_plan_request request;
    struct pgc_plan plan;
    const struct migrate_settings *settings;
    struct pgc_cli *cli;
    struct pgc_buf report; /* JSON of the steps that ran */
    struct pgc_buf more;   /* further JSON members of the report, each with a comma in front */
    size_t done;
    size_t mended; /* indexes */
};
void migrate_job_release(struct migrate_job *job);
/* Resolves the connection and loads the folders. `settings` outlives the job. */
PGC_MUST_USE enum pgc_code migrate_job_open(struct migrate_job *job, struct pgc_cli *cli,
                                            struct migrate_settings *settings, bool needs_folder,
                                            struct pgc_error *err);
/* Connects, waiting up to --wait, and reads the ledger. */
PGC_MUST_USE enum pgc_code migrate_job_connect(struct migrate_job *job, bool times, struct pgc_error *err);
/* For commands that only look: nothing with --offline; when no server is named and the default one does not answer, a
 * warning and the same. */
PGC_MUST_USE enum pgc_code migrate_job_look(struct migrate_job *job, bool times, struct pgc_error *err);
/* Reads the folders again as another format. */
PGC_MUST_USE enum pgc_code migrate_job_reload(struct migrate_job *job, const char *format, struct pgc_error *err);
/* Exactly `count` positional arguments, named for the message. */
PGC_MUST_USE enum pgc_code migrate_args(const struct pgc_cli *cli, size_t count, const char *what,
                                        struct pgc_error *err);

/* migrate_lint.c: checks the plan's scripts as --lint says; PGC_E_FAILED when it refuses them. */
PGC_MUST_USE enum pgc_code migrate_lint(struct migrate_job *job, struct pgc_error *err);

/* migrate_report.c */
void migrate_put_text(struct pgc_buf *out, const char *key, const char *value); /* "key":"value" or null */
void migrate_put_step(struct pgc_buf *out, const struct pgc_plan_step *step);   /* members of an object */
PGC_MUST_USE enum pgc_code migrate_report_plan(struct migrate_job *job, struct pgc_error *err);
PGC_MUST_USE enum pgc_code migrate_report_status(struct migrate_job *job, struct pgc_error *err);
void migrate_warn(struct migrate_job *job); /* problems that are not fatal, and files passed over, to the log */
#endif
