/* pgc init: the scripts of docker-entrypoint-initdb.d, against any server, once. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/command.h"
#include "init/preflight.h"
#include "init/run.h"

struct settings {
    struct pgc_connection_settings connection;
    char *rerun;
    char *transaction;
    bool recursive;
    bool plan;
    bool offline;
    bool json;
    bool allow_shell;
    bool no_preflight;
    int64_t wait_ms;
    int64_t lock_wait_ms;
    struct pgc_init_declaration declaration;
};

#define AT(field) offsetof(struct settings, field)
static const struct pgc_option options[] = {
    PGC_CONNECTION_OPTIONS(struct settings, connection),
    { "rerun", 0, PGC_OPT_CHOICE, AT(rerun), "never",
      "when a script that was done runs again; a file or folder may say its own", .choices = "never changed always" },
    { "recursive", 0, PGC_OPT_FLAG, AT(recursive), NULL, "folders below DIR too" },
    { "transaction", 0, PGC_OPT_CHOICE, AT(transaction), "never",
      "auto: each SQL file in one transaction where its statements allow it", .choices = "never auto" },
    { "plan", 0, PGC_OPT_FLAG, AT(plan), NULL, "print what would run and why, change nothing" },
    { "offline", 0, PGC_OPT_FLAG, AT(offline), NULL, "with --plan: do not ask a server, as if its ledger were empty" },
    { "json", 0, PGC_OPT_FLAG, AT(json), NULL, "print the result as JSON" },
    { "wait", 'w', PGC_OPT_DURATION, AT(wait_ms), "0", "wait for the server up to TIME" },
    { "lock-wait", 0, PGC_OPT_DURATION, AT(lock_wait_ms), "10m", "wait for another pgc init up to TIME" },
    { "allow-shell", 0, PGC_OPT_FLAG, AT(allow_shell), NULL, "\\! and `command` in SQL files" },
    { "no-preflight", 0, PGC_OPT_FLAG, AT(no_preflight), NULL, "do not look at the files before running them" },
    { "databases", 0, PGC_OPT_LIST, AT(declaration.databases), NULL, "database that shall exist",
      .value = "NAME[:OWNER]" },
    { "users", 0, PGC_OPT_LIST, AT(declaration.users), NULL,
      "login role that shall exist; password from PGC_INIT_PASSWORD_<NAME> or its _FILE", .value = "NAME" },
    { "schemas", 0, PGC_OPT_LIST, AT(declaration.schemas), NULL, "schema that shall exist",
      .value = "[DB.]NAME[:OWNER]" },
    { "extensions", 0, PGC_OPT_LIST, AT(declaration.extensions), NULL, "extension that shall exist",
      .value = "[DB.]NAME" },
    { "grants", 0, PGC_OPT_LIST, AT(declaration.grants), NULL, "rights on a database: owner, reader or writer",
      .value = "DB:ROLE:KIND" },
};

static const struct pgc_option status_options[] = {
    PGC_CONNECTION_OPTIONS(struct settings, connection),
    { "json", 0, PGC_OPT_FLAG, AT(json), NULL, "print the rows as JSON" },
};

/* --- shared ----------------------------------------------------------------------------------------- */

static struct pgc_conn_options conn_options(const struct settings *s) {
    return (struct pgc_conn_options) { .conninfo = s->connection.dbname,
                                       .host = s->connection.host,
                                       .port = s->connection.port,
                                       .user = s->connection.user,
                                       .password = s->connection.password,
                                       .application_name = "pgc-init" };
}

static enum pgc_code wait_for_server(const struct settings *s, const struct pgc_conn_options *connection,
                                     const struct pgc_runtime *rt, struct pgc_error *err) {
    int64_t end = pgc_mono_ms(rt) + s->wait_ms;
    for (;;) {
        struct pgc_conn *conn = NULL;
        enum pgc_code code = pgc_conn_open(connection, rt, &conn, err);
        pgc_conn_free(conn);
        if ((code != PGC_E_UNAVAILABLE && code != PGC_E_TEMPORARY) || pgc_mono_ms(rt) >= end)
            return code == PGC_E_NOT_FOUND ? PGC_OK : code; /* a missing database will be created */
        pgc_sleep_ms(rt, 250);
    }
}

static enum pgc_code scan(const struct settings *s, const struct pgc_cli *cli, struct pgc_init_steps *steps,
                          struct pgc_error *err) {
    struct pgc_init_scan how = { .recursive = s->recursive };
    bool known = pgc_init_rerun_parse(s->rerun, strlen(s->rerun), &how.rerun);
    enum pgc_code code = known ? PGC_OK : pgc_fail(err, PGC_E_USAGE, "unknown rerun policy '%s'", s->rerun);
    for (size_t i = 0; code == PGC_OK && i < cli->args.count; i++)
        code = pgc_init_scan_folder(cli->args.items[i], &how, steps, err);
    for (size_t i = 0; code == PGC_OK && i < steps->count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(steps->items[i].name, steps->items[j].name) == 0 && steps->items[i].kind != PGC_INIT_IGNORED)
                return pgc_fail(err, PGC_E_DATA,
                                "'%s' and '%s' have the same name, by which the ledger knows them; rename one",
                                steps->items[j].path, steps->items[i].path);
    for (size_t i = 0; code == PGC_OK && i < steps->warnings.count; i++)
        pgc_log(cli->rt, PGC_LOG_WARN, "init.order", steps->warnings.items[i]);
    return code;
}

static enum pgc_code preflight(const struct pgc_cli *cli, const struct pgc_init_steps *steps,
                               const struct pgc_init_shell *shell, struct pgc_error *err) {
    PGC_CLEANUP(pgc_init_findings_release) struct pgc_init_findings findings = PGC_INIT_FINDINGS_INIT;
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < steps->count; i++)
        if (steps->items[i].kind != PGC_INIT_IGNORED)
            code = pgc_init_preflight(&steps->items[i], shell, &findings, err);
    for (size_t i = 0; code == PGC_OK && i < findings.count; i++) {
        const struct pgc_init_finding *f = &findings.items[i];
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf text = PGC_BUF_INIT;
        pgc_buf_puts(&text, f->step->path);
        if (f->line > 0)
            pgc_buf_putf(&text, ":%lu", f->line);
        pgc_buf_putf(&text, ": %s", f->message);
        pgc_log(cli->rt, f->fatal ? PGC_LOG_ERROR : PGC_LOG_WARN, "init.preflight", text.data);
    }
    if (code == PGC_OK && findings.fatal_count > 0)
        return pgc_fail(err, PGC_E_DATA, "%zu of the files cannot be run as they are; nothing has been changed",
                        findings.fatal_count);
    return code;
}

/* The scripts' environment: ours, with a psql when the image has none of its own. */
static enum pgc_code make_environment(struct pgc_init_shell *shell, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (char **item = environ; code == PGC_OK && *item != NULL; item++)
        code = pgc_strings_add(&shell->env, *item, err);
    PGC_AUTO_FREE char *psql = NULL;
    if (code == PGC_OK)
        code = pgc_init_env_find(&shell->env, "psql", &psql, err);
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (code != PGC_OK || psql != NULL || n <= 0)
        return code;
    self[n] = '\0';
    char *slash = strrchr(self, '/');
    if (slash != NULL)
        *slash = '\0';
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf path = PGC_BUF_INIT;
    const char *before = pgc_init_env_get(&shell->env, "PATH");
    pgc_buf_putf(&path, "%s%s%s/../applets:%s/../lib/pgc/applets", before != NULL ? before : "",
                 before != NULL ? ":" : "", self, self);
    return pgc_init_env_set(&shell->env, "PATH", path.data, err);
}

/* --- run -------------------------------------------------------------------------------------------- */

struct report {
    const struct pgc_cli *cli;
    bool json;
    struct pgc_buf steps; /* JSON objects of the steps that ended */
};

static void put_pair(struct pgc_buf *out, const char *key, const char *value) {
    pgc_buf_putf(out, "\"%s\":", key);
    pgc_text_json(out, value);
}

static void report_json(struct report *report, enum pgc_init_event event, const struct pgc_init_step *step, int64_t ms,
                        const char *detail) {
    static const char *const outcome[] = { NULL, "done", "failed", "skipped", "ignored", NULL, NULL };
    if (outcome[event] == NULL)
        return;
    pgc_buf_puts(&report->steps, report->steps.len > 0 ? ",{" : "{");
    put_pair(&report->steps, "file", step->name);
    pgc_buf_putc(&report->steps, ',');
    put_pair(&report->steps, "how", pgc_init_kind_how(step->kind));
    pgc_buf_putc(&report->steps, ',');
    put_pair(&report->steps, "outcome", outcome[event]);
    pgc_buf_putf(&report->steps, ",\"duration_ms\":%" PRId64, ms);
    if (detail != NULL) {
        pgc_buf_putc(&report->steps, ',');
        put_pair(&report->steps, event == PGC_INIT_EVENT_FAILED ? "error" : "why", detail);
    }
    pgc_buf_putc(&report->steps, '}');
}

static const char *verb_of(const struct pgc_init_step *step) {
    return step->kind == PGC_INIT_SH_SOURCED ? "sourcing"
           : step->kind == PGC_INIT_ARCHIVE  ? "restoring"
           : step->kind == PGC_INIT_CSV      ? "loading"
                                             : "running";
}

static void on_event(void *arg, enum pgc_init_event event, const struct pgc_init_step *step, int64_t ms,
                     const char *detail) {
    struct report *report = arg;
    if (event == PGC_INIT_EVENT_WAITING)
        pgc_log(report->cli->rt, PGC_LOG_INFO, "init.lock", detail);
    else if (report->json)
        report_json(report, event, step, ms, detail);
    else if (event == PGC_INIT_EVENT_RUNNING)
        fprintf(report->cli->out, "pgc-init: %s %s\n", verb_of(step), step->path);
    else if (event == PGC_INIT_EVENT_IGNORED)
        fprintf(report->cli->out, "pgc-init: ignoring %s\n", step->path);
    else if (event == PGC_INIT_EVENT_SKIPPED)
        fprintf(report->cli->out, "pgc-init: skipping %s (%s)\n", step->path, detail);
    else if (event == PGC_INIT_EVENT_DECLARED)
        fprintf(report->cli->out, "pgc-init: %s\n", detail);
    fflush(report->cli->out); /* scripts write to the same place */
}

static enum pgc_code finish(struct pgc_cli *cli, struct report *report, const struct pgc_init_result *result,
                            enum pgc_code code, const struct pgc_error *failure, struct pgc_error *err) {
    if (report->json)
        fprintf(cli->out, "{\"ran\":%zu,\"skipped\":%zu,\"ignored\":%zu,\"exit_status\":%d,\"steps\":[%s]}\n",
                result->ran, result->skipped, result->ignored, result->script_status, report->steps.data);
    else if (code == PGC_OK)
        fprintf(cli->out, "pgc-init: done: %zu run, %zu skipped, %zu ignored\n", result->ran, result->skipped,
                result->ignored);
    if (code == PGC_OK || code == PGC_E_CANCELLED || result->script_status == 0) {
        *err = *failure;
        return code;
    }
    /* The status of the script is ours, as with the official image; its own words are on stderr already. */
    fprintf(stderr, "pgc-init: %s; mend it and run pgc init again, it goes on there\n", failure->message);
    cli->exit_status = result->script_status;
    return PGC_OK;
}

/* With --json standard output is the result and nothing else: what scripts print goes to standard error. */
static enum pgc_code divert_output(struct pgc_cli *cli, struct pgc_error *err) {
    int result = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    FILE *out = result >= 0 ? fdopen(result, "w") : NULL;
    if (out == NULL || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot divert standard output");
    cli->out = out;
    return PGC_OK;
}

static enum pgc_code run_steps(struct pgc_cli *cli, const struct settings *s, const struct pgc_init_steps *steps,
                               struct pgc_init_shell *shell, struct pgc_error *err) {
    struct report report = { cli, s->json, PGC_BUF_INIT };
    struct pgc_init_run_options run = {
        .conn = conn_options(s),
        .shell = shell,
        .declaration = &s->declaration,
        .transaction = strcmp(s->transaction, "auto") == 0,
        .allow_shell = s->allow_shell,
        .lock_wait_ms = s->lock_wait_ms,
        .event = on_event,
        .arg = &report,
    };
    struct pgc_error failure = { .code = PGC_OK };
    enum pgc_code code = s->json ? divert_output(cli, err) : PGC_OK;
    if (code == PGC_OK)
        code = wait_for_server(s, &run.conn, cli->rt, err);
    if (code != PGC_OK)
        return code;
    struct pgc_init_result result;
    code = pgc_init_run(&run, steps, cli->rt, &result, &failure);
    code = finish(cli, &report, &result, code, &failure, err);
    pgc_buf_release(&report.steps);
    return code;
}

/* --- plan ------------------------------------------------------------------------------------------- */

static void print_plan(struct pgc_cli *cli, bool json, const struct pgc_init_steps *steps,
                       const struct pgc_init_ledger *ledger) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    pgc_buf_puts(&out, json ? "[" : "");
    for (size_t i = 0; i < steps->count; i++) {
        const struct pgc_init_step *step = &steps->items[i];
        struct pgc_init_decision decision = pgc_init_decide(step, ledger);
        if (!json) {
            pgc_buf_putf(&out, "%-6s  %-10s  %s  (%s)\n", pgc_init_action_name(decision.action),
                         pgc_init_kind_how(step->kind), step->name, decision.why);
            continue;
        }
        pgc_buf_puts(&out, i > 0 ? ",{" : "{");
        put_pair(&out, "file", step->name);
        pgc_buf_putc(&out, ',');
        put_pair(&out, "path", step->path);
        pgc_buf_putf(&out, ",\"how\":\"%s\",\"action\":\"%s\",\"why\":\"%s\",\"rerun\":\"%s\",\"sha256\":\"%s\"}",
                     pgc_init_kind_how(step->kind), pgc_init_action_name(decision.action), decision.why,
                     pgc_init_rerun_name(step->rerun), step->sha256);
    }
    pgc_buf_puts(&out, json ? "]\n" : "");
    fwrite(out.data, 1, out.len, cli->out);
}

static enum pgc_code read_ledger(const struct settings *s, const struct pgc_runtime *rt, struct pgc_init_ledger *ledger,
                                 struct pgc_error *err) {
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
    struct pgc_conn_options connection = conn_options(s);
    enum pgc_code code = pgc_conn_open(&connection, rt, &conn, err);
    if (code == PGC_E_NOT_FOUND)
        return PGC_OK; /* the database is still to be created */
    return code == PGC_OK ? pgc_init_ledger_read(conn, ledger, err) : code;
}

static enum pgc_code plan_steps(struct pgc_cli *cli, const struct settings *s, const struct pgc_init_steps *steps,
                                struct pgc_error *err) {
    PGC_CLEANUP(pgc_init_ledger_release) struct pgc_init_ledger ledger = PGC_INIT_LEDGER_INIT;
    enum pgc_code code = s->offline ? PGC_OK : read_ledger(s, cli->rt, &ledger, err);
    if (code == PGC_OK)
        print_plan(cli, s->json, steps, &ledger);
    return code;
}

static void release_shell(struct pgc_init_shell *shell) {
    pgc_strings_release(&shell->env);
}

static enum pgc_code run_init(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct settings *s = settings;
    PGC_CLEANUP(pgc_init_steps_release) struct pgc_init_steps steps = PGC_INIT_STEPS_INIT;
    PGC_CLEANUP(release_shell) struct pgc_init_shell shell = { PGC_STRINGS_INIT };
    if (cli->args.count == 0 && pgc_init_declaration_empty(&s->declaration))
        return pgc_fail(err, PGC_E_USAGE, "a folder of init scripts is missing");
    enum pgc_code code = pgc_init_declaration_check(&s->declaration, err);
    if (code == PGC_OK)
        code = pgc_connection_resolve(&s->connection, err);
    if (code == PGC_OK)
        code = scan(s, cli, &steps, err);
    if (code == PGC_OK)
        code = make_environment(&shell, err);
    if (code == PGC_OK && !s->no_preflight)
        code = preflight(cli, &steps, &shell, err);
    if (code != PGC_OK)
        return code;
    return s->plan ? plan_steps(cli, s, &steps, err) : run_steps(cli, s, &steps, &shell, err);
}

/* --- status ----------------------------------------------------------------------------------------- */

static void put_status_row(struct pgc_buf *out, bool json, const struct pgc_init_row *row) {
    if (!json) {
        pgc_buf_putf(out, "%-7s  %s  %6" PRId64 " ms  %s%s%s\n", pgc_init_status_name(row->status), row->started_at,
                     row->duration_ms, row->name, row->error[0] != '\0' ? "  " : "", row->error);
        return;
    }
    pgc_buf_putc(out, '{');
    put_pair(out, "file", row->name);
    pgc_buf_putf(out, ",\"status\":\"%s\",\"sha256\":\"%s\",", pgc_init_status_name(row->status), row->sha256);
    put_pair(out, "how", row->how);
    pgc_buf_putf(out, ",\"started_at\":\"%s\",\"finished_at\":\"%s\",\"duration_ms\":%" PRId64 ",", row->started_at,
                 row->finished_at, row->duration_ms);
    put_pair(out, "error", row->error);
    pgc_buf_putc(out, '}');
}

static enum pgc_code run_status(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct settings *s = settings;
    PGC_CLEANUP(pgc_init_ledger_release) struct pgc_init_ledger ledger = PGC_INIT_LEDGER_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    enum pgc_code code = pgc_connection_resolve(&s->connection, err);
    if (code == PGC_OK)
        code = read_ledger(s, cli->rt, &ledger, err);
    if (code != PGC_OK)
        return code;
    pgc_buf_puts(&out, s->json ? "[" : "");
    for (size_t i = 0; i < ledger.count; i++) {
        pgc_buf_puts(&out, s->json && i > 0 ? "," : "");
        put_status_row(&out, s->json, &ledger.rows[i]);
        if (ledger.rows[i].status != PGC_INIT_DONE)
            cli->exit_status = 1;
    }
    pgc_buf_puts(&out, s->json ? "]\n" : "");
    fwrite(out.data, 1, out.len, cli->out);
    return PGC_OK;
}

static const struct pgc_command status_command = {
    .name = "status",
    .summary = "what has run, what failed",
    .description = "Exit status 1 when a script is recorded as started or failed.",
    .options = status_options,
    .option_count = sizeof status_options / sizeof status_options[0],
    .settings_size = sizeof(struct settings),
    .run = run_status,
};

static const struct pgc_command *const commands[] = { &status_command, NULL };

static const struct pgc_command root = {
    .name = "pgc-init",
    .summary = "init scripts, once, against any server",
    .args = "DIR...",
    .description =
        "Runs the files of each DIR in byte order: .sql, .sql.gz, .sql.xz and .sql.zst by the built-in script engine, "
        "executable .sh run, other .sh sourced, archives of pg_dump by pg_restore, .csv by COPY; the rest is ignored. "
        "A ledger (pgc.init) in the database remembers each file: it runs once, and after a failure the next run takes "
        "up at the file that failed. The exit status of a failed script is the exit status of pgc init (3 for SQL, as "
        "with psql).\n"
        "A file may say its own policy behind its number, as in 20.always_grants.sql or 30.changed_views.sql.",
    .examples = "pgc init /docker-entrypoint-initdb.d             # run what has not run yet\n"
                "pgc init --plan --json DIR                       # look first\n"
                "PGC_INIT_DATABASES=app:app PGC_INIT_USERS=app pgc init DIR\n"
                "pgc init status                                  # what has run\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .settings_size = sizeof(struct settings),
    .run = run_init,
    .commands = commands,
};

int main(int argc, char **argv) {
    return pgc_cli_main(&root, argc, argv);
}
