#ifndef PGC_PARTS_BACKUP_TELL_H
#define PGC_PARTS_BACKUP_TELL_H
/* Option rows by which pgc backup run and pgc backup schedule tell how a run went. Telling never changes how it went. */
#include <limits.h>

#include "backup/log_tail.h"
#include "backup/notify.h"
#include "cli/command.h"

struct notify_settings {
    struct pgc_strings targets;
    bool successes;
    char *secret;
    char *body_template;
    char *smtp_password;
};
#define NOTIFY_AT(type, field, member) (offsetof(type, field) + offsetof(struct notify_settings, member))
#define NOTIFY_ROWS(type, field)                                                                                       \
    { "notify",                                                                                                        \
      0,                                                                                                               \
      PGC_OPT_LIST,                                                                                                    \
      NOTIFY_AT(type, field, targets),                                                                                 \
      NULL,                                                                                                            \
      "whom to tell: https://... (JSON), slack+https://..., discord+, teams+, ntfy+, ping+ (healthchecks.io style), "  \
      "smtp://user@host/?from=ADDRESS&to=ADDRESS",                                                                     \
      .value = "TARGET",                                                                                               \
      .secret_url = true },                                                                                            \
        { "notify-success", 0, PGC_OPT_FLAG, NOTIFY_AT(type, field, successes), NULL, "tell of successes too" },       \
        { "notify-secret",                                                                                             \
          0,                                                                                                           \
          PGC_OPT_SECRET,                                                                                              \
          NOTIFY_AT(type, field, secret),                                                                              \
          NULL,                                                                                                        \
          "key of the HMAC signature of JSON notifications" },                                                         \
        { "notify-template",                                                                                           \
          0,                                                                                                           \
          PGC_OPT_STRING,                                                                                              \
          NOTIFY_AT(type, field, body_template),                                                                       \
          NULL,                                                                                                        \
          "JSON for https:// targets instead of our own; {{message}}, {{event}}, {{job}}, {{host}}, {{time}}, "        \
          "{{run}}, {{error}}, {{log}} go inside strings, {{ok}}, {{duration_ms}}, {{bytes}} outside",                 \
          .value = "JSON" },                                                                                           \
    {                                                                                                                  \
        "smtp-password", 0, PGC_OPT_SECRET, NOTIFY_AT(type, field, smtp_password), NULL,                               \
            "password of the user in smtp:// targets"                                                                  \
    }
PGC_MUST_USE enum pgc_code notify_check(const struct notify_settings *settings, struct pgc_error *err);
struct pgc_notify_to notify_to(const struct notify_settings *settings);
/* The name by which this machine is told of. */
void tell_host(char *out, size_t cap);

/* One-shots. */
struct tell_settings {
    struct notify_settings notify;
    char *job;
    char *metrics_file;
    char *pushgateway;
};
#define TELL_AT(type, field, member) (offsetof(type, field) + offsetof(struct tell_settings, member))
#define TELL_ROWS(type, field)                                                                                         \
    NOTIFY_ROWS(type, field.notify), { "job",          0,                                                              \
                                       PGC_OPT_STRING, TELL_AT(type, field, job),                                      \
                                       "backup",       "what this run is called where it is told of",                  \
                                       .value = "NAME" },                                                              \
        { "metrics-file",                                                                                              \
          0,                                                                                                           \
          PGC_OPT_STRING,                                                                                              \
          TELL_AT(type, field, metrics_file),                                                                          \
          NULL,                                                                                                        \
          "write metrics for node_exporter's textfile collector",                                                      \
          .value = "FILE.prom" },                                                                                      \
    {                                                                                                                  \
        "pushgateway", 0, PGC_OPT_STRING, TELL_AT(type, field, pushgateway), NULL,                                     \
            "send metrics to a Prometheus Pushgateway, as job pgc_backup and this host, or as the group in the URL",   \
            .value = "URL", .secret_url = true                                                                         \
    }
struct tell {
    const struct tell_settings *settings;
    const char *command; /* "run" or "verify" */
    struct pgc_log_tail log;
    char host[HOST_NAME_MAX + 1];
    char run_id[PGC_NOTIFY_ID_BYTES];
    int64_t start_ms, start_us;
};
PGC_MUST_USE enum pgc_code tell_check(const struct tell_settings *settings, struct pgc_error *err);
/* What is told of works with &tell->log.rt, so that its last words are told too. tell_ended releases what is held. */
void tell_started(struct tell *tell, const char *command, const struct tell_settings *settings,
                  const struct pgc_runtime *rt);
void tell_ended(struct tell *tell, enum pgc_code code, const char *detail, uint64_t bytes);
#endif
