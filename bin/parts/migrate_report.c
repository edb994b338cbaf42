#include <string.h>

#include "base/text.h"
#include "parts/migrate_settings.h"

void migrate_put_text(struct pgc_buf *out, const char *key, const char *value) {
    pgc_buf_putf(out, "\"%s\":", key);
    if (value == NULL)
        pgc_buf_puts(out, "null");
    else
        pgc_text_json(out, value);
}

static void put_more(struct pgc_buf *out, const char *key, const char *value) {
    pgc_buf_putc(out, ',');
    migrate_put_text(out, key, value);
}

static const char *kind_name(const struct pgc_migration *m) {
    static const char *const names[] = { "versioned", "repeatable", "baseline" };
    return names[m->kind];
}

void migrate_put_step(struct pgc_buf *out, const struct pgc_plan_step *step) {
    const struct pgc_migration *m = step->migration;
    migrate_put_text(out, "action", pgc_plan_action_name(step->action));
    put_more(out, "version", m != NULL ? m->version : step->row->version);
    put_more(out, "name", m != NULL ? m->name : step->row->name);
    put_more(out, "file", m != NULL ? m->file : step->row->file);
    put_more(out, "path", m != NULL ? m->path : NULL);
}

static void put_problems(struct pgc_buf *out, const struct pgc_plan *plan) {
    pgc_buf_puts(out, ",\"problems\":[");
    for (size_t i = 0; i < plan->problem_count; i++) {
        pgc_buf_puts(out, i > 0 ? ",{" : "{");
        migrate_put_text(out, "kind", plan->problems[i].kind);
        pgc_buf_putf(out, ",\"fatal\":%s", plan->problems[i].fatal ? "true" : "false");
        put_more(out, "message", plan->problems[i].message);
        pgc_buf_putc(out, '}');
    }
    pgc_buf_putc(out, ']');
}

static void put_ledger(struct pgc_buf *out, const struct pgc_migrate *m) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
    if (m->foreign != NULL)
        pgc_buf_putf(&name, "%s.%s", m->found.place.schema, m->found.place.table);
    else
        pgc_buf_putf(&name, "%s.migrations", m->native.schema);
    put_more(out, "ledger", m->conn != NULL ? name.data : NULL);
}

void migrate_warn(struct migrate_job *job) {
    for (size_t i = 0; i < job->plan.problem_count; i++) {
        if (!job->plan.problems[i].fatal)
            pgc_log(job->cli->rt, PGC_LOG_WARN, "migrate.warning", job->plan.problems[i].message);
    }
    for (size_t i = 0; i < job->migrate.set.ignored.count; i++)
        pgc_log(job->cli->rt, PGC_LOG_WARN, "migrate.ignored", "the name of a file says that it is no migration",
                PGC_LOG_TEXT("path", job->migrate.set.ignored.items[i]));
}

/* How a step runs: what the lexer finds in its script. */
static enum pgc_code put_shape(struct pgc_buf *out, bool json, const struct pgc_plan_step *step,
                               struct pgc_error *err) {
    static const char *const modes[] = { "transaction", "statements", "psql" };
    const struct pgc_migration_script *script = pgc_plan_step_script(step);
    PGC_CLEANUP(pgc_shape_release) struct pgc_shape shape = PGC_SHAPE_INIT;
    if (script == NULL || script->text == NULL)
        return PGC_OK;
    enum pgc_code code = pgc_shape_read(&shape, script, err);
    if (code != PGC_OK)
        return code;
    if (json) {
        pgc_buf_putf(out, ",\"mode\":\"%s\",\"transaction\":%s,\"statements\":%zu", modes[shape.mode],
                     shape.outside ? "false" : "true", shape.count);
        put_more(out, "why", shape.why[0] != '\0' ? shape.why : NULL);
    } else if (shape.outside) {
        pgc_buf_putf(out, "  [no transaction: %s]", shape.why);
    }
    return code;
}

static enum pgc_code put_steps_text(struct pgc_buf *out, const struct pgc_plan *plan, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < plan->step_count; i++) {
        const struct pgc_plan_step *step = &plan->steps[i];
        pgc_buf_putf(out, "%-8s %s", pgc_plan_action_name(step->action),
                     step->migration != NULL ? step->migration->file : step->row->version);
        code = put_shape(out, false, step, err);
        pgc_buf_putc(out, '\n');
    }
    if (plan->step_count == 0)
        pgc_buf_puts(out, "nothing to do\n");
    return code;
}

static enum pgc_code put_steps_json(struct pgc_buf *out, const struct migrate_job *job, struct pgc_error *err) {
    const struct pgc_plan *plan = &job->plan;
    enum pgc_code code = PGC_OK;
    pgc_buf_putc(out, '{');
    migrate_put_text(out, "format", job->migrate.dialect->name);
    put_ledger(out, &job->migrate);
    put_more(out, "current", plan->current);
    pgc_buf_putf(out, ",\"pending\":%zu,\"count\":%zu,\"dry_run\":true,\"steps\":[", plan->pending, plan->step_count);
    for (size_t i = 0; code == PGC_OK && i < plan->step_count; i++) {
        const struct pgc_plan_step *step = &plan->steps[i];
        pgc_buf_puts(out, i > 0 ? ",{" : "{");
        migrate_put_step(out, step);
        if (step->migration != NULL)
            put_more(out, "kind", kind_name(step->migration));
        code = put_shape(out, true, step, err);
        pgc_buf_putc(out, '}');
    }
    pgc_buf_putc(out, ']');
    put_problems(out, plan);
    pgc_buf_put(out, job->more.data, job->more.len);
    pgc_buf_puts(out, "}\n");
    return code;
}

enum pgc_code migrate_report_plan(struct migrate_job *job, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    enum pgc_code code = job->settings->json ? put_steps_json(&out, job, err) : put_steps_text(&out, &job->plan, err);
    if (code == PGC_OK)
        code = pgc_buf_check(&out, err);
    if (code == PGC_OK)
        fputs(out.data, job->cli->out);
    return code;
}

/* --- status ------------------------------------------------------------------------------------------------------- */

static void put_entry(struct pgc_buf *out, const struct pgc_plan_entry *entry) {
    const struct pgc_migration *m = entry->migration;
    const struct pgc_ledger_row *row = entry->row;
    migrate_put_text(out, "version", m != NULL ? m->version : row->version);
    put_more(out, "name", m != NULL ? m->name : row->name);
    put_more(out, "file", m != NULL ? m->file : row->file);
    put_more(out, "kind", m != NULL ? kind_name(m) : row->version == NULL ? "repeatable" : "versioned");
    put_more(out, "state", pgc_plan_state_name(entry->state));
    put_more(out, "applied_at", row != NULL ? row->applied_at : NULL);
    put_more(out, "applied_by", row != NULL ? row->who : NULL);
    if (row != NULL && row->duration_ms >= 0)
        pgc_buf_putf(out, ",\"duration_ms\":%lld", (long long)row->duration_ms);
    else
        pgc_buf_puts(out, ",\"duration_ms\":null");
    put_more(out, "checksum", m != NULL ? m->checksum : row->checksum);
    if (entry->state == PGC_STATE_INCOMPLETE) {
        pgc_buf_putf(out, ",\"statements_done\":%zu,\"in_flight\":%s", row->done, row->in_flight ? "true" : "false");
        put_more(out, "error", row->error);
    }
}

static void put_line(struct pgc_buf *out, const struct pgc_plan_entry *entry) {
    const struct pgc_ledger_row *row = entry->row;
    const char *name = entry->migration != NULL ? entry->migration->file
                       : row->file != NULL      ? row->file
                       : row->name != NULL      ? row->name
                                                : row->version;
    pgc_buf_putf(out, "%-13s %s", pgc_plan_state_name(entry->state), name);
    if (row != NULL && row->applied_at != NULL)
        pgc_buf_putf(out, "  %.19sZ", row->applied_at);
    if (entry->state == PGC_STATE_INCOMPLETE)
        pgc_buf_putf(out, "  %zu statements done%s%s%s", row->done,
                     row->in_flight ? "; the next one was started and did not finish" : "",
                     row->error != NULL ? "; " : "", row->error != NULL ? row->error : "");
    pgc_buf_putc(out, '\n');
}

enum pgc_code migrate_report_status(struct migrate_job *job, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    const struct pgc_plan *plan = &job->plan;
    size_t applied = 0;
    for (size_t i = 0; i < plan->entry_count; i++)
        applied += plan->entries[i].state == PGC_STATE_APPLIED || plan->entries[i].state == PGC_STATE_CHANGED ||
                   plan->entries[i].state == PGC_STATE_OUTDATED || plan->entries[i].state == PGC_STATE_MISSING;
    if (job->settings->json) {
        pgc_buf_putc(&out, '{');
        migrate_put_text(&out, "format", job->migrate.dialect->name);
        put_ledger(&out, &job->migrate);
        put_more(&out, "current", plan->current);
        pgc_buf_putf(&out, ",\"applied\":%zu,\"pending\":%zu,\"migrations\":[", applied, plan->pending);
    }
    for (size_t i = 0; i < plan->entry_count; i++) {
        if (!job->settings->json) {
            put_line(&out, &plan->entries[i]);
            continue;
        }
        pgc_buf_puts(&out, i > 0 ? ",{" : "{");
        put_entry(&out, &plan->entries[i]);
        pgc_buf_putc(&out, '}');
    }
    if (job->settings->json) {
        pgc_buf_putc(&out, ']');
        put_problems(&out, plan);
        pgc_buf_puts(&out, "}\n");
    } else {
        pgc_buf_putf(&out, "%zu applied, %zu pending\n", applied, plan->pending);
    }
    enum pgc_code code = pgc_buf_check(&out, err);
    if (code == PGC_OK)
        fputs(out.data, job->cli->out);
    return code;
}
