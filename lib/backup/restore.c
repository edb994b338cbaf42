#include "backup/restore.h"

#include <string.h>

#include "backup/artefact.h"
#include "backup/restore_internal.h"

#define TOC_MAX_BYTES ((size_t)1 << 30)

void pgc_restore_result_release(struct pgc_restore_result *result) {
    pgc_strings_release(&result->warnings);
}

void pgc__restore_progress(struct pgc__restore *r, const char *what, uint64_t done, uint64_t total) {
    if (r->o->progress != NULL)
        r->o->progress(r->o->progress_arg, what, done, total, pgc_mono_ms(r->rt) - r->started_ms);
}

/* --- proof before the target is touched ------------------------------------------------------------------ */

static enum pgc_code check_tick(void *arg, uint64_t bytes, struct pgc_error *err) {
    struct pgc__restore *r = arg;
    pgc__restore_progress(r, "verify", bytes, pgc_manifest_stored(r->dump)->bytes);
    return pgc_check_cancelled(r->rt, err);
}

/* The first block shows whether a key fits. */
static enum pgc_code try_key(struct pgc__restore *r, const struct pgc_manifest_artefact *artefact,
                             struct pgc_error *err) {
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    enum pgc_code code =
        pgc_artefact_source(r->o->store, r->o->entry->folder, artefact, r->o->identities, &source, err);
    char block[512];
    size_t len = 0;
    return code == PGC_OK ? pgc_source_get(source, block, sizeof block, &len, err) : code;
}

static enum pgc_code prove(struct pgc__restore *r, const struct pgc_manifest_artefact *artefact,
                           struct pgc_error *err) {
    struct pgc_copy_watch watch = { check_tick, r };
    enum pgc_code code = pgc_artefact_check(r->o->store, r->o->entry->folder, artefact, &watch, err);
    return code == PGC_OK ? try_key(r, artefact, err) : code;
}

static enum pgc_code prove_all(struct pgc__restore *r, struct pgc_error *err) {
    const struct pgc_manifest_artefact *globals = pgc_manifest_find(r->manifest, "globals");
    r->dump = pgc_manifest_find(r->manifest, "dump");
    if (r->dump == NULL)
        return pgc_fail(err, PGC_E_DATA, "backup '%s' holds no dump", r->manifest->id);
    if (r->o->globals && globals == NULL)
        return pgc_fail(err, PGC_E_CONFIG, "backup '%s' holds no globals: it was made with --no-globals",
                        r->manifest->id);
    enum pgc_code code = prove(r, r->dump, err);
    return code == PGC_OK && r->o->globals ? prove(r, globals, err) : code;
}

/* --- the way ---------------------------------------------------------------------------------------------- */

static enum pgc_code find_client(struct pgc__restore *r, struct pgc_error *err) {
    int major = r->manifest->client_version == NULL ? 0 : pgc_client_major_of_text(r->manifest->client_version);
    int server = pgc_client_major_of_num(pgc_conn_server_version(r->conn));
    int from = pgc_client_major_of_num((int)r->manifest->server_version_num);
    enum pgc_code code = PGC_OK;
    if (server < from && !r->o->allow_older_server)
        return pgc_fail(err, PGC_E_VERSION,
                        "the backup is from PostgreSQL %d, the server is %d: dumps go into the same version or a newer "
                        "one (--allow-older-server tries all the same)",
                        from, server);
    if (server < from)
        code = pgc_strings_addf(&r->result->warnings, err,
                                "the backup is from PostgreSQL %d, the server is %d: it may refuse parts of it", from,
                                server);
    if (code == PGC_OK)
        code = pgc_client_find("pg_restore", major, true, r->o->client_folders, r->rt, &r->client, err);
    return code;
}

static enum pgc_code read_toc(struct pgc__restore *r, struct pgc_error *err) {
    static const char *const flags[] = { "--list", "--verbose" };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    text.max = TOC_MAX_BYTES;
    enum pgc_code code = pgc__restore_print(r, flags, 2, NULL, &text, err);
    return code == PGC_OK ? pgc_toc_parse(&r->toc, text.data, err) : code;
}

/* Not everything: the list of what is restored. */
static enum pgc_code choose(struct pgc__restore *r, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings left_out = PGC_STRINGS_INIT;
    enum pgc_code code = PGC_OK;
    if (r->o->tables != NULL && r->o->tables->count > 0) {
        code = pgc_toc_choose_tables(&r->toc, r->o->tables, r->makes, &left_out, err);
        for (size_t i = 0; code == PGC_OK && i < left_out.count; i++)
            code = pgc_strings_addf(&r->result->warnings, err, "left out, as it refers to another table: %s",
                                    left_out.items[i]);
    } else if (r->o->scratch && r->roles_missing) {
        pgc_toc_choose_all(&r->toc);
        pgc_toc_drop_kind(&r->toc, "POLICY");
        pgc_toc_drop_kind(&r->toc, "USER MAPPING");
    } else if (r->o->clean && pgc_toc_has_kind(&r->toc, "SUBSCRIPTION")) {
        /* One that has a slot is not dropped within a transaction. */
        pgc_toc_choose_all(&r->toc);
        pgc_toc_drop_kind(&r->toc, "SUBSCRIPTION");
        pgc_toc_drop_kind(&r->toc, "COMMENT - SUBSCRIPTION");
        code = pgc_strings_add(&r->result->warnings, "--clean: subscriptions stay as they are", err);
    } else {
        return PGC_OK;
    }
    if (code != PGC_OK)
        return code;
    pgc_toc_write(&r->toc, &r->list, PGC_TOC_CHOSEN);
    return pgc_buf_check(&r->list, err);
}

/* Looks before it leaps: all that may refuse comes before the first change. */
static enum pgc_code restore(struct pgc__restore *r, struct pgc_error *err) {
    typedef enum pgc_code step_fn(struct pgc__restore * r, struct pgc_error * err);
    static step_fn *const steps[] = {
        pgc__restore_check_target,
        find_client,
        pgc__restore_check_extensions,
        read_toc,
        pgc__restore_check_locks,
        pgc__restore_globals,
        pgc__restore_check_roles,
        pgc__restore_check_tablespaces,
        choose,
        pgc__restore_make_database,
        pgc__restore_data,
        pgc__restore_finish_database,
    };
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < sizeof steps / sizeof steps[0]; i++)
        code = steps[i](r, err);
    return code;
}

static enum pgc_code check_options(const struct pgc_restore_options *o, struct pgc_error *err) {
    if (o->into == NULL || o->into[0] == '\0')
        return pgc_fail(err, PGC_E_USAGE, "no database to restore into given: use --into");
    if (strlen(o->into) > 63)
        return pgc_fail(err, PGC_E_USAGE, "'%s' is too long for the name of a database (63 bytes)", o->into);
    if (o->replace && (o->clean || o->create))
        return pgc_fail(err, PGC_E_USAGE, "--replace excludes --clean and --create");
    if (o->schema_only && o->data_only)
        return pgc_fail(err, PGC_E_USAGE, "--schema-only and --data-only exclude each other");
    if (o->disable_triggers && !o->data_only)
        return pgc_fail(err, PGC_E_USAGE, "--disable-triggers is for --data-only");
    if (o->clean && o->data_only)
        return pgc_fail(err, PGC_E_USAGE, "--clean and --data-only exclude each other");
    if (o->jobs < 1 || o->jobs > 512)
        return pgc_fail(err, PGC_E_USAGE, "--jobs: %lld is not between 1 and 512", (long long)o->jobs);
    return PGC_OK;
}

enum pgc_code pgc_restore_run(const struct pgc_restore_options *options, const struct pgc_runtime *rt,
                              struct pgc_restore_result *result, struct pgc_error *err) {
    struct pgc__restore r = { .o = options,
                              .rt = rt,
                              .manifest = &options->entry->manifest,
                              .result = result,
                              .client = PGC_CLIENT_INIT,
                              .toc = PGC_TOC_INIT,
                              .list = PGC_BUF_INIT,
                              .properties = PGC_PROPERTIES_INIT,
                              .without_owner = options->no_owner,
                              .without_privileges = options->no_privileges,
                              .started_ms = pgc_mono_ms(rt) };
    enum pgc_code code = check_options(options, err);
    if (code == PGC_OK)
        code = prove_all(&r, err);
    if (code == PGC_OK)
        code = restore(&r, err);
    if (code != PGC_OK && r.made)
        pgc_restore_drop(&options->server, pgc_conn_dbname(r.conn), r.name, rt);
    if (r.dump != NULL)
        result->raw_bytes = r.dump->stages[0].bytes;
    result->duration_ms = pgc_mono_ms(rt) - r.started_ms;
    pgc_conn_free(r.conn);
    pgc_client_release(&r.client);
    pgc_toc_release(&r.toc);
    pgc_buf_release(&r.list);
    pgc_properties_release(&r.properties);
    return code;
}
