/* One database to every target: facts, snapshot, fingerprint, globals and dump; visible at the end or not at all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "backup/dump.h"
#include "backup/job.h"
#include "backup/layout.h"
#include "backup/prints_run.h"
#include "backup/schema_lock.h"
#include "backup/survey.h"
#include "backup/sweep.h"
#include "io/memory.h"
#include "pg/environ.h"
#include "sql_embedded.h"

#define PROGRESS_MS   500
#define LAST_WORDS_MS 5000 /* to connect once more after a failure */

/* Everything one backup holds while it runs. */
struct run {
    const struct pgc_backup_job *job;
    const struct pgc_runtime *rt;
    const char *database;
    struct pgc_backup_target *targets; /* own copies of the job's: a new try for every database */
    size_t target_count;
    struct pgc_stop stop;
    struct pgc_conn *conn; /* holds the snapshot and the lock; stopped by `stop` */
    struct pgc_client client;
    struct pgc_strings env;
    struct pgc_manifest manifest;
    struct pgc_prints prints;
    struct pgc_prints_run *printing; /* while it runs it owns conn and prints */
    struct pgc_buf folder;           /* "main/app/20260131T120000Z-1f3a9c0b/" */
    char application_name[64];
    char *snapshot;
    bool with_passwords;
    struct pgc_artefact *artefacts[3];
    char *names[3]; /* of the objects, "dump.zst.age" */
    size_t artefact_count;
    int64_t started_ms;
    int64_t next_progress_ms;
};

static void release(struct run *r) {
    for (size_t i = 0; i < r->artefact_count; i++) {
        pgc_artefact_free(r->artefacts[i]);
        free(r->names[i]);
    }
    free(r->targets);
    pgc_prints_run_free(r->printing);
    pgc_conn_free(r->conn);
    pgc_stop_release(&r->stop);
    pgc_client_release(&r->client);
    pgc_environ_release(&r->env);
    pgc_manifest_release(&r->manifest);
    pgc_prints_release(&r->prints);
    pgc_buf_release(&r->folder);
    free(r->snapshot);
}

/* --- before the dump ----------------------------------------------------------------------------------- */

static struct pgc_conn_options own_options(const struct run *r) {
    struct pgc_conn_options options = r->job->server;
    /* libpq looks for a connection string in the first dbname only: the real one comes second. */
    if (options.conninfo == NULL)
        options.conninfo = "postgres";
    options.dbname = r->database;
    options.application_name = "pgc-backup";
    return options;
}

static enum pgc_code connect(struct run *r, struct pgc_error *err) {
    struct pgc_conn_options options = own_options(r);
    enum pgc_code code = pgc_stop_init(&r->stop, r->rt, err);
    if (code == PGC_OK)
        code = pgc_conn_open(&options, &r->stop.rt, &r->conn, err);
    return code == PGC_OK ? pgc_facts_prepare(r->conn, r->job->lock_wait_ms, err) : code;
}

static enum pgc_code choose_client(struct run *r, struct pgc_error *err) {
    int major = pgc_client_major_of_num(pgc_conn_server_version(r->conn));
    enum pgc_code code =
        pgc_client_find("pg_dump", major, r->job->allow_newer_client, r->job->client_folders, r->rt, &r->client, err);
    if (code == PGC_OK && r->client.major != major)
        code = pgc_strings_addf(&r->manifest.warnings, err,
                                "dumped by the newer client '%s': a server of version %d may refuse parts of it",
                                r->client.version, major);
    return code;
}

static enum pgc_code set_text(char **slot, const char *text, struct pgc_error *err) {
    free(*slot);
    *slot = strdup(text);
    return *slot == NULL ? pgc_fail_nomem(err) : PGC_OK;
}

static enum pgc_code name_backup(struct run *r, struct pgc_error *err) {
    uint32_t noise = 0;
    if (getrandom(&noise, sizeof noise, 0) != (ssize_t)sizeof noise)
        return pgc_fail_errno(err, PGC_E_FAILED, "cannot get random bytes");
    char id[PGC_BACKUP_NAME_BYTES];
    struct pgc_manifest *m = &r->manifest;
    m->started_us = pgc_wall_us(r->rt);
    pgc_backup_name(id, m->started_us, noise);
    snprintf(r->application_name, sizeof r->application_name, "pgc-backup %s", id);
    pgc_backup_key(&r->folder, r->job->cluster, r->database, id, NULL);
    enum pgc_code code = set_text(&m->id, id, err);
    if (code == PGC_OK)
        code = set_text(&m->cluster, r->job->cluster, err);
    if (code == PGC_OK)
        code = set_text(&m->database, r->database, err);
    if (code == PGC_OK)
        code = set_text(&m->pgc_version, PGC_VERSION, err);
    if (code == PGC_OK)
        code = set_text(&m->client_version, r->client.version, err);
    if (code == PGC_OK)
        code = set_text(&m->fingerprint, pgc_fingerprint_name(r->job->fingerprint), err);
    m->compression_level = r->job->level;
    m->encrypted = r->job->recipients != NULL;
    for (size_t i = 0; code == PGC_OK && m->encrypted && i < r->job->recipient_names->count; i++)
        code = pgc_strings_add(&m->recipients, r->job->recipient_names->items[i], err);
    return code == PGC_OK ? pgc_buf_check(&r->folder, err) : code;
}

/* The snapshot that fingerprint and dump share. It lives as long as this transaction. */
static enum pgc_code take_snapshot(struct run *r, struct pgc_error *err) {
    enum pgc_code code = pgc_conn_exec(r->conn, "begin isolation level repeatable read, read only", err);
    if (code == PGC_OK)
        code = pgc_conn_query_text(r->conn, "select pg_catalog.pg_export_snapshot()", NULL, 0, &r->snapshot, err);
    return code;
}

static enum pgc_code prepare(struct run *r, struct pgc_error *err) {
    enum pgc_code code = connect(r, err);
    if (code == PGC_OK)
        code = choose_client(r, err);
    if (code == PGC_OK)
        code = pgc_schema_lock_share(r->conn, r->job->lock_wait_ms, r->rt, err);
    if (code == PGC_OK)
        code = name_backup(r, err);
    if (code == PGC_OK)
        code = pgc_conn_environ(r->conn, r->application_name, &r->env, err);
    if (code == PGC_OK)
        code = take_snapshot(r, err);
    if (code == PGC_OK)
        code = pgc_survey_take(r->conn, &r->manifest.warnings, err);
    if (code == PGC_OK)
        code = pgc_facts_read(r->conn, &r->manifest, &r->with_passwords, err);
    if (code == PGC_OK && r->job->fingerprint != PGC_FINGERPRINT_NONE)
        code = pgc_facts_lock_tables(r->conn, err);
    if (code == PGC_OK && r->job->globals && !r->with_passwords)
        code = pgc_strings_add(&r->manifest.warnings,
                               "the globals hold no password hashes: the role may not read pg_authid", err);
    return code;
}

/* --- artefacts ----------------------------------------------------------------------------------------- */

struct pump {
    struct run *run;
    const struct pgc_artefact *artefact;
};

static enum pgc_code tick(void *arg, uint64_t bytes, struct pgc_error *err) {
    struct pump *pump = arg;
    struct run *r = pump->run;
    (void)bytes;
    enum pgc_code code = pgc_check_cancelled(r->rt, err);
    if (code == PGC_OK && pgc_prints_run_failed(r->printing))
        code = pgc_prints_run_end(r->printing, err);
    int64_t now = r->job->progress == NULL ? 0 : pgc_mono_ms(r->rt);
    if (code != PGC_OK || r->job->progress == NULL || now < r->next_progress_ms)
        return code;
    r->next_progress_ms = now + PROGRESS_MS;
    struct pgc_backup_progress progress = { .database = r->database,
                                            .database_bytes = r->manifest.database_bytes,
                                            .elapsed_ms = now - r->started_ms };
    pgc_artefact_progress(pump->artefact, &progress.raw_bytes, &progress.stored_bytes);
    r->job->progress(r->job->progress_arg, &progress);
    return PGC_OK;
}

/* Reads the source to its verified end into a new artefact; nothing is visible yet. */
static enum pgc_code write_artefact(struct run *r, const char *stem, struct pgc_source *source, uint64_t hint, bool big,
                                    struct pgc_error *err) {
    struct pgc_artefact_options options = { r->job->recipients, r->job->level, big ? r->job->workers : 0 };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
    PGC_AUTO_FREE char *name = NULL;
    if (asprintf(&name, "%s.zst%s", stem, r->job->recipients != NULL ? ".age" : "") < 0)
        return pgc_fail_nomem(err);
    pgc_buf_putf(&key, "%s%s", r->folder.data, name);
    struct pgc_artefact **slot = &r->artefacts[r->artefact_count];
    enum pgc_code code = pgc_artefact_open(&options, r->targets, r->target_count, key.data, hint, slot, err);
    if (code != PGC_OK)
        return code;
    r->names[r->artefact_count++] = name;
    name = NULL;
    struct pump pump = { r, *slot };
    struct pgc_copy_watch watch = { tick, &pump };
    return pgc_pump(source, pgc_artefact_sink(*slot), &watch, err);
}

/* Warnings of a client that ended well, a line each. */
static enum pgc_code keep_words(struct run *r, const char *words, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    while (code == PGC_OK && *words != '\0') {
        size_t len = strcspn(words, "\n");
        if (len > 0)
            code = pgc_strings_addf(&r->manifest.warnings, err, "%.*s", (int)len, words);
        words += len + (words[len] == '\n');
    }
    return code;
}

static enum pgc_code start_dump(struct run *r, struct pgc_source **out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings argv = PGC_STRINGS_INIT;
    enum pgc_code code = pgc_dump_argv(&r->client, r->database, r->snapshot, r->job->lock_wait_ms, &argv, err);
    return code == PGC_OK ? pgc_dump_source(argv.items, r->env.items, r->job->idle_ms, r->rt, out, err) : code;
}

/* *out stays NULL when globals are not wanted. */
static enum pgc_code start_globals(struct run *r, struct pgc_source **out, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings argv = PGC_STRINGS_INIT;
    if (!r->job->globals)
        return PGC_OK;
    enum pgc_code code = pgc_dump_globals_argv(&r->client, r->database, r->with_passwords, &argv, err);
    return code == PGC_OK ? pgc_dump_source(argv.items, r->env.items, r->job->idle_ms, r->rt, out, err) : code;
}

static enum pgc_code write_contents(struct run *r, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    PGC_AUTO(pgc_source_drop) struct pgc_source *source = NULL;
    r->manifest.table_count = (int64_t)r->prints.count;
    r->manifest.row_count = pgc_prints_rows(&r->prints);
    pgc_prints_write(&r->prints, &text);
    enum pgc_code code = pgc_buf_check(&text, err);
    if (code == PGC_OK)
        code = pgc_memory_source(text.data, text.len, &source, err);
    return code == PGC_OK ? write_artefact(r, "contents.json", source, text.len, false, err) : code;
}

/* --- the end ------------------------------------------------------------------------------------------- */

static const char *kind_of(const char *name) {
    return strncmp(name, "dump", 4) == 0 ? "dump" : strncmp(name, "globals", 7) == 0 ? "globals" : "contents";
}

static enum pgc_code commit_artefacts(struct run *r, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < r->artefact_count; i++) {
        code = pgc_artefact_commit(r->artefacts[i], err);
        struct pgc_manifest_artefact *entry = NULL;
        if (code == PGC_OK)
            code = pgc_manifest_add(&r->manifest, r->names[i], kind_of(r->names[i]), &entry, err);
        if (code == PGC_OK)
            pgc_artefact_stages(r->artefacts[i], entry);
    }
    return code;
}

/* Without a manifest the artefacts are rubbish: they go, as far as the target lets us. */
static void erase_artefacts(struct run *r, size_t index) {
    struct pgc_error ignored;
    pgc_shield_raise(r->job->shield, true);
    for (size_t i = 0; i < r->artefact_count; i++) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf key = PGC_BUF_INIT;
        if (!pgc_artefact_is_on(r->artefacts[i], index))
            continue;
        pgc_buf_putf(&key, "%s%s", r->folder.data, r->names[i]);
        if (pgc_store_erase(r->targets[index].store, key.data, &ignored) != PGC_OK)
            pgc_log(r->rt, PGC_LOG_WARN, "backup.leftover", "cannot remove an artefact of a failed backup",
                    PGC_LOG_TEXT("key", key.data), PGC_LOG_TEXT("error.message", ignored.message));
    }
    pgc_shield_raise(r->job->shield, false);
}

static enum pgc_code write_manifest(struct run *r, struct pgc_error *err) {
    struct pgc_manifest *m = &r->manifest;
    m->finished_us = pgc_wall_us(r->rt);
    const struct pgc_manifest_artefact *dump = pgc_manifest_find(m, "dump");
    m->recovery = pgc_manifest_recovery(dump->name, m->encrypted, r->database);
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT, key = PGC_BUF_INIT;
    pgc_manifest_write(m, &text);
    pgc_buf_putf(&key, "%s%s", r->folder.data, PGC_BACKUP_MANIFEST);
    enum pgc_code code = m->recovery == NULL ? pgc_fail_nomem(err) : pgc_buf_check(&text, err);
    /* From here on a signal is too late: the manifest of a complete backup is written. */
    pgc_shield_raise(r->job->shield, true);
    for (size_t i = 0; code == PGC_OK && i < r->target_count; i++) {
        struct pgc_backup_target *target = &r->targets[i];
        if (target->code == PGC_OK)
            target->code =
                pgc_store_save(target->store, key.data, text.data, text.len, "application/json", &target->err);
    }
    pgc_shield_raise(r->job->shield, false);
    return code;
}

/* Makes sure that no backend goes on with a dump that nobody reads any more, by a connection of its own: the one that holds the
 * snapshot may be lost without knowing it, and would keep us for as long as the network takes to tell. */
static void end_backends(const struct run *r) {
    struct pgc_runtime calm = pgc_runtime_undisturbed(r->rt);
    struct pgc_conn_options options = own_options(r);
    struct pgc_error ignored;
    const char *params[] = { r->application_name };
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
    options.deadline_ms = LAST_WORDS_MS;
    if (pgc_conn_open(&options, &calm, &conn, &ignored) != PGC_OK ||
        pgc_conn_query(conn, pgc_sql_backup_end_dump, params, 1, NULL, &ignored) != PGC_OK)
        pgc_log(r->rt, PGC_LOG_DEBUG, "backup.leftover", "cannot end the backends of a failed dump",
                PGC_LOG_TEXT("database", r->database), PGC_LOG_TEXT("error.message", ignored.message));
}

/* Dump, globals and fingerprint begin together: none of them waits for what another one has to ask the server. */
static enum pgc_code stream_all(struct run *r, struct pgc_error *err) {
    PGC_AUTO(pgc_source_drop) struct pgc_source *dump = NULL;
    PGC_AUTO(pgc_source_drop) struct pgc_source *globals = NULL;
    enum pgc_code code = start_dump(r, &dump, err);
    if (code == PGC_OK)
        code = start_globals(r, &globals, err);
    if (code == PGC_OK)
        code = pgc_prints_run_start(r->conn, &r->stop, r->job->fingerprint, &r->prints, &r->printing, err);
    if (code == PGC_OK && globals != NULL)
        code = write_artefact(r, "globals.sql", globals, 1 << 20, false, err);
    if (code == PGC_OK && globals != NULL)
        code = keep_words(r, pgc_dump_words(globals), err);
    if (code == PGC_OK)
        code = write_artefact(r, "dump", dump, r->manifest.database_bytes + (1 << 20), true, err);
    if (code == PGC_OK)
        code = keep_words(r, pgc_dump_words(dump), err);
    if (code == PGC_OK)
        code = pgc_prints_run_end(r->printing, err);
    return code == PGC_OK ? write_contents(r, err) : code;
}

static enum pgc_code write_all(struct run *r, struct pgc_error *err) {
    enum pgc_code code = stream_all(r, err);
    if (code != PGC_OK) {
        pgc_prints_run_free(r->printing);
        r->printing = NULL;
        end_backends(r);
        return code;
    }
    code = commit_artefacts(r, err);
    return code == PGC_OK ? write_manifest(r, err) : code;
}

/* The verdict over all targets: every one must have the backup. Logs each that has not. */
static enum pgc_code judge(struct run *r, enum pgc_code code, bool *stored, struct pgc_error *err) {
    struct pgc_error first;
    size_t failed = 0;
    for (size_t i = 0; i < r->target_count; i++) {
        struct pgc_backup_target *target = &r->targets[i];
        if (code == PGC_OK && target->code == PGC_OK) {
            *stored = true;
            continue;
        }
        erase_artefacts(r, i);
        if (target->code == PGC_OK)
            continue;
        if (failed++ == 0)
            first = target->err;
        pgc_log(r->rt, PGC_LOG_ERROR, "backup.target_failed", "a target did not get its backup",
                PGC_LOG_TEXT("target", target->label), PGC_LOG_TEXT("database", r->database),
                PGC_LOG_TEXT("error.message", target->err.message));
    }
    if (code != PGC_OK || failed == 0)
        return code;
    *err = first;
    return pgc_wrap(err, "%zu of %zu targets failed", failed, r->target_count);
}

/* On a target that has its backup now. Rights to list and delete are no condition of a backup: failing is no failure. */
static void sweep_target(const struct run *r, struct pgc_backup_target *target) {
    struct pgc_error refused;
    size_t count = 0;
    enum pgc_code code =
        pgc_backup_sweep(target->store, r->job->cluster, r->database, r->job->sweep_after_ms, r->rt, &count, &refused);
    if (code != PGC_OK)
        pgc_log(r->rt, PGC_LOG_INFO, "backup.sweep_failed", "cannot look for leftovers of killed runs",
                PGC_LOG_TEXT("target", target->label), PGC_LOG_TEXT("error.message", refused.message));
    else if (count > 0)
        pgc_log(r->rt, PGC_LOG_INFO, "backup.swept", "leftovers of killed runs removed",
                PGC_LOG_TEXT("target", target->label), PGC_LOG_INT("count", count));
}

static enum pgc_code fill_result(struct run *r, struct pgc_backup_result *result, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    if (r->manifest.id != NULL)
        snprintf(result->id, sizeof result->id, "%s", r->manifest.id);
    const struct pgc_manifest_artefact *dump = pgc_manifest_find(&r->manifest, "dump");
    result->raw_bytes = dump == NULL ? 0 : dump->stages[0].bytes;
    result->stored_bytes = pgc_manifest_stored_bytes(&r->manifest);
    result->duration_ms = pgc_mono_ms(r->rt) - r->started_ms;
    for (size_t i = 0; code == PGC_OK && i < r->manifest.warnings.count; i++)
        code = pgc_strings_add(&result->warnings, r->manifest.warnings.items[i], err);
    return code;
}

enum pgc_code pgc_backup_database(const struct pgc_backup_job *job, const char *database, const struct pgc_runtime *rt,
                                  struct pgc_backup_result *result, struct pgc_error *err) {
    struct run r = { .job = job,
                     .rt = rt,
                     .database = database,
                     .target_count = job->target_count,
                     .manifest = PGC_MANIFEST_INIT,
                     .folder = PGC_BUF_INIT,
                     .started_ms = pgc_mono_ms(rt) };
    *result = (struct pgc_backup_result) { .database = strdup(database) };
    r.targets = calloc(job->target_count + 1, sizeof *r.targets);
    enum pgc_code code = result->database == NULL || r.targets == NULL ? pgc_fail_nomem(err) : PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < job->target_count; i++)
        r.targets[i] = (struct pgc_backup_target) { .store = job->targets[i].store, .label = job->targets[i].label };
    if (code == PGC_OK)
        code = prepare(&r, err);
    if (code == PGC_OK)
        code = write_all(&r, err);
    if (r.targets != NULL)
        code = judge(&r, code, &result->stored, err);
    for (size_t i = 0; code == PGC_OK && job->sweep_after_ms > 0 && i < r.target_count; i++)
        sweep_target(&r, &r.targets[i]);
    if (code != PGC_OK)
        result->err = *err;
    result->code = code;
    struct pgc_error late;
    enum pgc_code filled = fill_result(&r, result, &late);
    release(&r);
    if (code == PGC_OK && filled != PGC_OK) {
        *err = late;
        code = filled;
    }
    return code;
}
