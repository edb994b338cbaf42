#include "backup/metrics.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What a metric is of; the word in its name. */
enum kind { KIND_BACKUP, KIND_VERIFY, KIND_TASK, KINDS };
static const char *const prefixes[KINDS] = { "pgc_backup_", "pgc_backup_verify_", "pgc_backup_task_" };
static const char *const nouns[KINDS] = { "backup", "verification", "run" };

static enum kind kind_of(const struct pgc_agenda_job *job) {
    return pgc_agenda_is_backup(job) ? KIND_BACKUP : pgc_agenda_is_verify(job) ? KIND_VERIFY : KIND_TASK;
}

enum source { SOURCE_SECONDS, SOURCE_MS, SOURCE_BYTES, SOURCE_FLAG, SOURCE_HEALTH };
/* What a single run knows too: always, or only of a success. */
enum once { ONCE_NEVER, ONCE_SUCCESS, ONCE_ALWAYS };

#define OF_ALL    (1 << KIND_BACKUP | 1 << KIND_VERIFY | 1 << KIND_TASK)
#define AT(field) offsetof(struct pgc_agenda_job, field)

static const struct gauge {
    const char *name, *help; /* %s: backup, verification */
    enum source source;
    size_t offset;
    enum once once;
    int of;
} gauges[] = {
    { "last_success_timestamp_seconds", "End of the last %s that succeeded.", SOURCE_SECONDS, AT(last_success_s),
      ONCE_SUCCESS, OF_ALL },
    { "last_attempt_timestamp_seconds", "Start of the last %s.", SOURCE_SECONDS, AT(last_start_s), ONCE_ALWAYS,
      OF_ALL },
    { "next_run_timestamp_seconds", "When the next %s is due.", SOURCE_SECONDS, AT(next_s), ONCE_NEVER, OF_ALL },
    { "last_duration_seconds", "How long the last %s took.", SOURCE_MS, AT(last_duration_ms), ONCE_ALWAYS, OF_ALL },
    { "last_size_bytes", "Stored bytes of the last %s that succeeded.", SOURCE_BYTES, AT(last_bytes), ONCE_SUCCESS,
      1 << KIND_BACKUP },
    { "running", "1 during a %s.", SOURCE_FLAG, AT(running), ONCE_NEVER, OF_ALL },
    { "healthy", "0 when the last %s that succeeded is older than schedule and grace allow, or damage was found.",
      SOURCE_HEALTH, 0, ONCE_NEVER, OF_ALL },
};
#define GAUGES (sizeof gauges / sizeof gauges[0])

/* --- samples ---------------------------------------------------------------------------------------- */

static void put_label(struct pgc_buf *out, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '\\' || *text == '"')
            pgc_buf_putc(out, '\\');
        if (*text == '\n')
            pgc_buf_puts(out, "\\n");
        else
            pgc_buf_putc(out, *text);
    }
}

static void put_head(struct pgc_buf *out, enum kind kind, const char *name, const char *help, const char *type) {
    pgc_buf_putf(out, "# HELP %s%s ", prefixes[kind], name);
    const char *mark = strstr(help, "%s");
    if (mark != NULL)
        pgc_buf_putf(out, "%.*s%s%s", (int)(mark - help), help, nouns[kind], mark + 2);
    else
        pgc_buf_puts(out, help);
    pgc_buf_putf(out, "\n# TYPE %s%s %s\n", prefixes[kind], name, type);
}

/* NAME{job_name="app" */
static void put_name(struct pgc_buf *out, enum kind kind, const char *name, const struct pgc_agenda_job *job) {
    pgc_buf_putf(out, "%s%s{job_name=\"", prefixes[kind], name);
    put_label(out, job->subject);
    pgc_buf_putc(out, '"');
}

static void put_value(struct pgc_buf *out, const struct pgc_agenda_job *job, const struct gauge *g, int64_t now_s) {
    const void *slot = (const char *)job + g->offset;
    switch (g->source) {
    case SOURCE_SECONDS:
        pgc_buf_putf(out, "} %" PRId64 "\n", *(const int64_t *)slot);
        break;
    case SOURCE_MS:
        pgc_buf_putf(out, "} %.3f\n", (double)*(const int64_t *)slot / 1000);
        break;
    case SOURCE_BYTES:
        pgc_buf_putf(out, "} %" PRIu64 "\n", *(const uint64_t *)slot);
        break;
    case SOURCE_FLAG:
        pgc_buf_putf(out, "} %d\n", *(const bool *)slot);
        break;
    case SOURCE_HEALTH:
        pgc_buf_putf(out, "} %d\n", pgc_agenda_healthy(job, now_s));
        break;
    }
}

static void put_gauge(struct pgc_buf *out, const struct gauge *g, const struct pgc_agenda_job *job, int64_t now_s) {
    put_name(out, kind_of(job), g->name, job);
    put_value(out, job, g, now_s);
}

static const char *const results[] = { "success", "failure", "skipped" };

static uint64_t *count_of(struct pgc_agenda_job *job, size_t result) {
    return result == 0 ? &job->successes : result == 1 ? &job->failures : &job->skipped;
}

static void put_runs(struct pgc_buf *out, const struct pgc_agenda_job *job) {
    for (size_t r = 0; r < 3; r++) {
        put_name(out, kind_of(job), "runs_total", job);
        pgc_buf_putf(out, ",result=\"%s\"} %" PRIu64 "\n", results[r],
                     *count_of((struct pgc_agenda_job *)(size_t)job, r));
    }
}

/* A job says when its backups were verified; a verification that is a job of its own says it for itself. */
static bool says_verified(const struct pgc_agenda_job *job) {
    return pgc_agenda_is_backup(job) || (pgc_agenda_is_verify(job) && !pgc_agenda_is_proof(job));
}

static const struct gauge verified = { "verified_timestamp_seconds",
                                       "End of the last verification that proved backups of the job.",
                                       SOURCE_SECONDS,
                                       AT(verified_s),
                                       ONCE_SUCCESS,
                                       0 };

static void put_verified(struct pgc_buf *out, const struct pgc_agenda_job *job) {
    put_name(out, KIND_BACKUP, verified.name, job);
    put_value(out, job, &verified, 0);
}

static void put_build(struct pgc_buf *out, const char *version) {
    pgc_buf_puts(out, "# HELP pgc_build_info Version of pgc.\n# TYPE pgc_build_info gauge\npgc_build_info{version=\"");
    put_label(out, version);
    pgc_buf_puts(out, "\"} 1\n");
}

/* --- texts ------------------------------------------------------------------------------------------ */

static bool has_kind(const struct pgc_agenda *agenda, enum kind kind) {
    for (size_t i = 0; i < agenda->count; i++)
        if (kind_of(&agenda->jobs[i]) == kind)
            return true;
    return false;
}

static void write_kind(struct pgc_buf *out, const struct pgc_agenda *agenda, enum kind kind, int64_t now_s) {
    for (size_t g = 0; g < GAUGES; g++) {
        if ((gauges[g].of & 1 << kind) == 0)
            continue;
        put_head(out, kind, gauges[g].name, gauges[g].help, "gauge");
        for (size_t i = 0; i < agenda->count; i++)
            if (kind_of(&agenda->jobs[i]) == kind)
                put_gauge(out, &gauges[g], &agenda->jobs[i], now_s);
    }
    put_head(out, kind, "runs_total", "Number of %ss by result.", "counter");
    for (size_t i = 0; i < agenda->count; i++)
        if (kind_of(&agenda->jobs[i]) == kind)
            put_runs(out, &agenda->jobs[i]);
}

void pgc_metrics_write(struct pgc_buf *out, const struct pgc_agenda *agenda, const char *version, int64_t now_s) {
    for (int kind = 0; kind < KINDS; kind++)
        if (has_kind(agenda, (enum kind)kind))
            write_kind(out, agenda, (enum kind)kind, now_s);
    put_head(out, KIND_BACKUP, verified.name, verified.help, "gauge");
    for (size_t i = 0; i < agenda->count; i++)
        if (says_verified(&agenda->jobs[i]))
            put_verified(out, &agenda->jobs[i]);
    put_build(out, version);
}

void pgc_metrics_write_once(struct pgc_buf *out, const struct pgc_agenda_job *job, const char *version) {
    enum kind kind = kind_of(job);
    for (size_t g = 0; g < GAUGES; g++) {
        if (gauges[g].once == ONCE_NEVER || (gauges[g].of & 1 << kind) == 0 ||
            (gauges[g].once == ONCE_SUCCESS && job->last_success_s == 0))
            continue;
        put_head(out, kind, gauges[g].name, gauges[g].help, "gauge");
        put_gauge(out, &gauges[g], job, 0);
    }
    if (kind == KIND_VERIFY && job->verified_s > 0) {
        put_head(out, KIND_BACKUP, verified.name, verified.help, "gauge");
        put_verified(out, job);
    }
    if (job->successes + job->failures > 0) {
        put_head(out, kind, "runs_total", "Number of %ss by result.", "counter");
        put_runs(out, job);
    }
    put_build(out, version);
}

/* --- reading ---------------------------------------------------------------------------------------- */

/* The value of a sample of this name that has all of these labels, in whatever order; false: there is none. */
static bool find_sample(const char *text, const char *name, const char *const labels[3], double *value) {
    size_t len = strlen(name);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += line[0] == '\n';
        size_t end = strcspn(line, "\n");
        if (strncmp(line, name, len) != 0 || line[len] != '{')
            continue;
        bool fits = true;
        for (size_t i = 0; i < 3 && fits; i++)
            fits = memmem(line, end, labels[i], strlen(labels[i])) != NULL;
        const char *blank = fits ? memrchr(line, ' ', end) : NULL;
        if (blank == NULL)
            continue;
        *value = strtod(blank + 1, NULL);
        return true;
    }
    return false;
}

void pgc_metrics_reread(const char *text, const char *also, struct pgc_agenda_job *job) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf label = PGC_BUF_INIT, name = PGC_BUF_INIT, result = PGC_BUF_INIT;
    enum kind kind = kind_of(job);
    double value;
    pgc_buf_puts(&label, "job_name=\"");
    put_label(&label, job->subject);
    pgc_buf_putc(&label, '"');
    for (size_t g = 0; g < GAUGES; g++) {
        pgc_buf_clear(&name);
        pgc_buf_putf(&name, "%s%s", prefixes[kind], gauges[g].name);
        if (gauges[g].once == ONCE_SUCCESS &&
            find_sample(text, name.data, (const char *const[]) { label.data, also, "" }, &value))
            *(int64_t *)(void *)((char *)job + gauges[g].offset) = (int64_t)value;
    }
    if (kind == KIND_VERIFY)
        job->verified_s = job->last_success_s;
    pgc_buf_clear(&name);
    pgc_buf_putf(&name, "%sruns_total", prefixes[kind]);
    for (size_t r = 0; r < 3; r++) {
        pgc_buf_clear(&result);
        pgc_buf_putf(&result, "result=\"%s\"", results[r]);
        if (find_sample(text, name.data, (const char *const[]) { label.data, also, result.data }, &value))
            *count_of(job, r) = (uint64_t)value;
    }
}
