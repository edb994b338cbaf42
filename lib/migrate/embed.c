/* The public face of migrations: include/pgc/migrate.h over run.h. */
#include <pgc/migrate.h>
#include <stdlib.h>

#include "base/array.h"
#include "migrate/run.h"

#define LOCK_WAIT_MS    600000
#define LOCK_TIMEOUT_MS 3000
#define LOCK_RETRIES    20

struct pgc_migrate_handle {
    struct pgc_migrate_settings settings;
    struct pgc_migrate_options options;
    struct pgc_strings dirs;
    struct pgc_migrate migrate;
    struct pgc_plan plan;
    struct pgc_migrate_step *steps;
};

static void on_event(void *arg, const struct pgc_migrate_event *event) {
    const struct pgc_migrate_handle *handle = arg;
    const struct pgc_migration *m = event->step != NULL ? event->step->migration : NULL;
    if (event->kind == PGC_MIGRATE_DONE && m != NULL && handle->settings.applied != NULL)
        handle->settings.applied(handle->settings.applied_arg, m->version, m->path, event->duration_ms);
}

static int64_t value_or(int64_t value, int64_t otherwise) {
    return value == 0 ? otherwise : value < 0 ? 0 : value;
}

static void fill_options(struct pgc_migrate_handle *handle) {
    const struct pgc_migrate_settings *s = &handle->settings;
    handle->options = (struct pgc_migrate_options) {
        .connect = { .conninfo = s->conninfo, .application_name = "pgc migrate" },
        .dirs = &handle->dirs,
        .format = s->format,
        .ledger_schema = s->ledger_schema,
        .lock_wait_ms = s->lock_wait_ms == 0 ? LOCK_WAIT_MS : s->lock_wait_ms,
        .lock_timeout_ms = value_or(s->lock_timeout_ms, LOCK_TIMEOUT_MS),
        .lock_retries = value_or(s->lock_retries, LOCK_RETRIES),
        .statement_timeout_ms = s->statement_timeout_ms,
        .batch = s->batch,
        .event = on_event,
        .event_arg = handle,
    };
}

enum pgc_code pgc_migrate_open(const struct pgc_migrate_settings *settings, const struct pgc_runtime *rt,
                               struct pgc_migrate_handle **out, struct pgc_error *err) {
    struct pgc_migrate_handle *handle = calloc(1, sizeof *handle);
    enum pgc_code code = PGC_OK;
    if (handle == NULL)
        return pgc_fail_nomem(err);
    handle->settings = *settings;
    for (const char *const *dir = settings->dirs; code == PGC_OK && dir != NULL && *dir != NULL; dir++)
        code = pgc_strings_add(&handle->dirs, *dir, err);
    fill_options(handle);
    pgc_migrate_init(&handle->migrate, &handle->options, rt != NULL ? rt : pgc_runtime_quiet());
    if (code == PGC_OK && handle->dirs.count == 0)
        code = pgc_fail(err, PGC_E_USAGE, "no migrations folder is given");
    if (code == PGC_OK)
        code = pgc_migrate_load(&handle->migrate, err);
    if (code != PGC_OK) {
        pgc_migrate_close(handle);
        return code;
    }
    *out = handle;
    return PGC_OK;
}

void pgc_migrate_close(struct pgc_migrate_handle *handle) {
    if (handle == NULL)
        return;
    pgc_plan_release(&handle->plan);
    pgc_migrate_release(&handle->migrate);
    pgc_strings_release(&handle->dirs);
    free(handle->steps);
    free(handle);
}

static enum pgc_code make_plan(struct pgc_migrate_handle *handle, const struct pgc_plan_request *request, bool connect,
                               struct pgc_error *err) {
    pgc_plan_release(&handle->plan);
    enum pgc_code code = connect ? pgc_migrate_connect(&handle->migrate, false, err) : PGC_OK;
    if (code == PGC_OK)
        code = pgc_migrate_plan(&handle->migrate, request, &handle->plan, err);
    return code != PGC_OK ? code : pgc_plan_check(&handle->plan, err);
}

static enum pgc_code fill_step(const struct pgc_plan_step *from, struct pgc_migrate_step *to, struct pgc_error *err) {
    PGC_CLEANUP(pgc_shape_release) struct pgc_shape shape = PGC_SHAPE_INIT;
    const struct pgc_migration_script *script = pgc_plan_step_script(from);
    enum pgc_code code = script != NULL && script->text != NULL ? pgc_shape_read(&shape, script, err) : PGC_OK;
    *to = (struct pgc_migrate_step) { pgc_plan_action_name(from->action),
                                      from->migration->version,
                                      from->migration->name,
                                      from->migration->path,
                                      script != NULL ? script->text : NULL,
                                      !shape.outside };
    return code;
}

static enum pgc_code preview(struct pgc_migrate_handle *handle, const char *to, bool connect,
                             const struct pgc_migrate_step **steps, size_t *count, struct pgc_error *err) {
    struct pgc_plan_request request = { .to = to, .drift = PGC_PLAN_ERROR, .missing = PGC_PLAN_WARN };
    enum pgc_code code = make_plan(handle, &request, connect, err);
    if (code != PGC_OK)
        return code;
    free(handle->steps);
    handle->steps = calloc(handle->plan.step_count + 1, sizeof *handle->steps);
    if (handle->steps == NULL)
        return pgc_fail_nomem(err);
    for (size_t i = 0; code == PGC_OK && i < handle->plan.step_count; i++)
        code = fill_step(&handle->plan.steps[i], &handle->steps[i], err);
    *steps = handle->steps;
    *count = handle->plan.step_count;
    return code;
}

enum pgc_code pgc_migrate_preview(struct pgc_migrate_handle *handle, const char *to,
                                  const struct pgc_migrate_step **steps, size_t *count, struct pgc_error *err) {
    return preview(handle, to, true, steps, count, err);
}

enum pgc_code pgc_migrate_preview_offline(struct pgc_migrate_handle *handle, const char *to,
                                          const struct pgc_migrate_step **steps, size_t *count, struct pgc_error *err) {
    return preview(handle, to, false, steps, count, err);
}

static enum pgc_code run(struct pgc_migrate_handle *handle, const struct pgc_plan_request *request, size_t *done,
                         struct pgc_error *err) {
    *done = 0;
    enum pgc_code code = make_plan(handle, request, true, err);
    if (code != PGC_OK || handle->plan.step_count == 0)
        return code;
    return pgc_migrate_apply(&handle->migrate, request, &handle->plan, done, err);
}

enum pgc_code pgc_migrate_up(struct pgc_migrate_handle *handle, const char *to, size_t *done, struct pgc_error *err) {
    struct pgc_plan_request request = { .verb = PGC_PLAN_UP, .to = to, .missing = PGC_PLAN_WARN };
    return run(handle, &request, done, err);
}

enum pgc_code pgc_migrate_down(struct pgc_migrate_handle *handle, const char *to, size_t *done, struct pgc_error *err) {
    struct pgc_plan_request request = { .verb = PGC_PLAN_DOWN, .to = to, .missing = PGC_PLAN_WARN };
    return run(handle, &request, done, err);
}
