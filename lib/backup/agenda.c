#include "backup/agenda.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/parse.h"

#define DEFAULT_GRACE_S 3600

static void job_release(struct pgc_agenda_job *job) {
    free(job->name);
    free(job->schedule);
    free(job->timezone);
    free(job->command);
    free(job->subject);
    pgc_strings_release(&job->args);
    pgc_strings_release(&job->prune);
    pgc_strings_release(&job->environment);
    pgc_strings_release(&job->prune_environment);
    pgc_strings_release(&job->place.stores);
    pgc_strings_release(&job->place.databases);
    free(job->place.cluster);
    pgc_zone_free(job->zone);
}

void pgc_agenda_release(struct pgc_agenda *agenda) {
    for (size_t i = 0; i < agenda->count; i++)
        job_release(&agenda->jobs[i]);
    free(agenda->jobs);
    *agenda = (struct pgc_agenda)PGC_AGENDA_INIT;
}

bool pgc_agenda_is_backup(const struct pgc_agenda_job *job) {
    return strcmp(job->command, "run") == 0;
}

bool pgc_agenda_is_verify(const struct pgc_agenda_job *job) {
    return strcmp(job->command, "verify") == 0;
}

bool pgc_agenda_is_proof(const struct pgc_agenda_job *job) {
    return strcmp(job->name, job->subject) != 0;
}

struct pgc_agenda_job *pgc_agenda_find(const struct pgc_agenda *agenda, const char *name) {
    for (size_t i = 0; i < agenda->count; i++)
        if (strcmp(agenda->jobs[i].name, name) == 0)
            return &agenda->jobs[i];
    return NULL;
}

/* --- configuration ---------------------------------------------------------------------------------- */

struct head {
    const char *name, *subject, *schedule, *timezone, *command;
};

static enum pgc_code add_job(struct pgc_agenda *agenda, const struct head *head, struct pgc_agenda_job **out,
                             struct pgc_error *err) {
    if (pgc_agenda_find(agenda, head->name) != NULL)
        return pgc_fail(err, PGC_E_CONFIG, "two jobs have this name");
    if (!pgc_array_grow(&agenda->jobs, &agenda->cap, agenda->count + 1, sizeof *agenda->jobs))
        return pgc_fail_nomem(err);
    struct pgc_agenda_job *job = &agenda->jobs[agenda->count++];
    *job = (struct pgc_agenda_job) { .name = strdup(head->name),
                                     .subject = strdup(head->subject),
                                     .schedule = strdup(head->schedule),
                                     .command = strdup(head->command),
                                     .catch_up = true,
                                     .grace_s = DEFAULT_GRACE_S };
    if (job->name == NULL || job->subject == NULL || job->schedule == NULL || job->command == NULL)
        return pgc_fail_nomem(err);
    enum pgc_code code = pgc_cron_parse(head->schedule, &job->cron, err);
    if (code == PGC_OK) {
        const char *zone = job->cron.zone[0] != '\0' ? job->cron.zone : head->timezone;
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

static enum pgc_code take_environment(const struct pgc_json *node, struct pgc_strings *out, struct pgc_error *err) {
    struct pgc_json_iter member = { 0 };
    enum pgc_code code = PGC_OK;
    if (pgc_json_kind(node) != PGC_JSON_OBJECT)
        return pgc_fail(err, PGC_E_CONFIG, "is not an object of texts");
    while (code == PGC_OK && pgc_json_next(node, &member)) {
        const char *text = pgc_json_text(member.value);
        if (member.key[0] == '\0' || strchr(member.key, '=') != NULL)
            return pgc_fail(err, PGC_E_CONFIG, "'%s' is no name of a variable", member.key);
        if (text == NULL && pgc_json_kind(member.value) != PGC_JSON_NULL)
            return pgc_fail(err, PGC_E_CONFIG, "'%s' is neither a text nor null", member.key);
        code = text != NULL ? pgc_strings_addf(out, err, "%s=%s", member.key, text)
                            : pgc_strings_add(out, member.key, err);
    }
    return code;
}

/* Level and the members that are read before the job is made are texts and numbers of their own. */
static enum pgc_code take_level(struct pgc_agenda_job *job, const struct pgc_json *value, struct pgc_error *err) {
    int64_t level = pgc_json_int(value, 0);
    if (level != 1 && level != 2)
        return pgc_fail(err, PGC_E_CONFIG, "is neither 1 nor 2");
    job->level = (int)level;
    return PGC_OK;
}

enum member_kind { MEMBER_TEXT, MEMBER_LIST, MEMBER_DURATION, MEMBER_FLAG, MEMBER_VARIABLES, MEMBER_LEVEL, MEMBER_JOB };
enum member_of { OF_JOB = 1, OF_VERIFY = 2, OF_BOTH = 3 };
#define AT(field) offsetof(struct pgc_agenda_job, field)

static const struct member {
    const char *key;
    enum member_kind kind;
    size_t offset;
    enum member_of of;
} members[] = {
    { "name", MEMBER_TEXT, 0, OF_JOB },
    { "schedule", MEMBER_TEXT, 0, OF_BOTH },
    { "timezone", MEMBER_TEXT, 0, OF_BOTH },
    { "command", MEMBER_TEXT, 0, OF_JOB },
    { "args", MEMBER_LIST, AT(args), OF_BOTH },
    { "prune", MEMBER_LIST, AT(prune), OF_JOB },
    { "jitter", MEMBER_DURATION, AT(jitter_s), OF_BOTH },
    { "grace", MEMBER_DURATION, AT(grace_s), OF_BOTH },
    { "max_age", MEMBER_DURATION, AT(max_age_s), OF_BOTH },
    { "run_on_start", MEMBER_FLAG, AT(run_on_start), OF_BOTH },
    { "catch_up", MEMBER_FLAG, AT(catch_up), OF_BOTH },
    { "environment", MEMBER_VARIABLES, AT(environment), OF_BOTH },
    { "prune_environment", MEMBER_VARIABLES, AT(prune_environment), OF_JOB },
    { "level", MEMBER_LEVEL, 0, OF_VERIFY },
    { "verify", MEMBER_JOB, 0, OF_JOB },
};

static enum pgc_code take_member(struct pgc_agenda_job *job, const struct member *m, const struct pgc_json *value,
                                 struct pgc_error *err) {
    void *slot = (char *)job + m->offset;
    switch (m->kind) {
    case MEMBER_TEXT:
        return pgc_json_text(value) != NULL ? PGC_OK : pgc_fail(err, PGC_E_CONFIG, "is not a text");
    case MEMBER_LIST:
        return take_list(value, slot, err);
    case MEMBER_DURATION:
        return take_duration(value, slot, err);
    case MEMBER_FLAG:
        return take_flag(value, slot, err);
    case MEMBER_VARIABLES:
        return take_environment(value, slot, err);
    case MEMBER_LEVEL:
        return take_level(job, value, err);
    case MEMBER_JOB:
        return pgc_json_kind(value) == PGC_JSON_OBJECT ? PGC_OK : pgc_fail(err, PGC_E_CONFIG, "is not an object");
    }
    return PGC_OK;
}

static const struct member *find_member(const char *key, enum member_of of) {
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (strcmp(members[i].key, key) == 0 && (members[i].of & of) != 0)
            return &members[i];
    return NULL;
}

static enum pgc_code take_members(struct pgc_agenda_job *job, const struct pgc_json *node, enum member_of of,
                                  const char *host, struct pgc_error *err) {
    struct pgc_json_iter member = { 0 };
    while (pgc_json_next(node, &member)) {
        const struct member *known = find_member(member.key, of);
        enum pgc_code code =
            known != NULL ? take_member(job, known, member.value, err) : pgc_fail(err, PGC_E_CONFIG, "is not known");
        if (code != PGC_OK)
            return pgc_wrap(err, "\"%s\"", member.key);
    }
    job->prunes = pgc_json_get(node, "prune") != NULL;
    job->jitter_s = pgc_cron_jitter_s(host, job->name, job->jitter_s);
    return PGC_OK;
}

/* "verify" of the job at `at`: a job of its own, with the environment of the other before its own. */
static enum pgc_code parse_verify(const struct pgc_json *node, size_t at, const char *host, struct pgc_agenda *out,
                                  struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf name = PGC_BUF_INIT;
    const char *schedule = pgc_json_text(pgc_json_get(node, "schedule")),
               *zone = pgc_json_text(pgc_json_get(node, "timezone"));
    const struct pgc_agenda_job *of = &out->jobs[at];
    struct pgc_agenda_job *job;
    if (!pgc_agenda_is_backup(of))
        return pgc_fail(err, PGC_E_CONFIG, "is for jobs that back up");
    if (schedule == NULL)
        return pgc_fail(err, PGC_E_CONFIG, "has no \"schedule\"");
    pgc_buf_putf(&name, "%s:verify", of->name);
    struct head head = { name.data, of->name, schedule, zone != NULL ? zone : of->timezone, "verify" };
    enum pgc_code code = pgc_buf_check(&name, err);
    if (code == PGC_OK)
        code = add_job(out, &head, &job, err);
    of = &out->jobs[at];
    if (code == PGC_OK)
        job->level = 1;
    for (size_t i = 0; code == PGC_OK && i < of->environment.count; i++)
        code = pgc_strings_add(&job->environment, of->environment.items[i], err);
    return code == PGC_OK ? take_members(job, node, OF_VERIFY, host, err) : code;
}

static enum pgc_code parse_job(const struct pgc_json *node, const char *host, struct pgc_agenda *out,
                               struct pgc_error *err) {
    const char *name = pgc_json_text(pgc_json_get(node, "name")),
               *schedule = pgc_json_text(pgc_json_get(node, "schedule"));
    const char *command = pgc_json_text(pgc_json_get(node, "command"));
    const struct pgc_json *verify = pgc_json_get(node, "verify");
    struct pgc_agenda_job *job;
    size_t at = out->count;
    if (name == NULL || name[0] == '\0' || schedule == NULL)
        return pgc_fail(err, PGC_E_CONFIG, "job %zu has no \"%s\"", out->count + 1,
                        name == NULL || name[0] == '\0' ? "name" : "schedule");
    struct head head = { name, name, schedule, pgc_json_text(pgc_json_get(node, "timezone")),
                         command != NULL ? command : "run" };
    enum pgc_code code = add_job(out, &head, &job, err);
    if (code == PGC_OK)
        code = take_members(job, node, OF_JOB, host, err);
    if (code == PGC_OK && verify != NULL) {
        code = parse_verify(verify, at, host, out, err);
        if (code != PGC_OK)
            pgc_wrap(err, "\"verify\"");
    }
    if (code == PGC_OK)
        return PGC_OK;
    pgc_wrap(err, "job '%s'", name);
    return err->code = code == PGC_E_NOMEM ? code : PGC_E_CONFIG;
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

enum pgc_code pgc_agenda_single(const struct pgc_agenda_setting *setting, const char *host, struct pgc_agenda *out,
                                struct pgc_error *err) {
    struct pgc_agenda_job *job;
    struct head head = { "backup", "backup", setting->schedule, setting->timezone, "run" };
    enum pgc_code code = add_job(out, &head, &job, err);
    if (code != PGC_OK)
        return code;
    job->jitter_s = pgc_cron_jitter_s(host, "backup", setting->jitter_s);
    job->run_on_start = setting->run_on_start;
    job->prunes = setting->prunes;
    if (setting->verify_schedule == NULL)
        return PGC_OK;
    head = (struct head) { "backup:verify", "backup", setting->verify_schedule, setting->timezone, "verify" };
    code = add_job(out, &head, &job, err);
    if (code != PGC_OK)
        return pgc_wrap(err, "--verify-schedule");
    job->jitter_s = pgc_cron_jitter_s(host, job->name, setting->jitter_s);
    job->level = setting->verify_level;
    return PGC_OK;
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

bool pgc_agenda_in_time(const struct pgc_agenda_job *job, int64_t now_s) {
    int64_t since_s = job->last_success_s > 0 ? job->last_success_s : job->started_s, due_s;
    if (job->max_age_s > 0)
        return now_s <= since_s + job->max_age_s;
    return !activation_after(job, since_s, &due_s) || now_s <= due_s + job->grace_s;
}

bool pgc_agenda_healthy(const struct pgc_agenda_job *job, int64_t now_s) {
    return !job->damaged && pgc_agenda_in_time(job, now_s);
}

void pgc_agenda_note(struct pgc_agenda_job *job, const struct pgc_agenda_point *point) {
    if (job->history_count == PGC_AGENDA_HISTORY)
        memmove(job->history, job->history + 1, (--job->history_count) * sizeof job->history[0]);
    job->history[job->history_count++] = *point;
}

void pgc_agenda_ended(struct pgc_agenda_job *job, int64_t now_s, const struct pgc_agenda_end *end) {
    struct pgc_agenda_point point = { now_s, end->bytes, end->success || end->stored };
    job->running = false;
    job->last_end_s = now_s;
    job->last_outcome = end->success ? PGC_AGENDA_SUCCESS : PGC_AGENDA_FAILURE;
    snprintf(job->last_error, sizeof job->last_error, "%s", end->success ? "" : end->error);
    job->successes += end->success;
    job->failures += !end->success;
    job->damaged = !end->success && (end->damaged || job->damaged); /* until proven again */
    if (point.success) {
        job->last_success_s = now_s;
        job->last_bytes = end->bytes;
        job->last_raw_bytes = end->raw_bytes;
    }
    pgc_agenda_note(job, &point);
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
