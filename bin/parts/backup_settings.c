#include "parts/backup_settings.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "os/secret.h"

enum pgc_code settings_attach(const struct pgc_cli *cli, const char *url, uint64_t bytes_per_second,
                              struct pgc_store **out, struct pgc_error *err) {
    if (url == NULL)
        return pgc_fail(err, PGC_E_USAGE, "no store given: use --store or PGC_BACKUP_STORE");
    struct pgc_store_options options = { .url = url, .bytes_per_second = bytes_per_second };
    return pgc_store_attach(&options, cli->rt, out, err);
}

enum pgc_code settings_passphrase(const char *file, const char *text, char **out, struct pgc_error *err) {
    if (file != NULL)
        return pgc_secret_file(file, out, err);
    if (text != NULL && (*out = strdup(text)) == NULL)
        return pgc_fail_nomem(err);
    return PGC_OK;
}

enum pgc_code settings_identities(const struct identity_settings *settings, struct pgc_age_identities *out,
                                  struct pgc_error *err) {
    PGC_AUTO(pgc_secret_free) char *passphrase = NULL;
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < settings->files.count; i++)
        code = pgc_age_identities_add_file(out, settings->files.items[i], err);
    if (code == PGC_OK)
        code = settings_passphrase(settings->passphrase_file, settings->passphrase, &passphrase, err);
    return code == PGC_OK && passphrase != NULL ? pgc_age_identities_add_passphrase(out, passphrase, err) : code;
}

struct pgc_conn_options settings_conn(const struct pgc_connection_settings *connection) {
    return (struct pgc_conn_options) { .conninfo = connection->dbname,
                                       .user = connection->user,
                                       .host = connection->host,
                                       .port = connection->port,
                                       .password = connection->password };
}

char *settings_label(const char *url) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf label = PGC_BUF_INIT;
    const char *authority = strstr(url, "://");
    const char *rest = url;
    if (authority != NULL) {
        authority += 3;
        size_t len = strcspn(authority, "/?#");
        const char *at = memrchr(authority, '@', len);
        const char *colon = at == NULL ? NULL : memchr(authority, ':', (size_t)(at - authority));
        if (colon != NULL) {
            pgc_buf_put(&label, url, (size_t)(colon - url));
            rest = at;
        }
    }
    pgc_buf_puts(&label, rest);
    return pgc_buf_detach(&label);
}

/* --- progress ------------------------------------------------------------------------------------------ */

void progress_init(struct progress_state *state, const struct pgc_runtime *rt,
                   const struct progress_settings *settings) {
    static const char *const names[] = { "none", "terminal", "json", "log" };
    *state = (struct progress_state) { .rt = rt, .every_ms = settings->every_ms };
    state->how = isatty(STDERR_FILENO) ? PROGRESS_TERMINAL : PROGRESS_JSON;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(settings->how, names[i]) == 0)
            state->how = i;
    state->next_ms = pgc_mono_ms(rt) + state->every_ms;
}

static int percent(uint64_t done, uint64_t total) {
    return total == 0 ? -1 : done >= total ? 99 : (int)(done * 100 / total);
}

static void draw(struct progress_state *state, const char *what, uint64_t done, uint64_t total, uint64_t stored,
                 uint64_t rate) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf line = PGC_BUF_INIT;
    pgc_buf_putf(&line, "\r\033[K%s: ", what);
    pgc_text_bytes(&line, done);
    if (stored > 0) {
        pgc_buf_puts(&line, " -> ");
        pgc_text_bytes(&line, stored);
    }
    pgc_buf_puts(&line, ", ");
    pgc_text_bytes(&line, rate);
    pgc_buf_puts(&line, "/s");
    if (total > 0)
        pgc_buf_putf(&line, ", about %d %%", percent(done, total));
    ssize_t n = write(STDERR_FILENO, line.data, line.len);
    (void)n;
    state->drawn = true;
}

/* As a line of the log in JSON, whatever the form of the log is. */
static void write_json(const struct progress_state *state, const struct pgc_log_field *fields, size_t count) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    const struct pgc_log_line line = { .service = "pgc-backup",
                                       .level = PGC_LOG_INFO,
                                       .event = "backup.progress",
                                       .message = "progress",
                                       .fields = fields,
                                       .field_count = count,
                                       .wall_us = pgc_wall_us(state->rt) };
    pgc_log_format_json(&text, &line);
    if (text.len == 0 || text.data[text.len - 1] != '\n')
        pgc_buf_putc(&text, '\n');
    ssize_t n = write(STDERR_FILENO, text.data, text.len);
    (void)n;
}

void progress_tell(struct progress_state *state, const char *what, uint64_t done, uint64_t total, uint64_t stored,
                   int64_t elapsed_ms) {
    uint64_t rate = elapsed_ms > 0 ? done * 1000 / (uint64_t)elapsed_ms : 0;
    if (state->how == PROGRESS_TERMINAL)
        draw(state, what, done, total, stored, rate);
    int64_t now = pgc_mono_ms(state->rt);
    if (state->how == PROGRESS_NONE || state->how == PROGRESS_TERMINAL || now < state->next_ms)
        return;
    state->next_ms = now + state->every_ms;
    const struct pgc_log_field fields[] = { PGC_LOG_TEXT("database", what), PGC_LOG_INT("bytes", done),
                                            PGC_LOG_INT("stored_bytes", stored), PGC_LOG_INT("bytes_per_second", rate),
                                            PGC_LOG_INT("percent", percent(done, total)) };
    const size_t count = sizeof fields / sizeof fields[0];
    if (state->how == PROGRESS_LOG)
        state->rt->log(state->rt->arg, PGC_LOG_INFO, "backup.progress", "progress", fields, count);
    else
        write_json(state, fields, count);
}

void progress_end(struct progress_state *state) {
    if (state->drawn) {
        ssize_t n = write(STDERR_FILENO, "\r\033[K", 4);
        (void)n;
    }
    state->drawn = false;
}

/* --- one backup as JSON -------------------------------------------------------------------------------- */

static void put_member(struct pgc_buf *out, const char *key, const char *value) {
    pgc_buf_putf(out, ", \"%s\": ", key);
    if (value == NULL)
        pgc_buf_puts(out, "null");
    else
        pgc_text_json(out, value);
}

static void put_time(struct pgc_buf *out, const char *key, int64_t us) {
    pgc_buf_putf(out, ", \"%s\": ", key);
    if (us == 0) {
        pgc_buf_puts(out, "null");
        return;
    }
    pgc_buf_putc(out, '"');
    pgc_text_rfc3339(out, us, false);
    pgc_buf_putc(out, '"');
}

static void put_marks(struct pgc_buf *out, const struct pgc_catalog_entry *entry) {
    pgc_buf_putf(out, "\"pinned\": %s", entry->pinned ? "true" : "false");
    put_time(out, "verified", entry->verified_us);
    put_time(out, "restored", entry->restored_us);
    put_time(out, "verification_failed", entry->failed_us);
}

void backup_marks_json(struct pgc_buf *out, const struct pgc_catalog_entry *entry) {
    pgc_buf_putc(out, '{');
    put_marks(out, entry);
    pgc_buf_putc(out, '}');
}

void backup_entry_json(struct pgc_buf *out, const struct pgc_catalog_entry *entry) {
    const struct pgc_manifest *m = &entry->manifest;
    const struct pgc_manifest_artefact *dump = pgc_manifest_find(m, "dump");
    pgc_buf_puts(out, "{\"id\": ");
    pgc_text_json(out, m->id);
    put_member(out, "cluster", m->cluster);
    put_member(out, "database", m->database);
    put_time(out, "started", m->started_us);
    put_time(out, "finished", m->finished_us);
    pgc_buf_putf(out, ", \"raw_bytes\": %llu, \"stored_bytes\": %llu",
                 dump == NULL ? 0ULL : (unsigned long long)dump->stages[0].bytes,
                 (unsigned long long)pgc_manifest_stored_bytes(m));
    put_member(out, "server_version", m->server_version);
    pgc_buf_putf(out, ", \"encrypted\": %s, ", m->encrypted ? "true" : "false");
    put_marks(out, entry);
    put_member(out, "problem", entry->problem);
    pgc_buf_putc(out, '}');
}
