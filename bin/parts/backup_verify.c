/* pgc backup verify: prove that backups come back. */
#include <string.h>

#include "backup/verify.h"
#include "base/text.h"
#include "parts/backup_settings.h"
#include "parts/backup_tell.h"
#include "parts/parts.h"
#include "testdb/server.h"

struct verify_settings {
    struct pgc_connection_settings connection;
    struct store_settings store;
    struct identity_settings identity;
    char *cluster;
    char *database;
    int64_t level;
    bool mark;
    struct pgc_strings client_folders;
    struct progress_settings progress;
    struct tell_settings tell;
    bool json;
};
#define AT(field) offsetof(struct verify_settings, field)

static const struct pgc_option options[] = {
    PGC_CONNECTION_OPTIONS(struct verify_settings, connection),
    STORE_ROW(struct verify_settings, store),
    IDENTITY_ROWS(struct verify_settings, identity),
    { "cluster", 0, PGC_OPT_STRING, AT(cluster), NULL, "only of this server", .value = "NAME", .env = "" },
    { "database", 0, PGC_OPT_STRING, AT(database), NULL, "only of this database", .value = "NAME", .env = "" },
    { "level", 0, PGC_OPT_INT, AT(level), "1", "1: read everything; 2: restore and compare too" },
    { "mark", 0, PGC_OPT_FLAG, AT(mark), "true", "note the success beside the backup (--no-mark: not)" },
    { "client-dir", 0, PGC_OPT_LIST, AT(client_folders), NULL,
      "look for pg_restore only here; default: PATH and /usr/lib/postgresql/*/bin", .value = "DIR" },
    PROGRESS_ROWS(AT(progress)),
    TELL_ROWS(struct verify_settings, tell),
    { "json", 0, PGC_OPT_FLAG, AT(json), NULL, "print JSON" },
};

/* What stays the same for all backups of one call. */
struct call {
    struct pgc_cli *cli;
    const struct verify_settings *s;
    struct pgc_store *store;
    struct pgc_age_identities identities;
    struct pgc_testdb_server server; /* of our own, when no other was named */
    struct pgc_conn_options conn;
    struct progress_state progress;
    struct pgc_buf json;
    size_t count, failed;
};

static void call_release(struct call *call) {
    struct pgc_error ignored;
    struct pgc_runtime calm = pgc_runtime_undisturbed(call->cli->rt);
    if (call->server.dir != NULL)
        (void)!pgc_testdb_stop(call->server.dir, &calm, &ignored);
    pgc_testdb_server_release(&call->server);
    pgc_age_identities_release(&call->identities);
    pgc_buf_release(&call->json);
    pgc_store_drop(call->store);
}

static bool names_server(const struct pgc_connection_settings *c) {
    return c->dbname != NULL || c->host != NULL || c->port != NULL || c->user != NULL;
}

/* Level 2 wants a server: the one that was named, or one of our own for the time being. */
static enum pgc_code find_server(struct call *call, bool named, struct pgc_error *err) {
    call->conn = settings_conn(&call->s->connection);
    if (call->s->level < 2 || named)
        return PGC_OK;
    struct pgc_testdb_options own = { 0 };
    enum pgc_code code = pgc_testdb_start(&own, call->cli->rt, &call->server, err);
    call->conn = (struct pgc_conn_options) { .conninfo = call->server.url };
    return code == PGC_OK ? PGC_OK : pgc_wrap(err, "cannot start a server to restore into");
}

static void on_progress(void *arg, const char *what, uint64_t done, uint64_t total, int64_t elapsed_ms) {
    progress_tell(arg, what, done, total, 0, elapsed_ms);
}

static void tell(struct call *call, const struct pgc_catalog_entry *entry, const struct pgc_verify_result *result,
                 const struct pgc_error *problem) {
    const struct pgc_manifest *m = &entry->manifest;
    if (call->s->json) {
        pgc_buf_puts(&call->json, call->count == 1 ? "\n{\"id\": " : ",\n{\"id\": ");
        pgc_text_json(&call->json, m->id);
        pgc_buf_puts(&call->json, ", \"database\": ");
        pgc_text_json(&call->json, m->database);
        pgc_buf_putf(&call->json, ", \"level\": %lld, \"ok\": %s, \"tables\": %zu, \"rows\": %lld, \"contents\": %s",
                     (long long)call->s->level, problem == NULL ? "true" : "false", result->tables,
                     (long long)result->rows, result->contents ? "true" : "false");
        pgc_buf_puts(&call->json, ", \"error\": ");
        if (problem != NULL)
            pgc_text_json(&call->json, problem->message);
        else
            pgc_buf_puts(&call->json, "null");
        pgc_buf_putc(&call->json, '}');
    } else if (problem != NULL) {
        fprintf(call->cli->out, "%s  %s  FAILED: %s\n%s", m->id, m->database, problem->message, result->differences);
    } else if (call->s->level < 2) {
        fprintf(call->cli->out, "%s  %s  ok: complete and readable\n", m->id, m->database);
    } else if (result->rows < 0) {
        fprintf(call->cli->out, "%s  %s  ok: restored, %zu tables, no fingerprint to compare\n", m->id, m->database,
                result->tables);
    } else {
        fprintf(call->cli->out, "%s  %s  ok: restored, %zu tables with %lld rows compared by %s\n", m->id, m->database,
                result->tables, (long long)result->rows, result->contents ? "content" : "number");
    }
}

/* A proof that cannot be noted is a failure; damage that cannot be noted stays the failure that it is. */
static enum pgc_code mark(struct call *call, const struct pgc_catalog_entry *entry, enum pgc_code code,
                          struct pgc_error *err) {
    struct pgc_error problem;
    enum pgc_code marked =
        pgc_catalog_mark_verified(call->store, entry, (int)call->s->level, code == PGC_OK ? NULL : err->message,
                                  pgc_wall_us(call->cli->rt), &problem);
    if (marked == PGC_OK || code != PGC_OK) {
        if (marked != PGC_OK)
            pgc_log(call->cli->rt, PGC_LOG_WARN, "verify.not_noted", "cannot note the failure beside the backup",
                    PGC_LOG_TEXT("error.message", problem.message));
        return code;
    }
    *err = problem;
    return pgc_wrap(err, "backup '%s' is proven, but that cannot be noted (--no-mark)", entry->manifest.id);
}

static enum pgc_code verify_one(struct call *call, const struct pgc_catalog_entry *entry, struct pgc_error *err) {
    struct pgc_verify_options o = { .store = call->store,
                                    .entry = entry,
                                    .identities = &call->identities,
                                    .level = (int)call->s->level,
                                    .server = call->conn,
                                    .globals = call->server.dir != NULL,
                                    .client_folders = &call->s->client_folders,
                                    .progress = on_progress,
                                    .progress_arg = &call->progress };
    struct pgc_verify_result result = { 0 };
    enum pgc_code code = entry->problem != NULL ? pgc_fail(err, PGC_E_DATA, "%s", entry->problem)
                                                : pgc_verify_run(&o, call->cli->rt, &result, err);
    progress_end(&call->progress);
    call->count++;
    tell(call, entry, &result, code == PGC_OK ? NULL : err);
    if (call->s->mark && entry->problem == NULL && (code == PGC_OK || code == PGC_E_DATA))
        code = mark(call, entry, code, err);
    call->failed += code != PGC_OK;
    return code;
}

/* The newest of its database (the list is oldest first). */
static bool is_newest(const struct pgc_catalog *catalog, size_t at) {
    const struct pgc_manifest *m = &catalog->items[at].manifest;
    for (size_t i = at + 1; i < catalog->count; i++)
        if (strcmp(catalog->items[i].manifest.database, m->database) == 0 &&
            strcmp(catalog->items[i].manifest.cluster, m->cluster) == 0)
            return false;
    return true;
}

static enum pgc_code verify_newest(struct call *call, const struct pgc_catalog *catalog, struct pgc_error *err) {
    enum pgc_code first = PGC_OK;
    for (size_t i = 0; i < catalog->count; i++) {
        struct pgc_error one;
        if (!is_newest(catalog, i))
            continue;
        enum pgc_code code = verify_one(call, &catalog->items[i], &one);
        if (code != PGC_OK && first == PGC_OK) {
            first = code;
            *err = one;
        }
        if (code == PGC_E_CANCELLED)
            break;
    }
    if (call->count == 0)
        return pgc_fail(err, PGC_E_NOT_FOUND, "the store holds no backup to verify");
    return first;
}

static enum pgc_code verify_named(struct call *call, const struct pgc_catalog *catalog, struct pgc_error *err) {
    struct pgc_catalog_query query = { call->s->cluster, call->s->database, call->cli->args.items[0], 0 };
    const struct pgc_catalog_entry *entry = NULL;
    if (strcmp(query.id, "latest") == 0)
        return verify_newest(call, catalog, err);
    enum pgc_code code = pgc_catalog_find(catalog, &query, &entry, err);
    return code == PGC_OK ? verify_one(call, entry, err) : code;
}

static enum pgc_code prove(struct pgc_cli *cli, struct verify_settings *s, struct pgc_error *err) {
    PGC_CLEANUP(pgc_catalog_release) struct pgc_catalog catalog = PGC_CATALOG_INIT;
    PGC_CLEANUP(call_release)
    struct call call = { .cli = cli, .s = s, .identities = PGC_AGE_IDENTITIES_INIT, .json = PGC_BUF_INIT };
    bool named = names_server(&s->connection);
    if (s->level < 1 || s->level > 2)
        return pgc_fail(err, PGC_E_USAGE, "--level: %lld is neither 1 nor 2", (long long)s->level);
    if (cli->args.count > 1)
        return pgc_fail(err, PGC_E_USAGE, "more than one backup given");
    enum pgc_code code = settings_identities(&s->identity, &call.identities, err);
    if (code == PGC_OK && named)
        code = pgc_connection_resolve(&s->connection, err);
    if (code == PGC_OK)
        code = settings_attach(cli, s->store.url, 0, &call.store, err);
    if (code == PGC_OK)
        code = pgc_catalog_load(call.store, s->cluster, s->database, &catalog, err);
    if (code == PGC_OK)
        code = find_server(&call, named, err);
    progress_init(&call.progress, cli->rt, &s->progress);
    if (code == PGC_OK)
        code = cli->args.count > 0 ? verify_named(&call, &catalog, err) : verify_newest(&call, &catalog, err);
    if (s->json && call.count > 0)
        fprintf(cli->out, "{\"backups\": [%s\n]}\n", call.json.data);
    return code;
}

static enum pgc_code run(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct verify_settings *s = settings;
    const struct pgc_runtime *rt = cli->rt;
    struct tell tell;
    enum pgc_code code = tell_check(&s->tell, err);
    if (code != PGC_OK)
        return code;
    tell_started(&tell, "verify", &s->tell, rt);
    cli->rt = &tell.log.rt;
    code = prove(cli, s, err);
    cli->rt = rt;
    tell_ended(&tell, code, code == PGC_OK ? "" : err->message, 0);
    return code;
}

const struct pgc_command pgc_cmd_backup_verify = {
    .name = "verify",
    .summary = "prove that a backup is whole and comes back",
    .args = "[ID|latest]",
    .description =
        "Without ID the newest backup of every database (or of --database) is taken.\n\n"
        "Level 1 reads every artefact: SHA-256 of what is stored, decryption, decompression, SHA-256 of the content, "
        "and the whole archive through pg_restore. Level 2 also restores into a scratch database and compares its "
        "tables with the fingerprint taken in the snapshot of the dump (see 'run --fingerprint'): on the server named "
        "by -d, -h, -p, -U, or, without them, on a throw-away server started from the local PostgreSQL programs.\n\n"
        "Exit status: 0 proven, 65 damaged or different, 77 no key fits.",
    .examples = "pgc backup verify --store /srv/backups -i key.txt  # the newest of every database\n"
                "pgc backup verify --store /srv/backups -i key.txt --level 2 --database app  # restore it and compare",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .settings_size = sizeof(struct verify_settings),
    .run = run,
};
