#include "parts/ready_settings.h"

#include <string.h>

#include "base/parse.h"
#include "os/secret.h"
#include "ready/objects.h"

static int index_of(const char *word, const char *const *names) {
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], word) == 0)
            return i;
    return 0;
}

/* "16MB" is a size, "10s" a time; a bare number is bytes. */
static enum pgc_code parse_lag(const char *text, struct pgc_ready_spec *spec, struct pgc_error *err) {
    spec->max_lag_bytes = spec->max_lag_ms = -1;
    if (text == NULL)
        return PGC_OK;
    size_t len = strlen(text);
    bool is_time = len > 0 && strchr("smhdw", text[len - 1]) != NULL;
    uint64_t bytes = 0;
    enum pgc_code code =
        is_time ? pgc_parse_duration_ms(text, &spec->max_lag_ms, err) : pgc_parse_size(text, &bytes, err);
    if (code != PGC_OK)
        return pgc_wrap(err, "--max-lag");
    if (!is_time)
        spec->max_lag_bytes = bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes;
    return PGC_OK;
}

enum pgc_code ready_settings_apply(struct ready_settings *settings, struct pgc_ready_spec *spec,
                                   struct pgc_probe_options *pg, struct pgc_error *err) {
    static const char *const levels[] = { "tcp", "ping", "auth", "query", "write", "migrated", NULL };
    static const char *const roles[] = { "any", "primary", "standby", NULL };
    *spec = (struct pgc_ready_spec) {
        .level = (enum pgc_ready_level)index_of(settings->level, levels),
        .role = (enum pgc_ready_role)index_of(settings->role, roles),
        .extensions = &settings->extensions,
        .tables = &settings->tables,
        .min_version = settings->min_version,
        .timeout_ms = settings->timeout_ms,
    };
    if (settings->min_version != NULL)
        spec->level = PGC_READY_MIGRATED;
    for (size_t i = 0; i < settings->accept.count; i++) {
        if (strcmp(settings->accept.items[i], "recovering") != 0)
            return pgc_fail(err, PGC_E_USAGE, "--accept: '%s' is not 'recovering'", settings->accept.items[i]);
        spec->accept_recovering = true;
    }
    for (size_t i = 0; i < settings->tables.count; i++) {
        struct pgc_ready_name name;
        if (!pgc_ready_name_parse(settings->tables.items[i], &name))
            return pgc_fail(err, PGC_E_USAGE, "--require-table: '%s' is not TABLE or SCHEMA.TABLE",
                            settings->tables.items[i]);
    }
    enum pgc_code code = parse_lag(settings->max_lag, spec, err);
    if (code == PGC_OK)
        code = pgc_connection_resolve(&settings->connection, err);
    const struct pgc_connection_settings *c = &settings->connection;
    *pg = (struct pgc_probe_options) {
        .conninfo = c->dbname,
        .user = c->user,
        .host = c->host,
        .port = c->port,
        .password = c->password,
    };
    return code;
}

void ready_settings_release(struct ready_settings *settings) {
    pgc_secret_free(settings->connection.password);
    settings->connection.password = NULL;
}
