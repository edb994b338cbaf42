#ifndef PGC_BIN_READY_SETTINGS_H
#define PGC_BIN_READY_SETTINGS_H
/* What `pgc ready` and `pgc ready serve` have in common: which server, what is asked of it. */
#include "cli/command.h"
#include "ready/ready.h"

struct ready_settings {
    struct pgc_connection_settings connection;
    char *level;
    char *role;
    char *max_lag;
    struct pgc_strings extensions;
    struct pgc_strings tables;
    char *min_version;
    struct pgc_strings accept;
    int64_t timeout_ms;
};

#define READY_OPTIONS(type, field)                                                                                     \
    { "level",                                                                                                         \
      'l',                                                                                                             \
      PGC_OPT_CHOICE,                                                                                                  \
      offsetof(type, field) + offsetof(struct ready_settings, level),                                                  \
      "query",                                                                                                         \
      "how much must work; each level includes those before it",                                                       \
      .choices = "tcp ping auth query write migrated" },                                                               \
        { "role",                                                                                                      \
          0,                                                                                                           \
          PGC_OPT_CHOICE,                                                                                              \
          offsetof(type, field) + offsetof(struct ready_settings, role),                                               \
          "any",                                                                                                       \
          "which role the server must have",                                                                           \
          .choices = "any primary standby" },                                                                          \
        { "max-lag",                                                                                                   \
          0,                                                                                                           \
          PGC_OPT_STRING,                                                                                              \
          offsetof(type, field) + offsetof(struct ready_settings, max_lag),                                            \
          NULL,                                                                                                        \
          "how far a standby may be behind: bytes not replayed (16MB) or time (10s)",                                  \
          .value = "SIZE|TIME" },                                                                                      \
        { "require-extension",                                                                                         \
          0,                                                                                                           \
          PGC_OPT_LIST,                                                                                                \
          offsetof(type, field) + offsetof(struct ready_settings, extensions),                                         \
          NULL,                                                                                                        \
          "the extension must be installed",                                                                           \
          .value = "NAME" },                                                                                           \
        { "require-table",                                                                                             \
          0,                                                                                                           \
          PGC_OPT_LIST,                                                                                                \
          offsetof(type, field) + offsetof(struct ready_settings, tables),                                             \
          NULL,                                                                                                        \
          "the table must exist",                                                                                      \
          .value = "[SCHEMA.]TABLE" },                                                                                 \
        { "min-version",                                                                                               \
          0,                                                                                                           \
          PGC_OPT_STRING,                                                                                              \
          offsetof(type, field) + offsetof(struct ready_settings, min_version),                                        \
          NULL,                                                                                                        \
          "the newest migration must be at least this one (implies --level migrated)",                                 \
          .value = "VERSION" },                                                                                        \
        { "accept",                                                                                                    \
          0,                                                                                                           \
          PGC_OPT_LIST,                                                                                                \
          offsetof(type, field) + offsetof(struct ready_settings, accept),                                             \
          NULL,                                                                                                        \
          "count a server that is starting or recovering as ready: 'recovering', for liveness probes",                 \
          .value = "STATE" },                                                                                          \
    {                                                                                                                  \
        "timeout", 't', PGC_OPT_DURATION, offsetof(type, field) + offsetof(struct ready_settings, timeout_ms), "3",    \
            "time for one attempt over all hosts; 0: no limit", .value = "TIME"                                        \
    }

/* Settings to spec and connection options; the strings stay the settings'. */
PGC_MUST_USE enum pgc_code ready_settings_apply(struct ready_settings *settings, struct pgc_ready_spec *spec,
                                                struct pgc_probe_options *pg, struct pgc_error *err);

/* The password that was resolved; the rest is the parser's. */
void ready_settings_release(struct ready_settings *settings);

/* The commands and the pg_isready applet. */
extern const struct pgc_command ready_serve_command;
int ready_pg_isready(int argc, char **argv);
#endif
