/* The commands that look at states and files: status, validate, history. */
#include <string.h>

#include "base/text.h"
#include "migrate/version.h"
#include "parts/migrate_settings.h"
#include "parts/parts.h"
#include "sql_embedded.h"

static const struct pgc_option status_options[] = {
    MIGRATE_JSON_ROW,
    MIGRATE_FOLDER_ROWS,
    MIGRATE_SERVER_ROWS,
    { "exit-code", 0, PGC_OPT_FLAG, M_AT(exit_code), NULL, "exit with 1 when migrations are pending" },
};
static const struct pgc_option validate_options[] = {
    MIGRATE_JSON_ROW,
    MIGRATE_FOLDER_ROWS,
    MIGRATE_SERVER_ROWS,
    { "offline", 0, PGC_OPT_FLAG, M_AT(offline), NULL, "look at the files alone" },
};
static const struct pgc_option history_options[] = { MIGRATE_JSON_ROW, MIGRATE_SERVER_ROWS };
#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static enum pgc_code run_status(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct migrate_settings *s = settings;
    PGC_CLEANUP(migrate_job_release) struct migrate_job job;
    s->ignore_foreign = true;
    enum pgc_code code = migrate_job_open(&job, cli, s, true, err);
    job.request.drift = job.request.missing = PGC_PLAN_WARN;
    if (code == PGC_OK)
        code = migrate_args(cli, 0, "", err);
    if (code == PGC_OK)
        code = migrate_job_connect(&job, true, err);
    if (code == PGC_OK)
        code = pgc_migrate_plan(&job.migrate, &job.request, &job.plan, err);
    if (code == PGC_OK)
        code = migrate_report_status(&job, err);
    if (code == PGC_OK && !s->json)
        migrate_warn(&job);
    if (s->exit_code && job.plan.pending > 0)
        cli->exit_status = 1;
    return code;
}

/* Reads every script too: what would not even start is found here. */
static enum pgc_code read_scripts(struct migrate_job *job, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < job->migrate.set.count; i++) {
        const struct pgc_migration *m = &job->migrate.set.items[i];
        const struct pgc_migration_script *scripts[] = { &m->up, &m->down };
        for (size_t n = 0; code == PGC_OK && n < 2; n++) {
            PGC_CLEANUP(pgc_shape_release) struct pgc_shape shape = PGC_SHAPE_INIT;
            if (scripts[n]->text != NULL)
                code = pgc_shape_read(&shape, scripts[n], err);
        }
    }
    return code;
}

static enum pgc_code run_validate(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct migrate_settings *s = settings;
    PGC_CLEANUP(migrate_job_release) struct migrate_job job;
    enum pgc_code code = migrate_job_open(&job, cli, s, true, err);
    job.request.drift = job.request.missing = job.request.out_of_order = PGC_PLAN_ERROR;
    if (code == PGC_OK)
        code = migrate_args(cli, 0, "", err);
    if (code == PGC_OK)
        code = read_scripts(&job, err);
    if (code == PGC_OK)
        code = migrate_job_look(&job, true, err);
    if (code == PGC_OK)
        code = pgc_migrate_plan(&job.migrate, &job.request, &job.plan, err);
    if (code == PGC_OK)
        migrate_warn(&job);
    if (code == PGC_OK && s->json)
        code = migrate_report_status(&job, err);
    if (code == PGC_OK)
        code = pgc_plan_check(&job.plan, err);
    if (code == PGC_OK && !s->json)
        fprintf(cli->out, "%zu migrations are valid\n", job.migrate.set.count);
    return code;
}

static enum pgc_code print_history(struct migrate_job *job, const struct pgc_rows *rows, struct pgc_error *err) {
    static const char *const keys[] = { "at", "action", "version", "name", "by", "duration_ms", "checksum", "tool" };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    if (job->settings->json)
        pgc_buf_puts(&out, "{\"events\":[");
    for (size_t i = 0; rows != NULL && i < pgc_rows_count(rows); i++) {
        if (!job->settings->json) {
            pgc_buf_putf(&out, "%.19sZ  %-9s %s %s  %s\n", pgc_rows_text(rows, i, 0), pgc_rows_text(rows, i, 1),
                         pgc_rows_null(rows, i, 2) ? "R" : pgc_rows_text(rows, i, 2), pgc_rows_text(rows, i, 3),
                         pgc_rows_text(rows, i, 4));
            continue;
        }
        pgc_buf_puts(&out, i > 0 ? ",{" : "{");
        for (size_t c = 0; c < 8; c++) {
            pgc_buf_puts(&out, c > 0 ? "," : "");
            if (c == 5 && !pgc_rows_null(rows, i, c))
                pgc_buf_putf(&out, "\"duration_ms\":%s", pgc_rows_text(rows, i, c));
            else
                migrate_put_text(&out, keys[c], pgc_rows_null(rows, i, c) ? NULL : pgc_rows_text(rows, i, c));
        }
        pgc_buf_putc(&out, '}');
    }
    if (job->settings->json)
        pgc_buf_puts(&out, "]}\n");
    enum pgc_code code = pgc_buf_check(&out, err);
    if (code == PGC_OK)
        fputs(out.data, job->cli->out);
    return code;
}

static enum pgc_code run_history(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct migrate_settings *s = settings;
    PGC_CLEANUP(migrate_job_release) struct migrate_job job;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    s->ignore_foreign = true;
    enum pgc_code code = migrate_job_open(&job, cli, s, false, err);
    job.options.ledger = PGC_MIGRATE_LEDGER_OWN;
    if (code == PGC_OK)
        code = migrate_args(cli, 0, "", err);
    if (code == PGC_OK)
        code = migrate_job_connect(&job, false, err);
    if (code == PGC_OK && job.migrate.ledger.exists) {
        pgc_ledger_sql(&sql, &job.migrate.native, pgc_sql_migrate_read_history);
        code = pgc_buf_check(&sql, err);
        if (code == PGC_OK)
            code = pgc_conn_query(job.migrate.conn, sql.data, NULL, 0, &rows, err);
    }
    return code == PGC_OK ? print_history(&job, rows, err) : code;
}

#define COMMAND(word, line, rows, function, text)                                                                      \
    const struct pgc_command pgc_cmd_migrate_##word = {                                                                \
        .name = #word,                                                                                                 \
        .summary = line,                                                                                               \
        .description = text,                                                                                           \
        .options = rows,                                                                                               \
        .option_count = COUNT(rows),                                                                                   \
        .settings_size = sizeof(struct migrate_settings),                                                              \
        .run = function,                                                                                               \
    }

COMMAND(status, "list the migrations and their states", status_options, run_status,
        "States: pending, applied, baseline, out-of-order, changed, outdated, missing, incomplete, failed. Exit status "
        "0; with --exit-code 1 when migrations are pending.");
COMMAND(validate, "check the files, and the ledger against them", validate_options, run_validate,
        "Exit status 65 for malformed files, duplicate versions, changed, missing or out-of-order migrations.");
COMMAND(history, "list everything that happened to the ledger", history_options, run_history, NULL);
