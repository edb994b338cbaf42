/* pgc restore: bring a backup back. */
#include <string.h>

#include "backup/restore.h"
#include "base/text.h"
#include "cli/command.h"
#include "parts/backup_settings.h"

struct settings {
    struct pgc_connection_settings connection;
    struct store_settings store;
    struct identity_settings identity;
    char *cluster;
    char *database;
    char *id;
    char *at;
    char *into;
    bool create;
    bool clean;
    bool replace;
    int64_t jobs;
    char *spool_folder;
    struct pgc_strings tables;
    bool schema_only;
    bool data_only;
    bool globals;
    bool no_owner;
    bool no_privileges;
    bool no_tablespaces;
    bool no_properties;
    bool disable_triggers;
    bool allow_older_server;
    char *role;
    struct pgc_strings client_folders;
    struct progress_settings progress;
    bool json;
};
#define AT(field) offsetof(struct settings, field)

static const struct pgc_option options[] = {
    PGC_CONNECTION_OPTIONS(struct settings, connection),
    STORE_ROW(struct settings, store),
    IDENTITY_ROWS(struct settings, identity),
    { "database", 0, PGC_OPT_STRING, AT(database), NULL, "database whose backup it is; default: the name after --into",
      .value = "NAME" },
    { "cluster", 0, PGC_OPT_STRING, AT(cluster), NULL, "server whose backup it is, as the layout of the store names it",
      .value = "NAME" },
    { "id", 0, PGC_OPT_STRING, AT(id), NULL,
      "this backup (ID of 'pgc backup list', or a clear part of it); or 'latest'", .value = "ID" },
    { "at", 0, PGC_OPT_STRING, AT(at), NULL, "the newest backup that is not newer than TIME (2026-01-31T12:00:00Z)",
      .value = "TIME" },
    { "into", 0, PGC_OPT_STRING, AT(into), NULL, "database to restore into", .value = "DB" },
    { "create", 0, PGC_OPT_FLAG, AT(create), NULL, "create that database when it is not there" },
    { "clean", 0, PGC_OPT_FLAG, AT(clean), NULL, "drop the objects of the backup first, where they are there" },
    { "replace", 0, PGC_OPT_FLAG, AT(replace), NULL,
      "restore beside it, then swap names; the old database is kept as DB_before_TIME" },
    { "jobs", 'j', PGC_OPT_INT, AT(jobs), "1", "parallel jobs; more than 1 spools the dump to a file" },
    { "spool-dir", 0, PGC_OPT_STRING, AT(spool_folder), NULL, "where that file is; default: TMPDIR or /tmp",
      .value = "DIR" },
    { "table", 't', PGC_OPT_LIST, AT(tables), NULL, "only this table (with or without schema)", .value = "NAME" },
    { "tables", 0, PGC_OPT_LIST, AT(tables), NULL, "the same as --table", .value = "NAME", .env = "" },
    { "schema-only", 0, PGC_OPT_FLAG, AT(schema_only), NULL, "no data" },
    { "data-only", 0, PGC_OPT_FLAG, AT(data_only), NULL, "data into a schema that is there" },
    { "globals", 0, PGC_OPT_FLAG, AT(globals), NULL,
      "create the roles and tablespaces of the backup that are missing" },
    { "no-owner", 0, PGC_OPT_FLAG, AT(no_owner), NULL, "everything belongs to the role that restores" },
    { "no-privileges", 'x', PGC_OPT_FLAG, AT(no_privileges), NULL, "no GRANT and REVOKE" },
    { "no-tablespaces", 0, PGC_OPT_FLAG, AT(no_tablespaces), NULL, "everything into the default tablespace" },
    { "no-properties", 0, PGC_OPT_FLAG, AT(no_properties), NULL,
      "a database that is made gets its encoding and locale, not its owner, grants, settings and comment" },
    { "disable-triggers", 0, PGC_OPT_FLAG, AT(disable_triggers), NULL,
      "with --data-only: no triggers and no foreign keys while rows come in (wants a superuser)" },
    { "allow-older-server", 0, PGC_OPT_FLAG, AT(allow_older_server), NULL,
      "try a server that is older than the one that was dumped" },
    { "role", 0, PGC_OPT_STRING, AT(role), NULL, "restore as this role (SET ROLE)", .value = "ROLE" },
    { "client-dir", 0, PGC_OPT_LIST, AT(client_folders), NULL,
      "look for pg_restore only here; default: PATH and /usr/lib/postgresql/*/bin", .value = "DIR" },
    PROGRESS_ROWS(AT(progress)),
    { "json", 0, PGC_OPT_FLAG, AT(json), NULL, "print the result as JSON" },
};

static enum pgc_code make_query(const struct pgc_cli *cli, const struct settings *s, struct pgc_catalog_query *out,
                                struct pgc_error *err) {
    const char *word = cli->args.count > 0 ? cli->args.items[0] : NULL;
    if (cli->args.count > 1)
        return pgc_fail(err, PGC_E_USAGE, "more than one backup given");
    if ((s->id != NULL) + (s->at != NULL) + (word != NULL) > 1)
        return pgc_fail(err, PGC_E_USAGE, "--id, --at and an ID exclude each other");
    if (s->into == NULL)
        return pgc_fail(err, PGC_E_USAGE, "no database to restore into given: use --into");
    *out = (struct pgc_catalog_query) { .cluster = s->cluster, .id = word != NULL ? word : s->id };
    if (s->at != NULL && (!pgc_text_parse_rfc3339(s->at, &out->at_us) || out->at_us <= 0))
        return pgc_fail(err, PGC_E_USAGE, "--at: '%s' is no time as in 2026-01-31T12:00:00Z", s->at);
    bool by_time = out->id == NULL || strcmp(out->id, "latest") == 0;
    out->database = s->database != NULL ? s->database : by_time ? s->into : NULL;
    return PGC_OK;
}

static void on_progress(void *arg, const char *what, uint64_t done, uint64_t total, int64_t elapsed_ms) {
    progress_tell(arg, what, done, total, 0, elapsed_ms);
}

static void fill_options(const struct settings *s, struct pgc_restore_options *o) {
    *o = (struct pgc_restore_options) {
        .server = settings_conn(&s->connection),
        .into = s->into,
        .create = s->create,
        .clean = s->clean,
        .replace = s->replace,
        .jobs = s->jobs,
        .spool_folder = s->spool_folder,
        .tables = &s->tables,
        .schema_only = s->schema_only,
        .data_only = s->data_only,
        .globals = s->globals,
        .no_owner = s->no_owner,
        .no_privileges = s->no_privileges,
        .no_tablespaces = s->no_tablespaces,
        .no_properties = s->no_properties,
        .disable_triggers = s->disable_triggers,
        .allow_older_server = s->allow_older_server,
        .role = s->role,
        .client_folders = &s->client_folders,
        .progress = on_progress,
    };
}

static enum pgc_code print_result(struct pgc_cli *cli, const struct settings *s, const struct pgc_catalog_entry *entry,
                                  const struct pgc_restore_result *result, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    if (s->json) {
        pgc_buf_puts(&out, "{\"id\": ");
        pgc_text_json(&out, entry->manifest.id);
        pgc_buf_puts(&out, ", \"database\": ");
        pgc_text_json(&out, entry->manifest.database);
        pgc_buf_puts(&out, ", \"into\": ");
        pgc_text_json(&out, s->into);
        pgc_buf_puts(&out, ", \"kept_as\": ");
        if (result->kept_as[0] != '\0')
            pgc_text_json(&out, result->kept_as);
        else
            pgc_buf_puts(&out, "null");
        pgc_buf_putf(&out, ", \"raw_bytes\": %llu, \"duration_ms\": %lld}\n", (unsigned long long)result->raw_bytes,
                     (long long)result->duration_ms);
    } else {
        pgc_buf_putf(&out, "%s from %s: ", s->into, entry->manifest.id);
        pgc_text_bytes(&out, result->raw_bytes);
        pgc_buf_putf(&out, " in %lld.%lld s%s%s\n", (long long)(result->duration_ms / 1000),
                     (long long)(result->duration_ms % 1000 / 100),
                     result->kept_as[0] != '\0' ? ", old one kept as " : "", result->kept_as);
    }
    fputs(out.data, cli->out);
    return pgc_buf_check(&out, err);
}

static enum pgc_code restore(struct pgc_cli *cli, const struct settings *s, struct pgc_restore_options *o,
                             struct pgc_error *err) {
    struct pgc_restore_result result = { 0 };
    struct progress_state progress;
    progress_init(&progress, cli->rt, &s->progress);
    o->progress_arg = &progress;
    enum pgc_code code = pgc_restore_run(o, cli->rt, &result, err);
    progress_end(&progress);
    for (size_t i = 0; i < result.warnings.count; i++)
        pgc_log(cli->rt, PGC_LOG_WARN, "restore.warning", result.warnings.items[i]);
    if (result.sessions_ended > 0)
        pgc_log(cli->rt, PGC_LOG_INFO, "restore.sessions_ended", "ended the sessions of the old database",
                PGC_LOG_INT("sessions", result.sessions_ended));
    if (code == PGC_OK)
        code = print_result(cli, s, o->entry, &result, err);
    pgc_restore_result_release(&result);
    return code;
}

static enum pgc_code run(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct settings *s = settings;
    PGC_AUTO(pgc_store_drop) struct pgc_store *store = NULL;
    PGC_CLEANUP(pgc_catalog_release) struct pgc_catalog catalog = PGC_CATALOG_INIT;
    PGC_CLEANUP(pgc_age_identities_release) struct pgc_age_identities identities = PGC_AGE_IDENTITIES_INIT;
    struct pgc_catalog_query query;
    struct pgc_restore_options o;
    enum pgc_code code = make_query(cli, s, &query, err);
    if (code == PGC_OK)
        code = settings_identities(&s->identity, &identities, err);
    if (code == PGC_OK)
        code = pgc_connection_resolve(&s->connection, err);
    if (code == PGC_OK)
        code = settings_attach(cli, s->store.url, 0, &store, err);
    if (code == PGC_OK)
        code = pgc_catalog_load(store, query.cluster, query.database, &catalog, err);
    fill_options(s, &o);
    if (code == PGC_OK)
        code = pgc_catalog_find(&catalog, &query, &o.entry, err);
    o.store = store;
    o.identities = &identities;
    return code == PGC_OK ? restore(cli, s, &o, err) : code;
}

static const struct pgc_command root = {
    .name = "pgc-restore",
    .summary = "bring a backup back",
    .args = "[ID|latest]",
    .description =
        "Reads the artefact once and compares it with its SHA-256 before anything is written; a damaged, cut or "
        "wrongly keyed one never reaches the server. A database that is not empty is left alone unless --replace or "
        "--clean says otherwise. A restore that fails leaves nothing: a database made for it has another name until it "
        "is complete and is dropped, an existing one is restored in one transaction.\n\n"
        "Exit status: 0 restored, 65 damaged artefact, 77 no key fits, 78 roles missing, 1 refused or failed.",
    .examples =
        "pgc restore --store /srv/backups -i key.txt --database app --into app_copy --create  # newest, as a copy\n"
        "pgc restore --store s3://bucket/pg -i key.txt --into app --replace --at 2026-01-31T12:00:00Z  # go back in "
        "time",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .settings_size = sizeof(struct settings),
    .run = run,
};

int main(int argc, char **argv) {
    return pgc_cli_main(&root, argc, argv);
}
