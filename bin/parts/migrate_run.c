/* The commands that plan and those that change something: up, down, redo, goto, mark, baseline, repair. */
#include <string.h>

#include "base/text.h"
#include "parts/migrate_settings.h"
#include "parts/parts.h"

static const struct pgc_option up_options[] = {
    { "to", 0, PGC_OPT_STRING, M_AT(to), NULL, "up to and including this version", .value = "VERSION", .env = "" },
    { "count", 0, PGC_OPT_INT, M_AT(count), "0", "at most N migrations", .env = "" },
    MIGRATE_JSON_ROW,
    MIGRATE_FOLDER_ROWS,
    MIGRATE_SERVER_ROWS,
    MIGRATE_LOCK_ROWS,
    MIGRATE_RUN_ROWS,
    { "watch", 0, PGC_OPT_FLAG, M_AT(watch), NULL,
      "stay and apply new and changed files as they come; a signal ends it, with status 0 while it waits" },
};
/* goto has neither --to nor --count; down and redo have no --watch. */
static const struct pgc_option plan_options[] = {
    { "to", 0, PGC_OPT_STRING, M_AT(to), NULL, "up to and including this version", .value = "VERSION", .env = "" },
    { "count", 0, PGC_OPT_INT, M_AT(count), "0", "at most N migrations", .env = "" },
    MIGRATE_JSON_ROW,
    MIGRATE_FOLDER_ROWS,
    MIGRATE_SERVER_ROWS,
    { "out-of-order", 0, PGC_OPT_CHOICE, M_AT(out_of_order), "error", "migrations older than the newest applied one",
      .choices = "apply warn error" },
    { "drift", 0, PGC_OPT_CHOICE, M_AT(drift), "error", "applied files that have changed",
      .choices = "error warn ignore" },
    { "missing", 0, PGC_OPT_CHOICE, M_AT(missing), "warn", "applied migrations without a file",
      .choices = "error warn ignore" },
    { "ignore-foreign-ledger", 0, PGC_OPT_FLAG, M_AT(ignore_foreign), NULL,
      "plan over again in a database that another tool has migrated" },
    { "offline", 0, PGC_OPT_FLAG, M_AT(offline), NULL, "plan for an empty database, from the folder alone" },
    { "exit-code", 0, PGC_OPT_FLAG, M_AT(exit_code), NULL, "exit with 1 when there is something to do" },
};
static const struct pgc_option mark_options[] = {
    MIGRATE_JSON_ROW,
    MIGRATE_FOLDER_ROWS,
    MIGRATE_SERVER_ROWS,
    MIGRATE_LOCK_ROWS,
    { "ignore-foreign-ledger", 0, PGC_OPT_FLAG, M_AT(ignore_foreign), NULL,
      "start a ledger of our own in a database that another tool has migrated" },
};
static const struct pgc_option repair_options[] = {
    MIGRATE_JSON_ROW,
    MIGRATE_FOLDER_ROWS,
    MIGRATE_SERVER_ROWS,
    MIGRATE_LOCK_ROWS,
    { "invalid-indexes", 0, PGC_OPT_CHOICE, M_AT(invalid), "keep",
      "what to do with invalid indexes that a broken CREATE INDEX CONCURRENTLY left", .choices = "keep drop rebuild" },
    { "interrupted", 0, PGC_OPT_CHOICE, M_AT(interrupted), "keep",
      "a statement outside a transaction that was started and did not finish: rerun has the next up run it again, skip "
      "has it go on behind it",
      .choices = "keep rerun skip" },
};
#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* --- what ran ----------------------------------------------------------------------------------------------------- */

static enum pgc_code report_run(struct migrate_job *job, const struct pgc_error *failure, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    if (!job->settings->json) {
        if (failure == NULL && job->done + job->mended == 0)
            fprintf(job->cli->out, "nothing to do\n");
        else if (job->done > 0)
            fprintf(job->cli->out, "%zu done\n", job->done);
        return PGC_OK;
    }
    pgc_buf_putc(&out, '{');
    migrate_put_text(&out, "format", job->migrate.dialect->name);
    pgc_buf_putf(&out, ",\"count\":%zu,\"dry_run\":false,\"steps\":[%s],", job->done, job->report.data);
    migrate_put_text(&out, "error", failure != NULL ? failure->message : NULL);
    pgc_buf_put(&out, job->more.data, job->more.len);
    pgc_buf_puts(&out, "}\n");
    enum pgc_code code = pgc_buf_check(&out, err);
    if (code == PGC_OK)
        fputs(out.data, job->cli->out);
    return code;
}

/* Plan, then show it (dry run) or do it. */
static enum pgc_code perform(struct migrate_job *job, enum pgc_plan_verb verb, struct pgc_error *err) {
    job->request.verb = verb;
    enum pgc_code code = pgc_migrate_plan(&job->migrate, &job->request, &job->plan, err);
    if (code != PGC_OK)
        return code;
    migrate_warn(job);
    if (job->settings->dry_run) {
        code = migrate_report_plan(job, err);
        if (code == PGC_OK)
            code = pgc_plan_check(&job->plan, err);
        return code != PGC_OK ? code : migrate_lint(job, err);
    }
    code = pgc_plan_check(&job->plan, err);
    if (code == PGC_OK && job->plan.step_count > 0)
        code = migrate_lint(job, err);
    if (code == PGC_OK && job->plan.step_count > 0)
        code = pgc_migrate_apply(&job->migrate, &job->request, &job->plan, &job->done, err);
    struct pgc_error failure = *err, second;
    enum pgc_code told = report_run(job, code == PGC_OK ? NULL : &failure, &second);
    if (code != PGC_OK)
        return code;
    *err = second;
    return told;
}

static enum pgc_code run_verb(struct pgc_cli *cli, struct migrate_settings *s, enum pgc_plan_verb verb,
                              struct pgc_error *err) {
    PGC_CLEANUP(migrate_job_release) struct migrate_job job;
    enum pgc_code code = migrate_job_open(&job, cli, s, true, err);
    if (code == PGC_OK)
        code = migrate_job_connect(&job, false, err);
    return code == PGC_OK ? perform(&job, verb, err) : code;
}

#define WATCH_MS       300
#define WATCH_RETRY_MS 1000

/* --- watch ------------------------------------------------------------------------------------------------------ */

/* A number that changes when the folders do. */
static uint64_t fingerprint(const struct pgc_strings *dirs) {
    PGC_CLEANUP(pgc_folder_release) struct pgc_folder folder = PGC_FOLDER_INIT;
    struct pgc_error ignored;
    uint64_t h = 14695981039346656037U;
    for (size_t i = 0; i < dirs->count; i++) {
        if (pgc_folder_read(&folder, dirs->items[i], &ignored) != PGC_OK)
            return 0;
    }
    for (size_t i = 0; i < folder.count; i++) {
        for (const char *p = folder.files[i].path; *p != '\0'; p++)
            h = (h ^ (unsigned char)*p) * 1099511628211U;
        for (size_t n = 0; n < folder.files[i].len; n++)
            h = (h ^ (unsigned char)folder.files[i].text[n]) * 1099511628211U;
    }
    return h;
}

/* Runs until a signal comes: one that finds it waiting is how it ends well, one that interrupts something is a failure. What
 * failed is tried again when a file changes, and when the server was the cause, until it is there. */
static enum pgc_code watch(struct pgc_cli *cli, struct migrate_settings *s, struct pgc_error *err) {
    uint64_t seen = 0;
    bool again = true, told = false;
    for (;;) {
        PGC_CLEANUP(migrate_job_release) struct migrate_job job;
        enum pgc_code code = migrate_job_open(&job, cli, s, true, err);
        uint64_t now = fingerprint(&job.dirs);
        bool changed = now != seen;
        if (again || changed) {
            seen = now;
            if (code == PGC_OK)
                code = migrate_job_connect(&job, false, err);
            if (code == PGC_OK)
                code = perform(&job, PGC_PLAN_UP, err);
            if (code == PGC_E_CANCELLED && job.migrate.conn != NULL)
                return code;
            if (code != PGC_OK && code != PGC_E_CANCELLED && (changed || !told))
                pgc_log(cli->rt, PGC_LOG_ERROR, "migrate.watch", err->message);
            told = code != PGC_OK;
            again = told && pgc_code_retryable(code);
            fflush(cli->out);
        }
        pgc_sleep_ms(cli->rt, again ? WATCH_RETRY_MS : WATCH_MS);
        if (pgc_cancelled(cli->rt) != 0)
            return PGC_OK;
    }
}

/* --- commands --------------------------------------------------------------------------------------------------- */

static enum pgc_code run_up(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct migrate_settings *s = settings;
    enum pgc_code code = migrate_args(cli, 0, "", err);
    if (code != PGC_OK)
        return code;
    return s->watch ? watch(cli, s, err) : run_verb(cli, s, PGC_PLAN_UP, err);
}

static enum pgc_code run_down(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct migrate_settings *s = settings;
    if (s->to != NULL && s->count > 0)
        return pgc_fail(err, PGC_E_USAGE, "--to and --count exclude each other");
    enum pgc_code code = migrate_args(cli, 0, "", err);
    return code != PGC_OK ? code : run_verb(cli, s, PGC_PLAN_DOWN, err);
}

static enum pgc_code run_redo(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    enum pgc_code code = migrate_args(cli, 0, "", err);
    return code != PGC_OK ? code : run_verb(cli, settings, PGC_PLAN_REDO, err);
}

static enum pgc_code with_version(struct pgc_cli *cli, struct migrate_settings *s, size_t at, enum pgc_plan_verb verb,
                                  struct pgc_error *err) {
    enum pgc_code code = migrate_args(cli, at + 1, "the version", err);
    if (code != PGC_OK)
        return code;
    s->to = cli->args.items[at]; /* borrowed: not the parser's to free */
    code = run_verb(cli, s, verb, err);
    s->to = NULL;
    return code;
}

static enum pgc_code run_goto(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    return with_version(cli, settings, 0, PGC_PLAN_GOTO, err);
}

static enum pgc_code run_baseline(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    return with_version(cli, settings, 0, PGC_PLAN_BASELINE, err);
}

static enum pgc_code run_mark(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    const char *what = cli->args.count > 0 ? cli->args.items[0] : "";
    if (strcmp(what, "applied") == 0)
        return with_version(cli, settings, 1, PGC_PLAN_MARK_APPLIED, err);
    if (strcmp(what, "pending") == 0)
        return with_version(cli, settings, 1, PGC_PLAN_MARK_PENDING, err);
    return pgc_fail(err, PGC_E_USAGE, "say 'mark applied VERSION' or 'mark pending VERSION'");
}

static enum pgc_code run_plan(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct migrate_settings *s = settings;
    PGC_CLEANUP(migrate_job_release) struct migrate_job job;
    enum pgc_code code = migrate_job_open(&job, cli, s, true, err);
    if (code == PGC_OK)
        code = migrate_args(cli, 0, "", err);
    if (code == PGC_OK)
        code = migrate_job_look(&job, false, err);
    if (code == PGC_OK)
        code = pgc_migrate_plan(&job.migrate, &job.request, &job.plan, err);
    if (code == PGC_OK)
        code = migrate_report_plan(&job, err);
    if (code == PGC_OK && !s->json)
        migrate_warn(&job);
    if (code == PGC_OK)
        code = pgc_plan_check(&job.plan, err);
    if (s->exit_code && job.plan.step_count > 0)
        cli->exit_status = 1;
    return code;
}

/* --- repair ----------------------------------------------------------------------------------------------------- */

static void tell_indexes(struct migrate_job *job, const struct pgc_strings *indexes, const char *what) {
    for (size_t i = 0; i < indexes->count; i++) {
        if (!job->settings->json) {
            fprintf(job->cli->out, "%s %s\n", what, indexes->items[i]);
            continue;
        }
        pgc_buf_puts(&job->more, pgc_text_ends(job->more.data, "[") ? "{" : ",{");
        migrate_put_text(&job->more, "index", indexes->items[i]);
        pgc_buf_putc(&job->more, ',');
        migrate_put_text(&job->more, "result", what);
        pgc_buf_putc(&job->more, '}');
    }
}

static enum pgc_code repair_indexes(struct migrate_job *job, struct pgc_error *err) {
    PGC_CLEANUP(pgc_migrate_invalid_release) struct pgc_migrate_invalid invalid = { 0 };
    const char *what = job->settings->invalid;
    bool keep = strcmp(what, "keep") == 0, rebuild = strcmp(what, "rebuild") == 0;
    enum pgc_code code = pgc_migrate_find_invalid(job->migrate.conn, &invalid, err);
    if (code == PGC_OK && !keep && !job->settings->dry_run && invalid.indexes.count + invalid.copies.count > 0) {
        pgc_migrate_invalid_release(&invalid);
        code = pgc_migrate_mend_invalid(&job->migrate, rebuild, &invalid, err);
        job->mended = invalid.indexes.count + invalid.copies.count;
    }
    if (code != PGC_OK)
        return code;
    pgc_buf_puts(&job->more, ",\"invalid_indexes\":[");
    tell_indexes(job, &invalid.indexes, keep ? "invalid index" : what);
    tell_indexes(job, &invalid.copies, keep ? "invalid index" : "drop");
    pgc_buf_putc(&job->more, ']');
    if (keep && invalid.indexes.count + invalid.copies.count > 0)
        pgc_log(job->cli->rt, PGC_LOG_WARN, "migrate.invalid_index",
                "invalid indexes are there; --invalid-indexes drop or rebuild puts them right",
                PGC_LOG_INT("count", invalid.indexes.count + invalid.copies.count));
    return code;
}

static enum pgc_code run_repair(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    PGC_CLEANUP(migrate_job_release) struct migrate_job job;
    enum pgc_code code = migrate_job_open(&job, cli, settings, true, err);
    if (code == PGC_OK)
        code = migrate_args(cli, 0, "", err);
    if (code == PGC_OK)
        code = migrate_job_connect(&job, false, err);
    if (code == PGC_OK)
        code = repair_indexes(&job, err);
    return code == PGC_OK ? perform(&job, PGC_PLAN_REPAIR, err) : code;
}

#define COMMAND(word, line, argument, rows, function, text)                                                            \
    const struct pgc_command pgc_cmd_migrate_##word = {                                                                \
        .name = #word,                                                                                                 \
        .summary = line,                                                                                               \
        .args = argument,                                                                                              \
        .description = text,                                                                                           \
        .options = rows,                                                                                               \
        .option_count = COUNT(rows),                                                                                   \
        .settings_size = sizeof(struct migrate_settings),                                                              \
        .run = function,                                                                                               \
    }

COMMAND(up, "apply what is pending", NULL, up_options, run_up,
        "Each migration runs in its own transaction together with its row in the ledger. Scripts with statements that "
        "cannot run in a transaction are run statement by statement; a broken one goes on at its statement next time. "
        "When nothing is pending that takes one query and no lock.");
COMMAND(down, "revert the newest migration, or more with --to or --count", NULL, up_options, run_down,
        "--to VERSION reverts everything newer than VERSION; --to 0 reverts everything.");
COMMAND(redo, "revert the newest migration and apply it again", NULL, up_options, run_redo, NULL);
COMMAND(plan, "show what up would do", NULL, plan_options, run_plan,
        "Exit status 65 when the plan cannot be run (problems name the files), 1 with --exit-code when there is "
        "something to do.");
COMMAND(baseline, "say that the database is at VERSION already", "VERSION", mark_options, run_baseline,
        "For a database that was made without migrations: VERSION and everything older count as applied from then on.");
COMMAND(mark, "change the ledger only", "applied|pending VERSION", mark_options, run_mark, NULL);
COMMAND(repair, "accept changed files, settle interrupted statements, mend invalid indexes", NULL, repair_options,
        run_repair,
        "The checksums of changed files are taken over into the ledger (the old rows stay in its history). Invalid "
        "indexes are listed, or dropped or rebuilt with --invalid-indexes (copies that REINDEX CONCURRENTLY left are "
        "always dropped). When a statement outside a transaction was started and nobody saw how it ended, 'up' refuses "
        "to go on; look at the database and say with --interrupted what it is.");
const struct pgc_command pgc_cmd_migrate_goto = {
    .name = "goto",
    .summary = "migrate up or down to VERSION",
    .args = "VERSION",
    .options = up_options + 2,
    .option_count = COUNT(up_options) - 3,
    .settings_size = sizeof(struct migrate_settings),
    .run = run_goto,
};
