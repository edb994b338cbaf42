#include "backup/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/artefact.h"
#include "backup/client.h"
#include "backup/facts.h"
#include "backup/layout.h"
#include "io/memory.h"
#include "io/tally.h"
#include "os/spawn.h"

struct verify {
    const struct pgc_verify_options *o;
    const struct pgc_runtime *rt;
    const struct pgc_manifest *manifest;
    struct pgc_verify_result *result;
    struct pgc_prints prints; /* of the backup */
    int64_t started_ms;
};

/* --- level 1 ------------------------------------------------------------------------------------------------- */

static enum pgc_code count_to_nothing(struct pgc_sink *sink, const void *data, size_t len, struct pgc_error *err) {
    (void)sink, (void)data, (void)len, (void)err;
    return PGC_OK;
}

static enum pgc_code commit_nothing(struct pgc_sink *sink, struct pgc_error *err) {
    (void)sink, (void)err;
    return PGC_OK;
}

static void drop_nothing(struct pgc_sink *sink) {
    (void)sink;
}

/* pg_restore as a reader of the whole archive: it fails on anything that it could not restore from. */
static enum pgc_code reader_sink(struct verify *v, struct pgc_sink **out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_client_release) struct pgc_client client = PGC_CLIENT_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings argv = PGC_STRINGS_INIT;
    PGC_AUTO(pgc_child_free) struct pgc_child *child = NULL;
    int major = v->manifest->client_version == NULL ? 0 : pgc_client_major_of_text(v->manifest->client_version);
    enum pgc_code code = pgc_client_find("pg_restore", major, true, v->o->client_folders, v->rt, &client, err);
    if (code == PGC_OK)
        code = pgc_strings_addf(&argv, err, "%s/pg_restore", client.folder);
    if (code == PGC_OK)
        code = pgc_strings_add(&argv, "--exit-on-error", err);
    if (code == PGC_OK)
        code = pgc_strings_add(&argv, "--file=/dev/null", err);
    struct pgc_spawn spec = { .argv = argv.items, .stdin_from = PGC_SPAWN_PIPE, .stdout_to = PGC_SPAWN_NULL };
    if (code == PGC_OK)
        code = pgc_child_start(&spec, v->rt, &child, err);
    return code == PGC_OK ? pgc_child_sink(&child, out, err) : code;
}

struct tick {
    struct verify *v;
    uint64_t total;
};

static enum pgc_code tick(void *arg, uint64_t bytes, struct pgc_error *err) {
    struct tick *t = arg;
    if (t->v->o->progress != NULL)
        t->v->o->progress(t->v->o->progress_arg, "verify", bytes, t->total, pgc_mono_ms(t->v->rt) - t->v->started_ms);
    return pgc_check_cancelled(t->v->rt, err);
}

static enum pgc_code compare_raw(const struct pgc_manifest_artefact *artefact, const struct pgc_tally *tally,
                                 struct pgc_error *err) {
    const struct pgc_manifest_stage *raw = &artefact->stages[0];
    if (tally->bytes == raw->bytes && strcmp(tally->hex, raw->sha256) == 0)
        return PGC_OK;
    return pgc_fail(err, PGC_E_DATA, "the content of '%s' is not what its manifest says: %llu bytes, SHA-256 %s",
                    artefact->name, (unsigned long long)tally->bytes, tally->hex);
}

static enum pgc_code check_artefact(struct verify *v, const struct pgc_manifest_artefact *artefact,
                                    struct pgc_error *err) {
    static const struct pgc_sink_ops nothing_ops = { count_to_nothing, commit_nothing, drop_nothing };
    struct pgc_sink nothing = { &nothing_ops };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    struct pgc_tally tally = { 0 };
    struct tick t = { v, artefact->stages[0].bytes };
    struct pgc_copy_watch watch = { tick, &t };
    bool dump = strcmp(artefact->kind, "dump") == 0, contents = strcmp(artefact->kind, "contents") == 0;
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    enum pgc_code code =
        pgc_artefact_source(v->o->store, v->o->entry->folder, artefact, v->o->identities, &source, err);
    if (code == PGC_OK)
        code = pgc_tally_pull(&source, &tally, err);
    if (code == PGC_OK && dump)
        code = reader_sink(v, &sink, err);
    else if (code == PGC_OK && contents)
        code = pgc_memory_sink(&text, &sink, err);
    if (code == PGC_OK)
        code = pgc_copy(source, sink == NULL ? &nothing : sink, &watch, err);
    if (code == PGC_OK)
        code = compare_raw(artefact, &tally, err);
    if (code == PGC_OK && contents)
        code = pgc_prints_parse(text.data, text.len, &v->prints, err);
    /* A damaged header looks like one for other keys: the hash of what is stored tells the two apart. */
    struct pgc_error damage;
    if (code == PGC_E_NO_KEY &&
        pgc_artefact_check(v->o->store, v->o->entry->folder, artefact, NULL, &damage) == PGC_E_DATA) {
        *err = damage;
        code = PGC_E_DATA;
    }
    if (code == PGC_E_CHILD)
        err->code = code = PGC_E_DATA; /* an archive that pg_restore cannot read is bad data */
    return code == PGC_OK || code == PGC_E_CANCELLED ? code : pgc_wrap(err, "artefact '%s'", artefact->name);
}

static enum pgc_code level_one(struct verify *v, struct pgc_error *err) {
    if (pgc_manifest_find(v->manifest, "dump") == NULL)
        return pgc_fail(err, PGC_E_DATA, "the manifest names no dump");
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < v->manifest->artefact_count; i++)
        code = check_artefact(v, &v->manifest->artefacts[i], err);
    return code;
}

/* --- level 2 ------------------------------------------------------------------------------------------------- */

static enum pgc_code compare_database(struct verify *v, const char *name, struct pgc_error *err) {
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
    PGC_CLEANUP(pgc_prints_release) struct pgc_prints restored = PGC_PRINTS_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    struct pgc_conn_options options = v->o->server;
    options.conninfo = options.conninfo == NULL ? "postgres" : options.conninfo;
    options.dbname = name;
    options.application_name = "pgc-verify";
    enum pgc_code code = pgc_conn_open(&options, v->rt, &conn, err);
    if (code == PGC_OK)
        code = pgc_facts_prepare(conn, 60000, err);
    if (code == PGC_OK)
        code = pgc_prints_take(conn, v->prints.kind, &restored, err);
    if (code != PGC_OK)
        return code;
    size_t differences = pgc_prints_compare(&v->prints, &restored, &text);
    snprintf(v->result->differences, sizeof v->result->differences, "%s", text.data);
    v->result->tables = v->prints.count;
    v->result->rows = pgc_prints_rows(&v->prints);
    v->result->contents = v->prints.kind == PGC_FINGERPRINT_CONTENTS;
    if (differences == 0)
        return PGC_OK;
    return pgc_fail(err, PGC_E_DATA, "%zu of %zu tables came back different: %.*s", differences, v->prints.count,
                    (int)strcspn(text.data, "\n"), text.data);
}

static enum pgc_code level_two(struct verify *v, struct pgc_error *err) {
    char name[64];
    snprintf(name, sizeof name, PGC_RESTORE_SCRATCH_PREFIX "%s", v->manifest->id + PGC_BACKUP_NAME_BYTES - 1 - 8);
    struct pgc_restore_options options = {
        .server = v->o->server,
        .store = v->o->store,
        .entry = v->o->entry,
        .identities = v->o->identities,
        .into = name,
        .create = true,
        .jobs = 1,
        .globals = v->o->globals && pgc_manifest_find(v->manifest, "globals") != NULL,
        .no_owner = true,
        .no_privileges = true,
        .no_tablespaces = true,
        .scratch = true,
        .client_folders = v->o->client_folders,
        .progress = v->o->progress,
        .progress_arg = v->o->progress_arg,
    };
    struct pgc_restore_result restored = { 0 };
    enum pgc_code code = pgc_restore_run(&options, v->rt, &restored, err);
    pgc_restore_result_release(&restored);
    if (code != PGC_OK)
        return pgc_wrap(err, "the restore into '%s' failed", name);
    code = compare_database(v, name, err);
    pgc_restore_drop(&v->o->server, NULL, name, v->rt);
    return code;
}

enum pgc_code pgc_verify_run(const struct pgc_verify_options *options, const struct pgc_runtime *rt,
                             struct pgc_verify_result *result, struct pgc_error *err) {
    *result = (struct pgc_verify_result) { .rows = -1 };
    struct verify v = { .o = options,
                        .rt = rt,
                        .manifest = &options->entry->manifest,
                        .result = result,
                        .prints = PGC_PRINTS_INIT,
                        .started_ms = pgc_mono_ms(rt) };
    enum pgc_code code = level_one(&v, err);
    if (code == PGC_OK && options->level >= 2)
        code = level_two(&v, err);
    pgc_prints_release(&v.prints);
    return code;
}
