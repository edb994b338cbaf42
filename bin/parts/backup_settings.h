#ifndef PGC_PARTS_BACKUP_SETTINGS_H
#define PGC_PARTS_BACKUP_SETTINGS_H
/* Option rows that the commands of pgc backup and pgc restore share, and what is made of them. */
#include "backup/catalog.h"
#include "cli/command.h"
#include "io/age.h"
#include "pg/conn.h"
#include "store/store.h"

struct store_settings {
    char *url;
    uint64_t bytes_per_second;
};
#define STORE_ROW(type, field)                                                                                         \
    {                                                                                                                  \
        "store", 's', PGC_OPT_STRING, offsetof(type, field) + offsetof(struct store_settings, url), NULL,              \
            "where the backups are: a folder, file://, s3://bucket/prefix, sftp://, davs://",                          \
            .value = "URL", .env = "PGC_BACKUP_STORE"                                                                  \
    }

struct identity_settings {
    struct pgc_strings files;
    char *passphrase;
    char *passphrase_file;
};
#define IDENTITY_ROWS(type, field)                                                                                     \
    { "identity-file",                                                                                                 \
      'i',                                                                                                             \
      PGC_OPT_LIST,                                                                                                    \
      offsetof(type, field) + offsetof(struct identity_settings, files),                                               \
      NULL,                                                                                                            \
      "file with secret keys (age or OpenSSH ed25519)",                                                                \
      .value = "FILE",                                                                                                 \
      .env = "PGC_BACKUP_IDENTITY_FILE" },                                                                             \
        { "passphrase-file",                                                                                           \
          0,                                                                                                           \
          PGC_OPT_STRING,                                                                                              \
          offsetof(type, field) + offsetof(struct identity_settings, passphrase_file),                                 \
          NULL,                                                                                                        \
          "file with a passphrase",                                                                                    \
          .value = "FILE",                                                                                             \
          .env = "" },                                                                                                 \
    {                                                                                                                  \
        "passphrase", 0, PGC_OPT_SECRET, offsetof(type, field) + offsetof(struct identity_settings, passphrase), NULL, \
            "passphrase", .env = "PGC_BACKUP_PASSPHRASE"                                                               \
    }

/* run and prune */
#define SWEEP_ROW(offset)                                                                                              \
    {                                                                                                                  \
        "sweep-after", 0, PGC_OPT_DURATION, offset, "3d",                                                              \
            "remove what killed runs left, uploads and artefacts without a manifest, when so old; 0: never"            \
    }

PGC_MUST_USE enum pgc_code settings_attach(const struct pgc_cli *cli, const char *url, uint64_t bytes_per_second,
                                           struct pgc_store **out, struct pgc_error *err);
/* The secret keys; none given is no error here. */
PGC_MUST_USE enum pgc_code settings_identities(const struct identity_settings *settings, struct pgc_age_identities *out,
                                               struct pgc_error *err);
/* A passphrase, NULL when none was given. */
PGC_MUST_USE enum pgc_code settings_passphrase(const char *file, const char *text, char **out, struct pgc_error *err);
struct pgc_conn_options settings_conn(const struct pgc_connection_settings *connection);
/* "sftp://user@host/x": the URL without a password. malloc'ed. */
char *settings_label(const char *url);

struct progress_settings {
    char *how;
    int64_t every_ms;
};
#define PROGRESS_ROWS(offset)                                                                                          \
    { "progress",                                                                                                      \
      0,                                                                                                               \
      PGC_OPT_CHOICE,                                                                                                  \
      (offset) + offsetof(struct progress_settings, how),                                                              \
      "auto",                                                                                                          \
      "a line on the terminal, else (auto) lines of JSON, or lines of the log",                                        \
      .choices = "auto terminal json log none" },                                                                      \
    {                                                                                                                  \
        "progress-interval", 0, PGC_OPT_DURATION, (offset) + offsetof(struct progress_settings, every_ms), "10s",      \
            "how often a line of JSON or of the log is written"                                                        \
    }
struct progress_state {
    const struct pgc_runtime *rt;
    enum { PROGRESS_NONE, PROGRESS_TERMINAL, PROGRESS_JSON, PROGRESS_LOG } how;
    bool drawn; /* on the terminal: one line that is written over */
    int64_t every_ms, next_ms;
};
void progress_init(struct progress_state *state, const struct pgc_runtime *rt,
                   const struct progress_settings *settings);
void progress_tell(struct progress_state *state, const char *what, uint64_t done, uint64_t total, uint64_t stored,
                   int64_t elapsed_ms);
void progress_end(struct progress_state *state);

/* One object with all that is known about a backup; used by list and show. */
void backup_entry_json(struct pgc_buf *out, const struct pgc_catalog_entry *entry);
/* The part of it that is not in the manifest, as an object. */
void backup_marks_json(struct pgc_buf *out, const struct pgc_catalog_entry *entry);
#endif
