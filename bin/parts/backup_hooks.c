#include "parts/backup_hooks.h"

#include <string.h>

#include "backup/hook.h"
#include "base/text.h"

static enum pgc_code parse(const char *option, const char *json, struct pgc_strings *argv, struct pgc_error *err) {
    enum pgc_code code = pgc_hook_parse(json, argv, err);
    return code == PGC_OK ? code : pgc_wrap(err, "%s", option);
}

enum pgc_code hooks_check(const struct hook_settings *settings, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings argv = PGC_STRINGS_INIT;
    enum pgc_code code = PGC_OK;
    if (settings->before != NULL)
        code = parse("--hook-before", settings->before, &argv, err);
    if (code == PGC_OK && settings->after != NULL)
        code = parse("--hook-after", settings->after, &argv, err);
    return code;
}

static enum pgc_code put(struct pgc_strings *vars, const char *name, const char *value, struct pgc_error *err) {
    return pgc_strings_addf(vars, err, "%s=%s", name, value == NULL ? "" : value);
}

static enum pgc_code put_number(struct pgc_strings *vars, const char *name, uint64_t value, struct pgc_error *err) {
    return pgc_strings_addf(vars, err, "%s=%llu", name, (unsigned long long)value);
}

static enum pgc_code put_stores(struct pgc_strings *vars, const struct pgc_strings *stores, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf lines = PGC_BUF_INIT;
    for (size_t i = 0; i < stores->count; i++)
        pgc_buf_putf(&lines, "%s%s", i == 0 ? "" : "\n", stores->items[i]);
    return put(vars, "PGC_STORES", lines.data, err);
}

static enum pgc_code vars_of_run(const struct hook_run *run, const char *moment, struct pgc_strings *vars,
                                 struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf time = PGC_BUF_INIT;
    pgc_text_rfc3339(&time, run->started_us, false);
    enum pgc_code code = put(vars, "PGC_HOOK", moment, err);
    if (code == PGC_OK)
        code = put(vars, "PGC_JOB", run->job, err);
    if (code == PGC_OK)
        code = put(vars, "PGC_CLUSTER", run->cluster, err);
    if (code == PGC_OK)
        code = put(vars, "PGC_DATABASE", run->database, err);
    if (code == PGC_OK)
        code = put(vars, "PGC_STARTED", time.data, err);
    return code == PGC_OK ? put_stores(vars, run->stores, err) : code;
}

static enum pgc_code vars_of_outcome(enum pgc_code outcome, const char *message,
                                     const struct pgc_backup_results *results, int64_t elapsed_ms,
                                     struct pgc_strings *vars, struct pgc_error *err) {
    uint64_t raw = 0, stored = 0;
    for (size_t i = 0; i < results->count; i++) {
        raw += results->items[i].stored ? results->items[i].raw_bytes : 0;
        stored += results->items[i].stored ? results->items[i].stored_bytes : 0;
    }
    const char *id = results->count == 1 && results->items[0].stored ? results->items[0].id : "";
    enum pgc_code code = put(vars, "PGC_STATUS", outcome == PGC_OK ? "success" : "failure", err);
    if (code == PGC_OK)
        code = put(vars, "PGC_ERROR", outcome == PGC_OK ? "" : message, err);
    if (code == PGC_OK)
        code = put_number(vars, "PGC_EXIT_STATUS", (uint64_t)pgc_code_exit_status(outcome), err);
    if (code == PGC_OK)
        code = put(vars, "PGC_BACKUP_ID", id, err);
    if (code == PGC_OK)
        code = put_number(vars, "PGC_RAW_BYTES", raw, err);
    if (code == PGC_OK)
        code = put_number(vars, "PGC_STORED_BYTES", stored, err);
    return code == PGC_OK ? put_number(vars, "PGC_DURATION_MS", (uint64_t)(elapsed_ms < 0 ? 0 : elapsed_ms), err)
                          : code;
}

static enum pgc_code run_hook(const struct hook_settings *settings, const char *option, const char *json,
                              const struct pgc_strings *vars, const char *input, const struct pgc_runtime *rt,
                              struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings argv = PGC_STRINGS_INIT;
    struct pgc_hook_call call = {
        .vars = vars, .pass = &settings->pass, .input = input, .limit_ms = settings->limit_ms
    };
    enum pgc_code code = parse(option, json, &argv, err);
    if (code != PGC_OK)
        return code;
    code = pgc_hook_run(&argv, &call, rt, err);
    return code == PGC_OK || code == PGC_E_CANCELLED ? code : pgc_wrap(err, "%s", option);
}

enum pgc_code hooks_before(const struct hook_settings *settings, const struct hook_run *run,
                           const struct pgc_runtime *rt, struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings vars = PGC_STRINGS_INIT;
    if (settings->before == NULL)
        return PGC_OK;
    enum pgc_code code = vars_of_run(run, "before", &vars, err);
    if (code == PGC_OK)
        code = run_hook(settings, "--hook-before", settings->before, &vars, NULL, rt, err);
    return code == PGC_OK || code == PGC_E_CANCELLED ? code : pgc_wrap(err, "nothing was backed up");
}

enum pgc_code hooks_after(const struct hook_settings *settings, const struct hook_run *run, enum pgc_code outcome,
                          const struct pgc_backup_results *results, const char *json, const struct pgc_runtime *rt,
                          struct pgc_error *err) {
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings vars = PGC_STRINGS_INIT;
    struct pgc_runtime calm = pgc_runtime_undisturbed(rt);
    struct pgc_error own;
    if (settings->after == NULL)
        return outcome;
    int64_t elapsed_ms = (pgc_wall_us(rt) - run->started_us) / 1000;
    enum pgc_code code = vars_of_run(run, "after", &vars, &own);
    if (code == PGC_OK)
        code = vars_of_outcome(outcome, err->message, results, elapsed_ms, &vars, &own);
    if (code == PGC_OK)
        code = run_hook(settings, "--hook-after", settings->after, &vars, json, &calm, &own);
    if (code == PGC_OK)
        return outcome;
    if (outcome != PGC_OK) {
        pgc_log(rt, PGC_LOG_ERROR, "backup.hook_failed", "the hook after the run failed too",
                PGC_LOG_TEXT("error.message", own.message));
        return outcome;
    }
    *err = own;
    return pgc_wrap(err, "everything is stored, but a hook failed");
}
