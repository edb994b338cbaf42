/* The commands that look at states and files: status, validate, history, new. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "migrate/version.h"
#include "parts/migrate_settings.h"
#include "parts/parts.h"
#include "sql_embedded.h"

static const struct pgc_option status_options[] = {
    MIGRATE_JSON_ROW,
    MIGRATE_FOLDER_ROWS,
    MIGRATE_SERVER_ROWS,
    { "exit-code", 0, PGC_OPT_FLAG, M_AT(exit_code), NULL, "exit with 1 when migrations are pending" },
};
static const struct pgc_option validate_options[] = {
    MIGRATE_JSON_ROW,
    MIGRATE_FOLDER_ROWS,
    MIGRATE_SERVER_ROWS,
    { "offline", 0, PGC_OPT_FLAG, M_AT(offline), NULL, "look at the files alone" },
};
static const struct pgc_option history_options[] = { MIGRATE_JSON_ROW, MIGRATE_SERVER_ROWS };
static const struct pgc_option new_options[] = {
    MIGRATE_JSON_ROW,
    { "dir", 0, PGC_OPT_LIST, M_AT(dirs), NULL,
      "migrations folder (default: ./migrations, else ./db/migrations; made when it is not there)", .value = "FOLDER" },
};
#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static enum pgc_code run_status(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct migrate_settings *s = settings;
    PGC_CLEANUP(migrate_job_release) struct migrate_job job;
    s->ignore_foreign = true;
    enum pgc_code code = migrate_job_open(&job, cli, s, true, err);
    job.request.drift = job.request.missing = PGC_PLAN_WARN;
    if (code == PGC_OK)
        code = migrate_args(cli, 0, "", err);
    if (code == PGC_OK)
        code = migrate_job_connect(&job, true, err);
    if (code == PGC_OK)
        code = pgc_migrate_plan(&job.migrate, &job.request, &job.plan, err);
    if (code == PGC_OK)
        code = migrate_report_status(&job, err);
    if (code == PGC_OK && !s->json)
        migrate_warn(&job);
    if (s->exit_code && job.plan.pending > 0)
        cli->exit_status = 1;
    return code;
}

/* Reads every script too: what would not even start is found here. */
static enum pgc_code read_scripts(struct migrate_job *job, struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < job->migrate.set.count; i++) {
        const struct pgc_migration *m = &job->migrate.set.items[i];
        const struct pgc_migration_script *scripts[] = { &m->up, &m->down };
        for (size_t n = 0; code == PGC_OK && n < 2; n++) {
            PGC_CLEANUP(pgc_shape_release) struct pgc_shape shape = PGC_SHAPE_INIT;
            if (scripts[n]->text != NULL)
                code = pgc_shape_read(&shape, scripts[n], err);
        }
    }
    return code;
}

static enum pgc_code run_validate(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct migrate_settings *s = settings;
    PGC_CLEANUP(migrate_job_release) struct migrate_job job;
    enum pgc_code code = migrate_job_open(&job, cli, s, true, err);
    job.request.drift = job.request.missing = job.request.out_of_order = PGC_PLAN_ERROR;
    if (code == PGC_OK)
        code = migrate_args(cli, 0, "", err);
    if (code == PGC_OK)
        code = read_scripts(&job, err);
    if (code == PGC_OK)
        code = migrate_job_look(&job, true, err);
    if (code == PGC_OK)
        code = pgc_migrate_plan(&job.migrate, &job.request, &job.plan, err);
    if (code == PGC_OK)
        migrate_warn(&job);
    if (code == PGC_OK && s->json)
        code = migrate_report_status(&job, err);
    if (code == PGC_OK)
        code = pgc_plan_check(&job.plan, err);
    if (code == PGC_OK && !s->json)
        fprintf(cli->out, "%zu migrations are valid\n", job.migrate.set.count);
    return code;
}

static enum pgc_code print_history(struct migrate_job *job, const struct pgc_rows *rows, struct pgc_error *err) {
    static const char *const keys[] = { "at", "action", "version", "name", "by", "duration_ms", "checksum", "tool" };
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    if (job->settings->json)
        pgc_buf_puts(&out, "{\"events\":[");
    for (size_t i = 0; rows != NULL && i < pgc_rows_count(rows); i++) {
        if (!job->settings->json) {
            pgc_buf_putf(&out, "%.19sZ  %-9s %s %s  %s\n", pgc_rows_text(rows, i, 0), pgc_rows_text(rows, i, 1),
                         pgc_rows_null(rows, i, 2) ? "R" : pgc_rows_text(rows, i, 2), pgc_rows_text(rows, i, 3),
                         pgc_rows_text(rows, i, 4));
            continue;
        }
        pgc_buf_puts(&out, i > 0 ? ",{" : "{");
        for (size_t c = 0; c < 8; c++) {
            pgc_buf_puts(&out, c > 0 ? "," : "");
            if (c == 5 && !pgc_rows_null(rows, i, c))
                pgc_buf_putf(&out, "\"duration_ms\":%s", pgc_rows_text(rows, i, c));
            else
                migrate_put_text(&out, keys[c], pgc_rows_null(rows, i, c) ? NULL : pgc_rows_text(rows, i, c));
        }
        pgc_buf_putc(&out, '}');
    }
    if (job->settings->json)
        pgc_buf_puts(&out, "]}\n");
    enum pgc_code code = pgc_buf_check(&out, err);
    if (code == PGC_OK)
        fputs(out.data, job->cli->out);
    return code;
}

static enum pgc_code run_history(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct migrate_settings *s = settings;
    PGC_CLEANUP(migrate_job_release) struct migrate_job job;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    PGC_AUTO(pgc_rows_free) struct pgc_rows *rows = NULL;
    s->ignore_foreign = true;
    enum pgc_code code = migrate_job_open(&job, cli, s, false, err);
    job.options.ledger = PGC_MIGRATE_LEDGER_OWN;
    if (code == PGC_OK)
        code = migrate_args(cli, 0, "", err);
    if (code == PGC_OK)
        code = migrate_job_connect(&job, false, err);
    if (code == PGC_OK && job.migrate.ledger.exists) {
        pgc_ledger_sql(&sql, &job.migrate.native, pgc_sql_migrate_read_history);
        code = pgc_buf_check(&sql, err);
        if (code == PGC_OK)
            code = pgc_conn_query(job.migrate.conn, sql.data, NULL, 0, &rows, err);
    }
    return code == PGC_OK ? print_history(&job, rows, err) : code;
}

/* --- new ----------------------------------------------------------------------------------------------------------- */

/* Words as they may stand in a file name. */
static void put_file_name(struct pgc_buf *out, const char *name) {
    for (; *name != '\0'; name++) {
        bool plain = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
                     (*name >= '0' && *name <= '9') || *name == '-' || *name == '_' || *name == '.' ||
                     (*name & 0x80) != 0;
        pgc_buf_putc(out, plain ? *name : '_');
    }
}

static void put_time(struct pgc_buf *out, int64_t seconds) {
    int64_t year;
    int month, day;
    pgc_civil_from_days(seconds / 86400, &year, &month, &day);
    int64_t rest = seconds % 86400;
    pgc_buf_putf(out, "%04lld%02d%02d%02d%02d%02d", (long long)year, month, day, (int)(rest / 3600),
                 (int)(rest / 60 % 60), (int)(rest % 60));
}

/* The time, or the next second after what is there already: two made in one second keep their order. */
static enum pgc_code choose_version(struct migrate_job *job, struct pgc_buf *version, struct pgc_error *err) {
    int64_t now = pgc_wall_us(job->cli->rt) / 1000000;
    for (int64_t i = 0; i < 3600; i++) {
        pgc_buf_clear(version);
        put_time(version, now + i);
        bool free = true;
        for (size_t n = 0; n < job->migrate.folder.count; n++)
            free &= strncmp(job->migrate.folder.files[n].name, version->data, 14) != 0;
        if (free)
            return pgc_buf_check(version, err);
    }
    return pgc_fail(err, PGC_E_EXISTS, "every version of the next hour is used");
}

static enum pgc_code write_new(const char *path, struct pgc_error *err) {
    static const char text[] = "-- migrate:up\n\n\n-- migrate:down\n\n";
    PGC_AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return pgc_fail_errno(err, PGC_E_IO, "cannot create '%s'", path);
    if (write(fd, text, sizeof text - 1) != (ssize_t)(sizeof text - 1))
        return pgc_fail_errno(err, PGC_E_IO, "cannot write '%s'", path);
    return PGC_OK;
}

static enum pgc_code run_new(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct migrate_settings *s = settings;
    PGC_CLEANUP(migrate_job_release) struct migrate_job job;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf path = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf version = PGC_BUF_INIT;
    enum pgc_code code = migrate_args(cli, 1, "the name", err);
    if (code == PGC_OK && cli->args.items[0][0] == '\0')
        code = pgc_fail(err, PGC_E_USAGE, "the name is empty");
    if (code != PGC_OK)
        return code;
    const char *dir = s->dirs.count > 0 ? s->dirs.items[0] : NULL;
    struct stat st;
    if (dir == NULL)
        dir = stat("migrations", &st) != 0 && stat("db/migrations", &st) == 0 ? "db/migrations" : "migrations";
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return pgc_fail_errno(err, PGC_E_IO, "cannot make the folder '%s'", dir);
    job = (struct migrate_job) { .settings = s, .cli = cli, .report = PGC_BUF_INIT, .more = PGC_BUF_INIT };
    code = pgc_folder_read(&job.migrate.folder, dir, err);
    if (code == PGC_OK)
        code = choose_version(&job, &version, err);
    pgc_buf_putf(&path, "%s/%s_", dir, version.data);
    put_file_name(&path, cli->args.items[0]);
    pgc_buf_puts(&path, ".sql");
    if (code == PGC_OK)
        code = pgc_buf_check(&path, err);
    if (code == PGC_OK)
        code = write_new(path.data, err);
    if (code != PGC_OK)
        return code;
    if (s->json) {
        PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
        pgc_buf_putc(&out, '{');
        migrate_put_text(&out, "version", version.data);
        pgc_buf_putc(&out, ',');
        migrate_put_text(&out, "path", path.data);
        fprintf(cli->out, "%s}\n", out.data);
    } else {
        fprintf(cli->out, "%s\n", path.data);
    }
    return PGC_OK;
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

COMMAND(
    status, "list the migrations and their states", NULL, status_options, run_status,
    "States: pending, applied, baseline, out-of-order, changed, outdated, missing, incomplete, failed. Exit status 0; "
    "with --exit-code 1 when migrations are pending.");
COMMAND(validate, "check the files, and the ledger against them", NULL, validate_options, run_validate,
        "Exit status 65 for malformed files, duplicate versions, changed, missing or out-of-order migrations.");
COMMAND(history, "list everything that happened to the ledger", NULL, history_options, run_history, NULL);
COMMAND(new, "make an empty migration file", "NAME", new_options, run_new,
        "Makes YYYYMMDDHHMMSS_NAME.sql with empty up and down sections and prints its path.");
