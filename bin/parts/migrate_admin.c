/* The commands around migrations: adopt, dump, squash, create, drop. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/client.h"
#include "base/text.h"
#include "io/fd.h"
#include "io/file.h"
#include "migrate/fresh.h"
#include "migrate/version.h"
#include "os/spawn.h"
#include "parts/migrate_settings.h"
#include "parts/parts.h"
#include "pg/environ.h"
#include "script/split.h"

static const struct pgc_option adopt_options[] = {
    MIGRATE_JSON_ROW,
    MIGRATE_FOLDER_ROWS,
    MIGRATE_SERVER_ROWS,
    MIGRATE_LOCK_ROWS,
    { "mode", 0, PGC_OPT_CHOICE, M_AT(mode), "keep",
      "keep: go on writing the old ledger, so that the old tool still works; copy: once into ours",
      .choices = "keep copy" },
    { "accept", 0, PGC_OPT_FLAG, M_AT(accept), NULL, "copy although files have changed since they were applied" },
};
static const struct pgc_option dump_options[] = {
    MIGRATE_JSON_ROW,
    MIGRATE_SERVER_ROWS,
    { "file", 'f', PGC_OPT_STRING, M_AT(file), NULL, "write it here (default: standard output)", .value = "FILE" },
};
static const struct pgc_option squash_options[] = {
    MIGRATE_JSON_ROW,
    { "to", 0, PGC_OPT_STRING, M_AT(to), NULL, "newest version that goes into it", .value = "VERSION", .env = "" },
    MIGRATE_FOLDER_ROWS,
    MIGRATE_SERVER_ROWS,
    { "remove", 0, PGC_OPT_FLAG, M_AT(remove), NULL, "delete the files that it stands for" },
    { "dry-run", 'n', PGC_OPT_FLAG, M_AT(dry_run), NULL, "show what would be done, change nothing" },
};
static const struct pgc_option database_options[] = {
    MIGRATE_JSON_ROW,
    PGC_CONNECTION_OPTIONS(struct migrate_settings, connection),
    { "wait", 'w', PGC_OPT_DURATION, M_AT(wait_ms), "0", "wait for the server up to TIME", .value = "TIME" },
    { "dry-run", 'n', PGC_OPT_FLAG, M_AT(dry_run), NULL, "show what would be done, change nothing" },
    { "force", 0, PGC_OPT_FLAG, M_AT(force), NULL, "drop: end the sessions of others" },
};
#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* --- adopt --------------------------------------------------------------------------------------------------------- */

/* Whose ledger is there: asked of the database when the files alone do not tell (dbmate's look like ours, refinery's like
 * Flyway's), or tell of a tool that has none there. */
static enum pgc_code find_format(struct migrate_job *job, struct pgc_error *err) {
    PGC_CLEANUP(pgc_ledger_found_release) struct pgc_ledger_found found = PGC_LEDGER_FOUND_INIT;
    const struct pgc_dialect *dialect = NULL;
    if (job->options.format != NULL && job->migrate.dialect->ledger != NULL)
        return PGC_OK;
    job->options.ignore_foreign = true;
    enum pgc_code code = migrate_job_connect(job, true, err);
    if (code != PGC_OK || job->migrate.found.exists)
        return code;
    code = pgc_ledger_look_for_foreign(job->migrate.conn, &found, &dialect, err);
    if (code == PGC_OK && dialect == NULL)
        return pgc_fail(err, PGC_E_NOT_FOUND, "there is no ledger of another tool in this database");
    return code != PGC_OK ? code : migrate_job_reload(job, dialect->name, err);
}

static enum pgc_code report_adopt(struct migrate_job *job, size_t copied, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    enum pgc_code code = migrate_report_status(job, err);
    const char *table = job->migrate.found.place.table;
    if (code != PGC_OK || job->settings->json)
        return code;
    if (job->migrate.foreign->high_water)
        pgc_buf_putf(&out, "%s holds only the newest version: everything older counts as applied\n", table);
    if (job->settings->dry_run)
        pgc_buf_puts(&out, "nothing was changed\n");
    else if (strcmp(job->settings->mode, "copy") == 0)
        pgc_buf_putf(&out, "%zu rows copied into %s.migrations; %s is not written any more\n", copied,
                     job->migrate.native.schema, table);
    else
        pgc_buf_putf(&out, "%s is kept: use --format %s, and both tools work\n", table, job->migrate.dialect->name);
    fputs(out.data, job->cli->out);
    return PGC_OK;
}

static enum pgc_code run_adopt(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct migrate_settings *s = settings;
    PGC_CLEANUP(migrate_job_release) struct migrate_job job;
    size_t copied = 0;
    enum pgc_code code = migrate_job_open(&job, cli, s, true, err);
    if (code == PGC_OK)
        code = migrate_args(cli, 0, "", err);
    if (code == PGC_OK)
        code = find_format(&job, err);
    job.options.ledger = PGC_MIGRATE_LEDGER_FOREIGN;
    job.request.drift = PGC_PLAN_ERROR;
    job.request.out_of_order = PGC_PLAN_WARN;
    if (code == PGC_OK)
        code = migrate_job_connect(&job, true, err);
    if (code == PGC_OK && !job.migrate.found.exists)
        code = pgc_fail(err, PGC_E_NOT_FOUND, "there is no ledger %s in this database", job.migrate.found.qualified);
    if (code == PGC_OK)
        code = pgc_migrate_plan(&job.migrate, &job.request, &job.plan, err);
    if (code == PGC_OK && strcmp(s->mode, "copy") == 0 && !s->dry_run)
        code = pgc_migrate_adopt(&job.migrate, s->accept, &copied, err);
    /* The report is about what the plan says; pgc_migrate_adopt has read the ledger anew. */
    if (code == PGC_OK) {
        pgc_plan_release(&job.plan);
        code = pgc_migrate_plan(&job.migrate, &job.request, &job.plan, err);
    }
    if (code == PGC_OK)
        code = report_adopt(&job, copied, err);
    return code == PGC_OK && !s->accept ? pgc_plan_check(&job.plan, err) : code;
}

/* --- dump ----------------------------------------------------------------------------------------------------------- */

struct cleaner {
    struct pgc_buf *out;
    bool placed; /* something does not lie at the default place: from here on every SET of places counts */
};

static bool is_default_place(struct cleaner *cleaner, const char *text) {
    bool place = pgc_text_starts(text, "SET default_tablespace") || pgc_text_starts(text, "SET default_table_access");
    bool usual = strcmp(text, "SET default_tablespace = '';") == 0 ||
                 strcmp(text, "SET default_table_access_method = heap;") == 0;
    cleaner->placed |= place && !usual;
    return place && !cleaner->placed;
}

/* Settings that only say how pg_dump's session was. */
static bool is_noise(const char *text) {
    static const char *const noise[] = { "SET statement_timeout",   "SET lock_timeout",
                                         "SET idle_in_transaction", "SET transaction_timeout",
                                         "SET client_encoding",     "SET standard_conforming_strings",
                                         "SET xmloption",           "SET client_min_messages",
                                         "SET row_security",        "SELECT pg_catalog.set_config('search_path'" };
    for (size_t i = 0; i < sizeof noise / sizeof noise[0]; i++) {
        if (pgc_text_starts(text, noise[i]))
            return true;
    }
    return false;
}

/* Statements only: comments between them, \restrict and the session's settings are no schema. */
static enum pgc_code keep(void *arg, const struct pgc_split_item *item, struct pgc_error *err) {
    struct cleaner *cleaner = arg;
    (void)err;
    if (item->kind != PGC_SPLIT_STATEMENT || is_noise(item->text) || is_default_place(cleaner, item->text))
        return PGC_OK;
    pgc_buf_putf(cleaner->out, "%s%s\n", cleaner->out->len > 0 ? "\n" : "", item->text);
    return PGC_OK;
}

static enum pgc_code dump_schema(struct migrate_job *job, struct pgc_conn *conn, struct pgc_buf *out,
                                 struct pgc_error *err) {
    PGC_CLEANUP(pgc_client_release) struct pgc_client client = PGC_CLIENT_INIT;
    PGC_CLEANUP(pgc_environ_release) struct pgc_strings env = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_strings_release) struct pgc_strings argv = PGC_STRINGS_INIT;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf raw = PGC_BUF_INIT;
    enum pgc_code code = pgc_client_find("pg_dump", pgc_client_major_of_num(pgc_conn_server_version(conn)), true, NULL,
                                         job->cli->rt, &client, err);
    if (code == PGC_OK)
        code = pgc_conn_environ(conn, "pgc migrate", &env, err);
    if (code == PGC_OK)
        code = pgc_strings_addf(&argv, err, "%s/pg_dump", client.folder);
    static const char *const fixed[] = { "--schema-only", "--no-owner", "--no-privileges", "--encoding=UTF8" };
    for (size_t i = 0; code == PGC_OK && i < COUNT(fixed); i++)
        code = pgc_strings_add(&argv, fixed[i], err);
    if (code == PGC_OK)
        code = pgc_strings_addf(&argv, err, "--exclude-schema=\"%s\"", job->migrate.native.schema);
    if (code != PGC_OK)
        return code;
    struct pgc_spawn spec = { .argv = argv.items, .env = env.items };
    code = pgc_spawn_capture(&spec, job->cli->rt, &raw, err);
    if (code != PGC_OK)
        return pgc_wrap(err, "cannot dump the schema");
    struct pgc_split_options options = { 0 };
    struct cleaner cleaner = { .out = out };
    code = pgc_split_text(raw.data, raw.len, &options, keep, &cleaner, NULL, err);
    return code != PGC_OK ? code : pgc_buf_check(out, err);
}

static enum pgc_code write_file(const char *path, const struct pgc_buf *text, struct pgc_error *err) {
    PGC_AUTO(pgc_sink_drop) struct pgc_sink *sink = NULL;
    enum pgc_code code = pgc_file_sink(path, 0644, &sink, err);
    if (code == PGC_OK)
        code = pgc_sink_put(sink, text->data, text->len, err);
    return code != PGC_OK ? code : pgc_sink_commit(sink, err);
}

static enum pgc_code print_dump(const struct migrate_job *job, const struct pgc_buf *sql, struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf json = PGC_BUF_INIT;
    const char *file = job->settings->file;
    if (!job->settings->json) {
        if (file == NULL)
            fwrite(sql->data, 1, sql->len, job->cli->out);
        return PGC_OK;
    }
    pgc_buf_putc(&json, '{');
    migrate_put_text(&json, "database", pgc_conn_dbname(job->migrate.conn));
    pgc_buf_putc(&json, ',');
    migrate_put_text(&json, "file", file);
    pgc_buf_putc(&json, ',');
    migrate_put_text(&json, "sql", file == NULL ? sql->data : NULL);
    pgc_buf_puts(&json, "}\n");
    enum pgc_code code = pgc_buf_check(&json, err);
    if (code == PGC_OK)
        fputs(json.data, job->cli->out);
    return code;
}

static enum pgc_code run_dump(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct migrate_settings *s = settings;
    PGC_CLEANUP(migrate_job_release) struct migrate_job job;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    s->ignore_foreign = true;
    enum pgc_code code = migrate_job_open(&job, cli, s, false, err);
    job.options.ledger = PGC_MIGRATE_LEDGER_OWN;
    if (code == PGC_OK)
        code = migrate_args(cli, 0, "", err);
    if (code == PGC_OK)
        code = migrate_job_connect(&job, false, err);
    if (code == PGC_OK)
        code = dump_schema(&job, job.migrate.conn, &out, err);
    if (code == PGC_OK && s->file != NULL)
        code = write_file(s->file, &out, err);
    return code == PGC_OK ? print_dump(&job, &out, err) : code;
}

/* --- databases -------------------------------------------------------------------------------------------------------- */

/* A connection from which databases are made: "postgres", else "template1". */
static enum pgc_code open_maintenance(struct migrate_job *job, struct pgc_conn **out, struct pgc_error *err) {
    struct pgc_conn_options options = job->options.connect;
    const struct pgc_runtime *rt = job->cli->rt;
    int64_t deadline = pgc_mono_ms(rt) + job->settings->wait_ms;
    for (;;) {
        options.dbname = "postgres";
        enum pgc_code code = pgc_conn_open(&options, rt, out, err);
        if (code != PGC_OK && strcmp(err->sqlstate, "3D000") == 0) {
            options.dbname = "template1";
            code = pgc_conn_open(&options, rt, out, err);
        }
        if (code == PGC_OK || !pgc_code_retryable(code) || code == PGC_E_CANCELLED || pgc_mono_ms(rt) >= deadline)
            return code;
        pgc_sleep_ms(rt, 250);
    }
}

static enum pgc_code database_exists(struct pgc_conn *conn, const char *name, bool *exists, struct pgc_error *err) {
    PGC_AUTO_FREE char *found = NULL;
    const char *params[] = { name };
    enum pgc_code code =
        pgc_conn_query_text(conn, "select 1 from pg_database where datname = $1", params, 1, &found, err);
    *exists = found != NULL;
    return code;
}

static enum pgc_code report_database(struct migrate_job *job, const char *name, const char *what,
                                     struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    if (job->settings->json) {
        pgc_buf_putc(&out, '{');
        migrate_put_text(&out, "database", name);
        pgc_buf_putc(&out, ',');
        migrate_put_text(&out, "result", what);
        pgc_buf_puts(&out, "}\n");
    } else {
        pgc_buf_putf(&out, "%s: %s\n", name, what);
    }
    enum pgc_code code = pgc_buf_check(&out, err);
    if (code == PGC_OK)
        fputs(out.data, job->cli->out);
    return code;
}

static enum pgc_code change_database(struct pgc_cli *cli, void *settings, bool create, struct pgc_error *err) {
    struct migrate_settings *s = settings;
    PGC_CLEANUP(migrate_job_release) struct migrate_job job;
    PGC_AUTO(pgc_conn_free) struct pgc_conn *conn = NULL;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf sql = PGC_BUF_INIT;
    bool exists = false;
    enum pgc_code code = migrate_args(cli, 0, "", err);
    job = (struct migrate_job) { .settings = s, .cli = cli, .report = PGC_BUF_INIT, .more = PGC_BUF_INIT };
    if (code == PGC_OK)
        code = pgc_connection_resolve(&s->connection, err);
    job.options.connect = (struct pgc_conn_options) { .conninfo = s->connection.dbname,
                                                      .host = s->connection.host,
                                                      .port = s->connection.port,
                                                      .user = s->connection.user,
                                                      .password = s->connection.password };
    if (code != PGC_OK)
        return code;
    PGC_AUTO_FREE char *name = pgc_conn_options_dbname(&job.options.connect);
    if (name == NULL)
        return pgc_fail(err, PGC_E_USAGE, "no database is named");
    code = open_maintenance(&job, &conn, err);
    if (code == PGC_OK)
        code = database_exists(conn, name, &exists, err);
    if (code != PGC_OK)
        return code;
    if (exists == create)
        return report_database(&job, name, create ? "exists already" : "does not exist", err);
    if (s->dry_run)
        return report_database(&job, name, create ? "would be created" : "would be dropped", err);
    pgc_buf_puts(&sql, create ? "create database " : "drop database ");
    pgc_sql_ident(&sql, name);
    if (!create && s->force)
        pgc_buf_puts(&sql, " with (force)");
    code = pgc_buf_check(&sql, err);
    if (code == PGC_OK)
        code = pgc_conn_exec(conn, sql.data, err);
    /* Somebody else was faster. */
    if (code == PGC_E_SQL && strcmp(err->sqlstate, create ? "42P04" : "3D000") == 0)
        code = PGC_OK;
    return code != PGC_OK ? code : report_database(&job, name, create ? "created" : "dropped", err);
}

static enum pgc_code run_create(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    return change_database(cli, settings, true, err);
}

static enum pgc_code run_drop(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    return change_database(cli, settings, false, err);
}

/* --- squash ------------------------------------------------------------------------------------------------------------ */

static size_t count_up_to(const struct pgc_migrate *m, const struct pgc_migration *last) {
    size_t count = 0;
    while (&m->set.items[count] != last)
        count++;
    return count + 1;
}

/* The schema that the migrations make, seen in a database of its own that is gone afterwards. */
static enum pgc_code dump_scratch(struct migrate_job *job, struct pgc_conn *admin, const char *name, size_t count,
                                  struct pgc_buf *out, struct pgc_error *err) {
    struct pgc_plan_request request = {
        .verb = PGC_PLAN_UP, .to = job->settings->to, .has_count = true, .count = count
    };
    size_t done;
    enum pgc_code code = pgc_conn_execf(admin, err, "create database \"%s\" template template0", name);
    if (code != PGC_OK)
        return pgc_wrap(err, "cannot make a database to squash in");
    job->options.connect.dbname = name;
    job->options.ledger = PGC_MIGRATE_LEDGER_OWN;
    job->options.event = NULL;
    code = pgc_migrate_connect(&job->migrate, false, err);
    if (code == PGC_OK)
        code = pgc_migrate_plan(&job->migrate, &request, &job->plan, err);
    if (code == PGC_OK)
        code = pgc_migrate_apply(&job->migrate, &request, &job->plan, &done, err);
    if (code == PGC_OK)
        code = dump_schema(job, job->migrate.conn, out, err);
    pgc_conn_free(job->migrate.conn);
    job->migrate.conn = NULL;
    pgc_conn_shield(admin, true);
    struct pgc_error second;
    if (pgc_conn_execf(admin, &second, "drop database if exists \"%s\"", name) != PGC_OK)
        pgc_log(job->cli->rt, PGC_LOG_WARN, "migrate.squash", second.message, PGC_LOG_TEXT("database", name));
    return code;
}

static enum pgc_code remove_files(const struct migrate_job *job, size_t count, struct pgc_error *err) {
    for (size_t i = 0; i < count; i++) {
        const struct pgc_migration *m = &job->migrate.set.items[i];
        if (unlink(m->path) != 0 && errno != ENOENT)
            return pgc_fail_errno(err, PGC_E_IO, "cannot delete '%s'", m->path);
    }
    return PGC_OK;
}

static enum pgc_code print_squash(const struct migrate_job *job, const char *path, size_t count,
                                  struct pgc_error *err) {
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf out = PGC_BUF_INIT;
    bool dry = job->settings->dry_run;
    if (job->settings->json) {
        pgc_buf_putc(&out, '{');
        migrate_put_text(&out, "path", path);
        pgc_buf_putf(&out, ",\"count\":%zu,\"dry_run\":%s}\n", count, dry ? "true" : "false");
    } else if (dry) {
        pgc_buf_putf(&out, "%s would stand for %zu migrations\n", path, count);
    } else {
        pgc_buf_putf(&out, "%s\n", path);
    }
    enum pgc_code code = pgc_buf_check(&out, err);
    if (code == PGC_OK)
        fputs(out.data, job->cli->out);
    return code;
}

static enum pgc_code write_baseline(const struct migrate_job *job, const struct pgc_folder *files, size_t count,
                                    struct pgc_error *err) {
    enum pgc_code code = PGC_OK;
    for (size_t i = 0; code == PGC_OK && i < files->count; i++) {
        struct pgc_buf text = { .data = files->files[i].text, .len = files->files[i].len };
        code = write_file(files->files[i].path, &text, err);
    }
    if (code == PGC_OK && job->settings->remove)
        code = remove_files(job, count, err);
    return code == PGC_OK ? print_squash(job, files->files[0].path, count, err) : code;
}

static enum pgc_code squash(struct migrate_job *job, const struct pgc_migration *last, struct pgc_error *err) {
    PGC_AUTO(pgc_conn_free) struct pgc_conn *admin = NULL;
    PGC_CLEANUP(pgc_buf_release) struct pgc_buf schema = PGC_BUF_INIT;
    PGC_CLEANUP(pgc_folder_release) struct pgc_folder files = PGC_FOLDER_INIT;
    PGC_AUTO_FREE char *dir = strdup(last->path);
    char name[64];
    size_t count = count_up_to(&job->migrate, last);
    if (dir == NULL)
        return pgc_fail_nomem(err);
    char *slash = strrchr(dir, '/');
    *(slash != NULL ? slash : dir) = '\0';
    enum pgc_code code = pgc_migration_baseline(job->migrate.dialect, dir, last->version, "", &files, err);
    if (code != PGC_OK || job->settings->dry_run)
        return code != PGC_OK ? code : print_squash(job, files.files[0].path, count, err);
    pgc_folder_release(&files);
    snprintf(name, sizeof name, "pgc_squash_%ld_%lld", (long)getpid(), (long long)pgc_wall_us(job->cli->rt));
    code = open_maintenance(job, &admin, err);
    if (code == PGC_OK)
        code = dump_scratch(job, admin, name, count, &schema, err);
    if (code == PGC_OK)
        code = pgc_migration_baseline(job->migrate.dialect, dir, last->version, schema.data, &files, err);
    return code == PGC_OK ? write_baseline(job, &files, count, err) : code;
}

static enum pgc_code run_squash(struct pgc_cli *cli, void *settings, struct pgc_error *err) {
    struct migrate_settings *s = settings;
    PGC_CLEANUP(migrate_job_release) struct migrate_job job;
    s->ignore_foreign = true;
    enum pgc_code code = migrate_job_open(&job, cli, s, true, err);
    if (code == PGC_OK)
        code = migrate_args(cli, 0, "", err);
    if (code == PGC_OK && s->to == NULL)
        code = pgc_fail(err, PGC_E_USAGE, "--to VERSION is missing");
    const struct pgc_migration *last = code == PGC_OK ? pgc_migration_set_find(&job.migrate.set, s->to) : NULL;
    if (code == PGC_OK && (last == NULL || last->version == NULL))
        code = pgc_fail(err, PGC_E_USAGE, "there is no migration '%s'", s->to);
    return code == PGC_OK ? squash(&job, last, err) : code;
}

#define COMMAND(word, line, rows, function, text)                                                                      \
    const struct pgc_command pgc_cmd_migrate_##word = {                                                                \
        .name = #word,                                                                                                 \
        .summary = line,                                                                                               \
        .description = text,                                                                                           \
        .options = rows,                                                                                               \
        .option_count = COUNT(rows),                                                                                   \
        .settings_size = sizeof(struct migrate_settings),                                                              \
        .run = function,                                                                                               \
    }

COMMAND(adopt, "take over the ledger of another tool", adopt_options, run_adopt,
        "Reads the old ledger (told apart by its columns), checks its checksums with its own algorithm and says for "
        "every file how it stands. With --mode keep that ledger goes on being written row for row; with --mode copy it "
        "is copied once into ours. The old tool's lock is taken too. Exit status 65 when files have changed.");
COMMAND(
    dump, "print the schema", dump_options, run_dump,
    "pg_dump's text of the schema without comments, session settings, owners and privileges, and without the ledger.");
COMMAND(squash, "replace old migrations by one file", squash_options, run_squash,
        "Applies everything up to --to in a database of its own, dumps its schema into VERSION_baseline.sql (Flyway: "
        "BVERSION__baseline.sql; the other formats have no such file and are refused with exit status 64) and prints "
        "the path. New databases start there; databases that have those versions already pass over it. With --remove "
        "the files it stands for are deleted.");
COMMAND(create, "create the database", database_options, run_create, "Does nothing when it exists already.");
COMMAND(drop, "drop the database", database_options, run_drop, "Does nothing when it does not exist.");
