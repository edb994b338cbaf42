/* migrate up --lint: what is about to run is checked first, with what the server knows. */
#include <string.h>

#include "base/buf.h"
#include "lint/server.h"
#include "parts/migrate_settings.h"

/* Whether the step's script gets a transaction around it is known here, not guessed. */
static enum pgc_code lint_step(const struct pgc_migration_script *script, struct pgc_lint_options *options,
                               struct pgc_lint_findings *found, struct pgc_error *err) {
    PGC_CLEANUP(pgc_shape_release) struct pgc_shape shape = PGC_SHAPE_INIT;
    enum pgc_code code = pgc_shape_read(&shape, script, err);
    if (code != PGC_OK)
        return code;
    bool outside = shape.outside || shape.mode == PGC_SHAPE_STATEMENTS;
    options->transaction = outside ? PGC_LINT_TX_NO : PGC_LINT_TX_YES;
    size_t before = found->count;
    code = pgc_lint_text(options, script->path, script->text, script->len, found, err);
    for (size_t i = before; i < found->count && script->line > 1; i++) {
        found->items[i].line += script->line - 1;
        found->items[i].end_line += script->line - 1;
    }
    return code;
}

static bool runs_up(const struct pgc_plan_step *step) {
    return step->action == PGC_ACTION_UP || step->action == PGC_ACTION_RERUN || step->action == PGC_ACTION_RESUME;
}

static void tell(const struct migrate_job *job, const struct pgc_lint_finding *one) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
    pgc_buf_putf(&text, "%s:%zu:%zu: %s [%s]", one->file, one->line, one->column, one->message, one->rule->id);
    pgc_log(job->cli->rt, one->severity == PGC_LINT_ERROR ? PGC_LOG_ERROR : PGC_LOG_WARN, "migrate.lint", text.data,
            PGC_LOG_TEXT("instead", one->rule->safe));
}

static enum pgc_code judge(const struct migrate_job *job, const struct pgc_lint_findings *found,
                           struct pgc_error *err) {
    bool refuse = strcmp(job->settings->lint, "error") == 0;
    const struct pgc_lint_finding *first = NULL;
    size_t errors = 0;
    for (size_t i = 0; i < found->count; i++) {
        const struct pgc_lint_finding *one = &found->items[i];
        tell(job, one);
        errors += one->severity == PGC_LINT_ERROR;
        first = first == NULL && one->severity == PGC_LINT_ERROR ? one : first;
    }
    if (!refuse || first == NULL)
        return PGC_OK;
    return pgc_fail(err, PGC_E_FAILED,
                    "lint refuses to run this: %zu error%s, first %s:%zu:%zu: %s [%s]; nothing was changed", errors,
                    errors == 1 ? "" : "s", first->file, first->line, first->column, first->message, first->rule->id);
}

enum pgc_code migrate_lint(struct migrate_job *job, struct pgc_error *err) {
    const char *mode = job->settings->lint;
    if (mode == NULL || strcmp(mode, "off") == 0)
        return PGC_OK;
    PGC_AUTO(pgc_lint_server_free) struct pgc_lint_server *server = NULL;
    enum pgc_code code = pgc_lint_server_read(job->migrate.conn, &server, err);
    if (code != PGC_OK)
        return code;
    struct pgc_lint_catalog catalog = pgc_lint_server_catalog(server);
    struct pgc_lint_options options = {
        .pg_version = pgc_lint_server_version(server),
        .lock_timeout_set = job->options.lock_timeout_ms > 0,
        .statement_timeout_set = job->options.statement_timeout_ms > 0,
        .least = strcmp(mode, "error") == 0 ? PGC_LINT_ERROR : PGC_LINT_WARNING,
        .catalog = &catalog,
    };
    PGC_CLEANUP(pgc_lint_findings_release) struct pgc_lint_findings found = { 0 };
    for (size_t i = 0; code == PGC_OK && i < job->plan.step_count; i++) {
        const struct pgc_migration_script *script = pgc_plan_step_script(&job->plan.steps[i]);
        if (script != NULL && script->text != NULL && runs_up(&job->plan.steps[i]))
            code = lint_step(script, &options, &found, err);
    }
    return code == PGC_OK ? judge(job, &found, err) : code;
}
