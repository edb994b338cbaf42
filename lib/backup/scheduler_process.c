/* The processes of the scheduler: their arguments, their environment, and what the arguments of a job mean. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/scheduler_internal.h"
#include "base/json.h"
#include "base/text.h"
#include "os/spawn.h"

#define OUTPUT_MAX ((size_t)8 << 20)

void scheduler_process_release(struct scheduler_process *process) {
    pgc_strings_release(&process->argv);
    pgc_strings_release(&process->env);
    pgc_buf_release(&process->output);
    pgc_buf_release(&process->tail);
}

enum pgc_code scheduler_append(struct pgc_strings *to, const struct pgc_strings *list, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < list->count; i++)
        code = pgc_strings_add(to, list->items[i], err);
    return code;
}

enum pgc_code scheduler_option(struct scheduler_process *process, const char *name, const char *value,
                               struct pgc_error *err) {
    enum pgc_code code = value != NULL ? pgc_strings_add(&process->argv, name, err) : PGC_OK;
    return code == PGC_OK && value != NULL ? pgc_strings_add(&process->argv, value, err) : code;
}

static bool same_name(const char *entry, const char *change) {
    size_t len = strcspn(change, "=");
    return strncmp(entry, change, len) == 0 && entry[len] == '=';
}

enum pgc_code scheduler_change(struct scheduler_process *process, const struct pgc_strings *changes,
                               struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < changes->count; i++) {
        struct pgc_strings *env = &process->env;
        size_t kept = 0;
        for (size_t j = 0; j < env->count; j++) {
            if (same_name(env->items[j], changes->items[i]))
                free(env->items[j]);
            else
                env->items[kept++] = env->items[j];
        }
        env->count = kept;
        if (env->items != NULL)
            env->items[kept] = NULL;
        if (strchr(changes->items[i], '=') != NULL)
            code = pgc_strings_add(env, changes->items[i], err);
    }
    return code;
}

enum pgc_code scheduler_prepare(struct scheduler *s, const char *command, const struct pgc_strings *changes,
                                struct scheduler_process *out, struct pgc_error *err) {
    enum pgc_code code = pgc_strings_add(&out->argv, s->options->program, err);
    if (code == PGC_OK)
        code = pgc_strings_add(&out->argv, command, err);
    if (code == PGC_OK)
        code = scheduler_append(&out->env, &s->env, err);
    return code == PGC_OK ? scheduler_change(out, changes, err) : code;
}

/* What the program said last, from its name to the end, instead of all that its stderr holds. */
static void put_words(const struct scheduler_process *process, struct pgc_error *err) {
    const char *tail = process->tail.data, *words = tail;
    for (const char *line = tail; line != NULL; line = strchr(line, '\n')) {
        line += line[0] == '\n';
        if (pgc_text_starts(line, "pgc-backup ") && strstr(line, ": ") != NULL)
            words = strstr(line, ": ") + 2;
    }
    int len = (int)strlen(words);
    while (len > 0 && words[len - 1] == '\n')
        len--;
    if (len > 0 && words != tail)
        snprintf(err->message, sizeof err->message, "%.*s (exit status %d)", len, words, process->status);
}

enum pgc_code scheduler_execute(struct scheduler_process *process, const char *event, const struct pgc_runtime *rt,
                                struct pgc_error *err) {
    struct pgc_spawn spec = { .argv = process->argv.items,
                              .env = process->env.items,
                              .stdin_from = PGC_SPAWN_NULL,
                              .stderr_log = event,
                              .status = &process->status,
                              .tail = &process->tail };
    process->output.max = OUTPUT_MAX;
    enum pgc_code code = pgc_spawn_capture(&spec, rt, &process->output, err);
    if (code == PGC_E_CHILD)
        put_words(process, err);
    return code;
}

/* --- what the arguments of a job mean ----------------------------------------------------------------- */

void scheduler_place_release(struct pgc_agenda_place *place) {
    pgc_strings_release(&place->stores);
    pgc_strings_release(&place->databases);
    free(place->cluster);
    *place = (struct pgc_agenda_place) { .cluster = NULL };
}

enum pgc_code scheduler_copy_place(const struct pgc_agenda_place *from, struct pgc_agenda_place *to,
                                   struct pgc_error *err) {
    enum pgc_code code = scheduler_append(&to->stores, &from->stores, err);
    if (code == PGC_OK)
        code = scheduler_append(&to->databases, &from->databases, err);
    if (code == PGC_OK && from->cluster != NULL && (to->cluster = strdup(from->cluster)) == NULL)
        return pgc_fail_nomem(err);
    return code;
}

static enum pgc_code take_texts(const struct pgc_json *list, struct pgc_strings *out, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < pgc_json_count(list); i++)
        code = pgc_strings_add(out, pgc_json_text(pgc_json_at(list, i)), err);
    return code;
}

static enum pgc_code take_plan(const struct pgc_buf *text, struct pgc_agenda_place *out, struct pgc_error *err) {
    PGC_AUTO(pgc_json_free) struct pgc_json *doc = NULL;
    enum pgc_code code = pgc_json_parse(text->data, text->len, &doc, err);
    const char *cluster = pgc_json_text(pgc_json_get(doc, "cluster"));
    if (code == PGC_OK)
        code = take_texts(pgc_json_get(doc, "stores"), &out->stores, err);
    if (code == PGC_OK)
        code = take_texts(pgc_json_get(doc, "databases"), &out->databases, err);
    if (code == PGC_OK && cluster != NULL && (out->cluster = strdup(cluster)) == NULL)
        return pgc_fail_nomem(err);
    return code;
}

/* The program reads the arguments, as it will when the job is due: --plan says what 'run' would be about, --show-config of
 * any other command that they can be understood. */
static enum pgc_code ask(struct scheduler *s, const struct pgc_agenda_job *job, const char *command,
                         const struct pgc_strings *args, const char *how, struct pgc_buf *out, struct pgc_error *err) {
    PGC_CLEANUP(scheduler_process_release) struct scheduler_process process = SCHEDULER_PROCESS_INIT;
    enum pgc_code code = scheduler_prepare(s, command, &job->environment, &process, err);
    if (code == PGC_OK && strcmp(command, "prune") == 0)
        code = scheduler_change(&process, &job->prune_environment, err);
    if (code == PGC_OK)
        code = scheduler_append(&process.argv, args, err);
    if (code == PGC_OK)
        code = pgc_strings_add(&process.argv, how, err);
    if (code == PGC_OK)
        code = scheduler_execute(&process, NULL, s->rt, err);
    if (code == PGC_E_CHILD) {
        err->message[strcspn(err->message, "\n")] = '\0'; /* the second line says "Try --help" */
        return err->code = PGC_E_CONFIG;
    }
    if (code == PGC_OK)
        pgc_buf_put(out, process.output.data, process.output.len);
    return code == PGC_OK ? pgc_buf_check(out, err) : code;
}

static enum pgc_code plan_one(struct scheduler *s, struct pgc_agenda *agenda, struct pgc_agenda_job *job,
                              struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    bool backup = pgc_agenda_is_backup(job);
    enum pgc_code code = ask(s, job, job->command, &job->args, backup ? "--plan" : "--show-config", &out, err);
    if (code != PGC_OK)
        return pgc_wrap(err, "job '%s': \"args\"", job->name);
    if (backup)
        code = take_plan(&out, &job->place, err);
    if (code == PGC_OK && pgc_agenda_is_proof(job))
        code = scheduler_copy_place(&pgc_agenda_find(agenda, job->subject)->place, &job->place, err);
    if (code == PGC_OK && job->prunes) {
        code = ask(s, job, "prune", &job->prune, "--show-config", &out, err);
        if (code != PGC_OK)
            return pgc_wrap(err, "job '%s': \"prune\"", job->name);
    }
    return code;
}

enum pgc_code scheduler_plan(struct scheduler *s, struct pgc_agenda *agenda, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < agenda->count; i++)
        code = plan_one(s, agenda, &agenda->jobs[i], err);
    return code;
}
