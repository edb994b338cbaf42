#include "backup/restore.h"

#include <string.h>

#include "backup/artefact.h"
#include "backup/restore_internal.h"

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
    if (server < from)
        code = pgc_strings_addf(&r->result->warnings, err,
                                "the backup is from PostgreSQL %d, the server is %d: it may refuse parts of it", from,
                                server);
    if (code == PGC_OK)
        code = pgc_client_find("pg_restore", major, true, r->o->client_folders, r->rt, &r->client, err);
    return code;
}

static enum pgc_code restore(struct pgc__restore *r, struct pgc_error *err) {
    enum pgc_code code = pgc__restore_check_target(r, err);
    if (code == PGC_OK)
        code = find_client(r, err);
    if (code == PGC_OK)
        code = pgc__restore_check_extensions(r, err);
    if (code == PGC_OK && r->o->globals)
        code = pgc__restore_globals(r, err);
    if (code == PGC_OK)
        code = pgc__restore_check_roles(r, err);
    if (code == PGC_OK)
        code = pgc__restore_make_database(r, err);
    if (code == PGC_OK)
        code = pgc__restore_data(r, err);
    if (code == PGC_OK && r->o->replace)
        code = pgc__restore_swap(r, err);
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
                              .without_owner = options->no_owner,
                              .without_privileges = options->no_privileges,
                              .started_ms = pgc_mono_ms(rt) };
    enum pgc_code code = check_options(options, err);
    if (code == PGC_OK)
        code = prove_all(&r, err);
    if (code == PGC_OK)
        code = restore(&r, err);
    if (code != PGC_OK && r.made)
        pgc__restore_drop_database(&r);
    if (r.dump != NULL)
        result->raw_bytes = r.dump->stages[0].bytes;
    result->duration_ms = pgc_mono_ms(rt) - r.started_ms;
    pgc_conn_free(r.conn);
    pgc_client_release(&r.client);
    return code;
}
