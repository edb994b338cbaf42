#include "backup/agenda.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/parse.h"

#define DEFAULT_GRACE_S 3600

void pgc_agenda_release(struct pgc_agenda *agenda) {
    for (size_t i = 0; i < agenda->count; i++) {
        struct pgc_agenda_job *job = &agenda->jobs[i];
        free(job->name);
        free(job->schedule);
        free(job->timezone);
        free(job->command);
        pgc_strings_release(&job->args);
        pgc_strings_release(&job->prune);
        pgc_zone_free(job->zone);
    }
    free(agenda->jobs);
    *agenda = (struct pgc_agenda)PGC_AGENDA_INIT;
}

/* --- configuration ---------------------------------------------------------------------------------- */

static enum pgc_code add_job(struct pgc_agenda *agenda, const char *name, const char *schedule, const char *timezone,
                             const char *command, struct pgc_agenda_job **out, struct pgc_error *err) {
    if (!pgc_array_grow(&agenda->jobs, &agenda->cap, agenda->count + 1, sizeof *agenda->jobs))
        return pgc_fail_nomem(err);
    struct pgc_agenda_job *job = &agenda->jobs[agenda->count++];
    *job = (struct pgc_agenda_job) { .name = strdup(name),
                                     .schedule = strdup(schedule),
                                     .command = strdup(command),
                                     .catch_up = true,
                                     .grace_s = DEFAULT_GRACE_S };
    if (job->name == NULL || job->schedule == NULL || job->command == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = pgc_cron_parse(schedule, &job->cron, err);
    if (code == PGC_OK) {
        const char *zone = job->cron.zone[0] != '\0' ? job->cron.zone : timezone;
        job->timezone = strdup(zone != NULL && zone[0] != '\0' ? zone : "UTC");
        code = job->timezone != NULL ? pgc_zone_open(job->timezone, &job->zone, err) : pgc_fail_nomem(err);
    }
    *out = job;
    return code;
}

static enum pgc_code take_list(const struct pgc_json *node, struct pgc_strings *out, struct pgc_error *err) {
    if (pgc_json_kind(node) != PGC_JSON_ARRAY)
        return pgc_fail(err, PGC_E_CONFIG, "is not a list of texts");
    for (size_t i = 0; i < pgc_json_count(node); i++) {
        const char *text = pgc_json_text(pgc_json_at(node, i));
        if (text == NULL)
            return pgc_fail(err, PGC_E_CONFIG, "is not a list of texts");
        enum pgc_code code = pgc_strings_add(out, text, err);
        if (code != PGC_OK)
            return code;
    }
    return PGC_OK;
}

static enum pgc_code take_duration(const struct pgc_json *node, int64_t *seconds, struct pgc_error *err) {
    const char *text = pgc_json_text(node);
    int64_t ms = 0;
    if (text == NULL)
        return pgc_fail(err, PGC_E_CONFIG, "is not a duration such as \"5m\"");
    enum pgc_code code = pgc_parse_duration_ms(text, &ms, err);
    *seconds = ms / 1000;
    return code;
}

static enum pgc_code take_flag(const struct pgc_json *node, bool *flag, struct pgc_error *err) {
    if (pgc_json_kind(node) != PGC_JSON_BOOL)
        return pgc_fail(err, PGC_E_CONFIG, "is neither true nor false");
    *flag = pgc_json_is_true(node);
    return PGC_OK;
}

static bool is_text_member(const char *key) {
    static const char *const keys[] = { "name", "schedule", "timezone", "command" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

static enum pgc_code take_member(struct pgc_agenda_job *job, const char *key, const struct pgc_json *value,
                                 int64_t *jitter_s, struct pgc_error *err) {
    if (strcmp(key, "args") == 0)
        return take_list(value, &job->args, err);
    if (strcmp(key, "prune") == 0) {
        job->prunes = true;
        return take_list(value, &job->prune, err);
    }
    if (strcmp(key, "jitter") == 0)
        return take_duration(value, jitter_s, err);
    if (strcmp(key, "grace") == 0)
        return take_duration(value, &job->grace_s, err);
    if (strcmp(key, "max_age") == 0)
        return take_duration(value, &job->max_age_s, err);
    if (strcmp(key, "run_on_start") == 0)
        return take_flag(value, &job->run_on_start, err);
    if (strcmp(key, "catch_up") == 0)
        return take_flag(value, &job->catch_up, err);
    if (is_text_member(key))
        return pgc_json_text(value) != NULL ? PGC_OK : pgc_fail(err, PGC_E_CONFIG, "is not a text");
    return pgc_fail(err, PGC_E_CONFIG, "is not known");
}

static enum pgc_code parse_job(const struct pgc_json *node, const char *host, struct pgc_agenda *out,
                               struct pgc_error *err) {
    const char *name = pgc_json_text(pgc_json_get(node, "name")),
               *schedule = pgc_json_text(pgc_json_get(node, "schedule"));
    const char *command = pgc_json_text(pgc_json_get(node, "command"));
    struct pgc_agenda_job *job;
    if (name == NULL || name[0] == '\0' || schedule == NULL)
        return pgc_fail(err, PGC_E_CONFIG, "job %zu has no \"%s\"", out->count + 1,
                        name == NULL || name[0] == '\0' ? "name" : "schedule");
    for (size_t i = 0; i < out->count; i++)
        if (strcmp(out->jobs[i].name, name) == 0)
            return pgc_fail(err, PGC_E_CONFIG, "two jobs are named '%s'", name);
    enum pgc_code code = add_job(out, name, schedule, pgc_json_text(pgc_json_get(node, "timezone")),
                                 command != NULL ? command : "run", &job, err);
    if (code != PGC_OK)
        return err->code = pgc_wrap(err, "job '%s'", name) == PGC_E_NOMEM ? PGC_E_NOMEM : PGC_E_CONFIG;
    struct pgc_json_iter member = { 0 };
    int64_t jitter_s = 0;
    while (code == PGC_OK && pgc_json_next(node, &member)) {
        code = take_member(job, member.key, member.value, &jitter_s, err);
        if (code != PGC_OK) {
            pgc_wrap(err, "job '%s': \"%s\"", name, member.key);
            return err->code = PGC_E_CONFIG;
        }
    }
    job->jitter_s = pgc_cron_jitter_s(host, name, jitter_s);
    return code;
}

enum pgc_code pgc_agenda_parse(const char *text, size_t len, const char *host, struct pgc_agenda *out,
                               struct pgc_error *err) {
    PGC_AUTO(pgc_json_free) struct pgc_json *doc = NULL;
    enum pgc_code code = pgc_json_parse(text, len, &doc, err);
    if (code != PGC_OK)
        return err->code = PGC_E_CONFIG;
    const struct pgc_json *jobs = pgc_json_get(doc, "jobs");
    if (pgc_json_kind(jobs) != PGC_JSON_ARRAY || pgc_json_count(jobs) == 0)
        return pgc_fail(err, PGC_E_CONFIG, "there is no list \"jobs\" with a job in it");
    for (size_t i = 0; code == PGC_OK && i < pgc_json_count(jobs); i++)
        code = parse_job(pgc_json_at(jobs, i), host, out, err);
    return code;
}

enum pgc_code pgc_agenda_single(const char *schedule, const char *timezone, int64_t jitter_s, const char *host,
                                struct pgc_agenda *out, struct pgc_error *err) {
    struct pgc_agenda_job *job;
    enum pgc_code code = add_job(out, "backup", schedule, timezone, "run", &job, err);
    if (code == PGC_OK)
        job->jitter_s = pgc_cron_jitter_s(host, "backup", jitter_s);
    return code;
}

/* --- time ------------------------------------------------------------------------------------------- */

/* The jitter belongs to the activation, so the search begins that much earlier. */
static bool activation_after(const struct pgc_agenda_job *job, int64_t after_s, int64_t *at_s) {
    if (!pgc_cron_next(&job->cron, job->zone, after_s - job->jitter_s, at_s))
        return false;
    *at_s += job->jitter_s;
    return true;
}

void pgc_agenda_plan(struct pgc_agenda_job *job, int64_t now_s) {
    if (!activation_after(job, now_s, &job->next_s))
        job->next_s = 0;
}

bool pgc_agenda_missed(const struct pgc_agenda_job *job, int64_t now_s) {
    int64_t due_s;
    return job->last_success_s > 0 && activation_after(job, job->last_success_s, &due_s) && due_s < now_s;
}

bool pgc_agenda_healthy(const struct pgc_agenda_job *job, int64_t now_s) {
    int64_t since_s = job->last_success_s > 0 ? job->last_success_s : job->started_s, due_s;
    if (job->max_age_s > 0)
        return now_s <= since_s + job->max_age_s;
    return !activation_after(job, since_s, &due_s) || now_s <= due_s + job->grace_s;
}

void pgc_agenda_ended(struct pgc_agenda_job *job, int64_t now_s, bool success, uint64_t bytes, uint64_t raw_bytes,
                      const char *error) {
    job->running = false;
    job->last_end_s = now_s;
    job->last_outcome = success ? PGC_AGENDA_SUCCESS : PGC_AGENDA_FAILURE;
    snprintf(job->last_error, sizeof job->last_error, "%s", success ? "" : error);
    job->successes += success;
    job->failures += !success;
    if (success) {
        job->last_success_s = now_s;
        job->last_bytes = bytes;
        job->last_raw_bytes = raw_bytes;
    }
    if (job->history_count == PGC_AGENDA_HISTORY)
        memmove(job->history, job->history + 1, (--job->history_count) * sizeof job->history[0]);
    job->history[job->history_count++] = (struct pgc_agenda_point) { now_s, bytes, success };
}

void pgc_agenda_take_over(struct pgc_agenda *fresh, const struct pgc_agenda *old) {
    for (size_t i = 0; i < fresh->count; i++)
        for (size_t j = 0; j < old->count; j++) {
            struct pgc_agenda_job *to = &fresh->jobs[i];
            const struct pgc_agenda_job *from = &old->jobs[j];
            if (strcmp(to->name, from->name) != 0)
                continue;
            size_t state = offsetof(struct pgc_agenda_job, started_s);
            memcpy((char *)to + state, (const char *)from + state, sizeof *to - state);
        }
}
