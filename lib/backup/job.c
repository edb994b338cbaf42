#include "backup/job.h"

#include <stdlib.h>
#include <string.h>

#include "backup/layout.h"
#include "sql_embedded.h"

void pgc_backup_results_release(struct pgc_backup_results *results) {
    for (size_t i = 0; i < results->count; i++) {
        free(results->items[i].database);
        pgc_strings_release(&results->items[i].warnings);
    }
    free(results->items);
    *results = (struct pgc_backup_results)PGC_BACKUP_RESULTS_INIT;
}

/* --- which databases ------------------------------------------------------------------------------------ */

static bool matches(const struct pgc_strings *globs, const char *name, bool when_empty) {
    if (globs == NULL || globs->count == 0)
        return when_empty;
    for (size_t i = 0; i < globs->count; i++)
        if (pgc_backup_glob(globs->items[i], name))
            return true;
    return false;
}

static enum pgc_code discover(const struct pgc_backup_job *job, const struct pgc_runtime *rt, struct pgc_conn *conn,
                              struct pgc_strings *out, struct pgc_error *err) {
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    enum pgc_code code = pgc_conn_query(conn, pgc_sql_backup_list_databases, NULL, 0, &rows, err);
    for (size_t i = 0; code == PGC_OK && i < pgc_rows_count(rows); i++) {
        const char *name = pgc_rows_text(rows, i, 0);
        if (!matches(job->select.include, name, true) || matches(job->select.exclude, name, false))
            continue;
        if (!pgc_rows_null(rows, i, 1))
            pgc_log(rt, PGC_LOG_WARN, "backup.skipped", "a database is not backed up: exclude it, or mend this",
                    PGC_LOG_TEXT("database", name), PGC_LOG_TEXT("reason", pgc_rows_text(rows, i, 1)));
        else
            code = pgc_strings_add(out, name, err);
    }
    if (code == PGC_OK && out->count == 0)
        code = pgc_fail(err, PGC_E_CONFIG, "no database is left to back up: the patterns match none");
    return code;
}

enum pgc_code pgc_backup_job_databases(const struct pgc_backup_job *job, const struct pgc_runtime *rt,
                                       struct pgc_strings *out, struct pgc_error *err) {
    const struct pgc_strings *named = job->select.databases;
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && named != NULL && i < named->count; i++)
        if (!pgc_strings_contain(out, named->items[i]))
            code = pgc_strings_add(out, named->items[i], err);
    if (code != PGC_OK || out->count > 0)
        return code;
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
    struct pgc_conn_options options = job->server;
    options.application_name = "pgc-backup";
    code = pgc_conn_open(&options, rt, &conn, err);
    if (code != PGC_OK)
        return code;
    bool patterns = job->select.include != NULL && job->select.include->count > 0;
    return job->select.all || patterns ? discover(job, rt, conn, out, err)
                                       : pgc_strings_add(out, pgc_conn_dbname(conn), err);
}

/* --- the run --------------------------------------------------------------------------------------------- */

/* What nobody else tells: warnings, and failures that the others in a run of several would hide. */
static void tell(const struct pgc_runtime *rt, const struct pgc_backup_result *result, bool alone) {
    for (size_t i = 0; i < result->warnings.count; i++)
        pgc_log(rt, PGC_LOG_WARN, "backup.warning", result->warnings.items[i],
                PGC_LOG_TEXT("database", result->database));
    if (result->code != PGC_OK && !alone)
        pgc_log(rt, PGC_LOG_ERROR, "backup.failed", "backup failed", PGC_LOG_TEXT("database", result->database),
                PGC_LOG_TEXT("error.message", result->err.message));
}

static enum pgc_code run_one(const struct pgc_backup_job *job, const char *database, bool alone,
                             const struct pgc_runtime *rt, struct pgc_backup_results *results, struct pgc_error *err) {
    if (!pgc_array_grow(&results->items, &results->cap, results->count + 1, sizeof *results->items))
        return pgc_fail_nomem(err);
    pgc_log(rt, PGC_LOG_DEBUG, "backup.start", "backup starts", PGC_LOG_TEXT("database", database));
    struct pgc_backup_result *result = &results->items[results->count];
    enum pgc_code code = pgc_backup_database(job, database, rt, result, err);
    results->count++;
    tell(rt, result, alone);
    return code;
}

enum pgc_code pgc_backup_job_run(const struct pgc_backup_job *job, const struct pgc_runtime *rt,
                                 struct pgc_backup_results *results, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings names = PGC_STRINGS_INIT;
    struct pgc_error first;
    size_t failed = 0;
    enum pgc_code code = pgc_backup_job_databases(job, rt, &names, err);
    if (code != PGC_OK)
        return code;
    for (size_t i = 0; i < names.count; i++) {
        struct pgc_error one;
        if (run_one(job, names.items[i], names.count == 1, rt, results, &one) == PGC_OK)
            continue;
        if (failed++ == 0)
            first = one;
        if (pgc_cancelled(rt) != 0)
            break;
    }
    if (failed == 0)
        return PGC_OK;
    *err = first;
    return names.count == 1 ? err->code : pgc_wrap(err, "%zu of %zu databases failed, the first", failed, names.count);
}
